import type { Step } from '../../domain/order-lifecycle.ts';
import type { OrderState } from '../../domain/orders.ts';
import type { KeptEvent, Living } from './order-living.ts';
import type { Sql } from './pools.ts';

/** What a delivery is said to be doing when its order arrives in a state. */
const DELIVERY_IN: Readonly<Partial<Record<OrderState, string>>> = {
  OutForDelivery: 'in_transit',
  Delivered: 'delivered',
  DeliveryFailed: 'failed',
};
const FAILED_ATTEMPT = 'A delivery attempt failed; the carrier will say how it goes on.';

/**
 * How many parcels of the order are still under way when an event has its own delivered. What a carrier says of its
 * parcel is kept first, whatever becomes of the order. What has no number is waited for by nobody.
 */
export async function parcelsLeft(sql: Sql, { order }: Living, event: KeptEvent): Promise<number> {
  if (event.kind !== 'delivered' || event.trackingNumber === null) return 0;
  await sql.query(
    `update shipments set delivered_at = $3
      where order_id = $1 and delivered_at is null
        and ${bare('tracking_number')} = ${bare('$2::text')}`,
    [order, event.trackingNumber, event.happenedAt],
  );
  const { delivered, all } = await countParcels(sql, order);
  return all - delivered;
}

/** Two spellings of a number are one number. */
function bare(expression: string): string {
  return `upper(regexp_replace(${expression}, '[^A-Za-z0-9]', '', 'g'))`;
}

type Count = { readonly delivered: number; readonly all: number };

async function countParcels(sql: Sql, order: string): Promise<Count> {
  const { rows } = await sql.query<Count>(
    `select count(delivered_at)::int as delivered, count(*)::int as all
       from shipments where order_id = $1 and tracking_number is not null`,
    [order],
  );
  return rows[0] ?? { delivered: 0, all: 0 };
}

/** Null: none or all of the order's parcels have arrived. */
export async function partsDelivered(sql: Sql, order: string): Promise<string | null> {
  const { delivered, all } = await countParcels(sql, order);
  return delivered === 0 || delivered === all ? null : `${delivered} of ${all} parcels delivered.`;
}

/** Brings the order's shipments and delivery up to what an event, and the steps it led to, say. */
export async function showParcel(sql: Sql, living: Living, event: KeptEvent, path: readonly Step[]) {
  const reached = path.map(({ to }) => to);
  const isShipped = reached.includes('Shipped');
  if (isShipped || event.kind === 'shipped') await keepParcel(sql, living, event);
  if (isShipped)
    await sql.query('update shipments set shipped_at = $2 where order_id = $1 and shipped_at is null', [
      living.order,
      event.happenedAt,
    ]);
  if (reached.includes('Delivered'))
    await sql.query('update shipments set delivered_at = $2 where order_id = $1 and delivered_at is null', [
      living.order,
      event.happenedAt,
    ]);
  const doing = reached.map((state) => DELIVERY_IN[state]).findLast((status) => status !== undefined);
  if (doing !== undefined)
    await sql.query('update deliveries set status = $2, note = null where order_id = $1 and status <> $2', [
      living.order,
      doing,
    ]);
  if (event.kind === 'delivered' && event.trackingNumber !== null)
    await noteArrival(sql, living, event, reached.at(-1) ?? living.state);
}

/** A carrier delivered a parcel: the order's last, or one of several. */
async function noteArrival(sql: Sql, living: Living, { happenedAt }: KeptEvent, state: OrderState) {
  if (state === 'Delivered') await noteDelivery(sql, living, 'delivered', null, happenedAt);
  if (state !== 'OutForDelivery') return;
  await noteDelivery(sql, living, 'in_transit', await partsDelivered(sql, living.order), happenedAt);
}

/** A parcel that the order does not have yet; what the customer is told first is what was promised. */
async function keepParcel(sql: Sql, { tenant, order }: Living, event: KeptEvent): Promise<void> {
  if (event.carrier === null || event.trackingNumber === null) return;
  await sql.query(
    `insert into shipments (shop_id, order_id, carrier, tracking_number, promised_delivery, estimated_delivery, shipped_at,
                            delivered_at)
     select $1, $2, $3, $4, $5, $5, $6::timestamptz, case when $7 then $6::timestamptz end
      where not exists (select from shipments
                         where order_id = $2 and ${bare('tracking_number')} = ${bare('$4::text')})`,
    [
      tenant,
      order,
      event.carrier,
      event.trackingNumber,
      event.estimatedDelivery,
      event.happenedAt,
      event.kind === 'delivered',
    ],
  );
}

export async function noteFailedAttempt(sql: Sql, living: Living, { happenedAt }: KeptEvent): Promise<void> {
  await noteDelivery(sql, living, 'failed', FAILED_ATTEMPT, happenedAt);
}

/** On the delivery of the order, which is made for it where there is none. */
async function noteDelivery(
  sql: Sql,
  { tenant, order }: Living,
  status: 'in_transit' | 'delivered' | 'failed',
  note: string | null,
  at: Date,
): Promise<void> {
  await sql.query(
    `with noted as (
       update deliveries set status = $3, note = $4 where order_id = $2 returning 1)
     insert into deliveries (shop_id, order_id, status, note, scheduled_for)
     select $1, $2, $3, $4, $5 where not exists (select from noted)`,
    [tenant, order, status, note, at],
  );
}
