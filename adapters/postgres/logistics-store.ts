import type pg from 'pg';
import type { DeliveryRecord, DriverRecord, LogisticsReader, OrderOnItsWay } from '../../domain/logistics.ts';
import { meant, spellingsOf } from '../../domain/order-ids.ts';
import type { OrderState, Shipment } from '../../domain/orders.ts';
import type { Sql } from './pools.ts';
import { readInTenant } from './read-in-tenant.ts';

/** Deliveries, drivers and routes in Postgres: the thin client in the place of a transport system's. */
export function createLogisticsStore(pool: pg.Pool): LogisticsReader {
  return {
    ofOrder: (tenant, orderId) =>
      readInTenant(pool, tenant, async (sql) =>
        meant(
          orderId,
          await onTheirWay(
            sql,
            OF_ORDERS,
            'where o.order_id = any($1::text[]) order by o.order_date, o.id limit 10',
            [spellingsOf(orderId)],
          ),
        ),
      ),
    inFlight: (tenant, limit) =>
      readInTenant(pool, tenant, async (sql) => ({
        total: await count(sql, `deliveries where ${IN_FLIGHT}`),
        deliveries: await onTheirWay(
          sql,
          OF_DELIVERIES,
          `where d.${IN_FLIGHT} order by d.scheduled_for nulls last, d.id limit $1`,
          [limit],
        ),
      })),
    drivers: (tenant, status, limit) =>
      readInTenant(pool, tenant, async (sql) => {
        const { rows } = await sql.query<DriverRecord>(
          `select driver_id as "driverId", name, status,
                  (select count(*)::integer from deliveries d
                    where d.shop_id = r.shop_id and d.driver_id = r.id and d.${IN_FLIGHT}) as "inFlight"
             from drivers r where $1::text is null or status = $1 order by name, id limit $2`,
          [status ?? null, limit],
        );
        return {
          total: await count(sql, 'drivers where $1::text is null or status = $1', [status ?? null]),
          drivers: rows,
        };
      }),
  };
}

const IN_FLIGHT = `status in ('scheduled', 'in_transit', 'delayed')`;

/** Orders with the latest delivery of each, and deliveries with the order of each. */
const OF_ORDERS = `orders o
  left join lateral (select * from deliveries x where x.shop_id = o.shop_id and x.order_id = o.id
                      order by x.scheduled_for desc nulls last, x.id desc limit 1) d on true`;
const OF_DELIVERIES = 'deliveries d join orders o on o.shop_id = d.shop_id and o.id = d.order_id';

/** `o` is the order, `d` its delivery, and the shipment is the order's latest. */
const WAY = `
select o.order_id as "orderId", o.status as state, h.shipment,
       case when d.id is not null then json_build_object(
         'status', d.status, 'note', d.note, 'scheduledFor', d.scheduled_for, 'updatedAt', d.updated_at,
         'driver', case when r.id is not null
                        then json_build_object('driverId', r.driver_id, 'name', r.name, 'status', r.status) end,
         'route', case when t.id is not null
                       then json_build_object('code', t.code, 'status', t.status, 'stopNo', d.stop_no) end) end as delivery`;
const JOINED = `
  left join drivers r on r.shop_id = d.shop_id and r.id = d.driver_id
  left join routes t on t.shop_id = d.shop_id and t.id = d.route_id
  left join lateral (select json_build_object('carrier', s.carrier, 'trackingNumber', s.tracking_number,
                            'promisedDelivery', s.promised_delivery, 'estimatedDelivery', s.estimated_delivery) as shipment
                       from shipments s where s.shop_id = o.shop_id and s.order_id = o.id
                      order by s.shipped_at desc nulls first, s.id desc limit 1) h on true`;

type Row = {
  readonly orderId: string;
  readonly state: OrderState;
  readonly shipment: Shipment | null;
  readonly delivery: DeliveryRecord | null;
};

async function onTheirWay(
  sql: Sql,
  from: string,
  which: string,
  parameters: readonly unknown[],
): Promise<readonly OrderOnItsWay[]> {
  const { rows } = await sql.query<Row>(`${WAY} from ${from} ${JOINED} ${which}`, [...parameters]);
  return rows.map(({ shipment, delivery, ...order }) => ({
    ...order,
    shipment: shipment && {
      ...shipment,
      promisedDelivery: instantOf(shipment.promisedDelivery),
      estimatedDelivery: instantOf(shipment.estimatedDelivery),
    },
    delivery: delivery && {
      ...delivery,
      scheduledFor: instantOf(delivery.scheduledFor),
      updatedAt: new Date(delivery.updatedAt).toISOString(),
    },
  }));
}

/** Postgres writes times into JSON its own way. */
function instantOf(text: string | null): string | null {
  return text === null ? null : new Date(text).toISOString();
}

async function count(sql: Sql, of: string, parameters: readonly unknown[] = []): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(`select count(*)::integer as n from ${of}`, [
    ...parameters,
  ]);
  return rows[0]?.n ?? 0;
}
