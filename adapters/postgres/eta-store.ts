import type pg from 'pg';
import type { EtaStore, LastKnownEta } from '../../domain/carriers.ts';
import type { Touched } from '../../domain/order-life.ts';
import { publishWithin } from './outbox.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';
import { readInTenant } from './read-in-tenant.ts';

/** What carriers said last of arrivals. */
export function createEtaStore(pools: Pick<Pools, 'read' | 'write'>): EtaStore {
  return {
    lastKnown: (tenant, carrier, trackingNumber) => lastKnown(pools.read, tenant, carrier, trackingNumber),
    keep: (tenant, eta) =>
      inTenant(pools.write, tenant, async (sql) => {
        if (!(await keepLatest(sql, tenant, eta)) || eta.estimatedDelivery === null) return [];
        return moveArrival(sql, tenant, eta, eta.estimatedDelivery);
      }),
  };
}

type Row = {
  readonly state: LastKnownEta['state'];
  readonly estimated_delivery: Date | null;
  readonly seen_at: Date;
};

async function lastKnown(
  pool: pg.Pool,
  tenant: string,
  carrier: string,
  trackingNumber: string,
): Promise<LastKnownEta | undefined> {
  const rows = await readInTenant(pool, tenant, async (sql) => {
    const found = await sql.query<Row>(
      'select state, estimated_delivery, seen_at from carrier_etas where carrier = $1 and tracking_number = $2',
      [carrier, trackingNumber],
    );
    return found.rows;
  });
  return rows[0] && etaOf(rows[0], carrier, trackingNumber);
}

function etaOf(row: Row, carrier: string, trackingNumber: string): LastKnownEta {
  return {
    carrier,
    trackingNumber,
    state: row.state,
    estimatedDelivery: row.estimated_delivery?.toISOString() ?? null,
    seenAt: row.seen_at.toISOString(),
  };
}

/** False when a later one is there, or this one names no day and the one that is there does. */
async function keepLatest(sql: Sql, tenant: string, eta: LastKnownEta): Promise<boolean> {
  const { carrier, trackingNumber, state, estimatedDelivery, seenAt } = eta;
  const { rowCount } = await sql.query(
    `insert into carrier_etas as known (shop_id, carrier, tracking_number, state, estimated_delivery, seen_at)
          values ($1, $2, $3, $4, $5, $6)
     on conflict (shop_id, carrier, tracking_number) do update
        set state = excluded.state, estimated_delivery = excluded.estimated_delivery, seen_at = excluded.seen_at
      where known.seen_at <= excluded.seen_at
        and (excluded.estimated_delivery is not null or known.estimated_delivery is null)`,
    [tenant, carrier, trackingNumber, state, estimatedDelivery, seenAt],
  );
  return rowCount === 1;
}

type Moved = Touched & { readonly shipment: string; readonly before: Date | null };

/** Every shipment of the parcel that says otherwise and has not arrived. */
async function moveArrival(
  sql: Sql,
  tenant: string,
  eta: LastKnownEta,
  arrival: string,
): Promise<readonly Touched[]> {
  // Locked in one statement and read in the next: two that come at once are published one after the other.
  const parcel = [eta.carrier, eta.trackingNumber];
  await sql.query(`select from shipments where ${OPEN} order by id for update`, parcel);
  const { rows } = await sql.query<Moved>(
    `select s.id::text as shipment, s.estimated_delivery as before, o.order_id as "orderId",
            c.customer_id as "customerId"
       from (select * from shipments where ${OPEN} and estimated_delivery is distinct from $3::timestamptz) s
       join orders o on o.shop_id = s.shop_id and o.id = s.order_id
       join customers c on c.shop_id = o.shop_id and c.id = o.customer_id
      order by s.id`,
    [...parcel, arrival],
  );
  if (rows.length === 0) return [];
  await sql.query('update shipments set estimated_delivery = $2 where id = any($1::bigint[])', [
    rows.map(({ shipment }) => shipment),
    arrival,
  ]);
  await publishWithin(
    sql,
    tenant,
    rows.map((moved) => etaChanged(eta, arrival, moved)),
  );
  return rows.map(({ orderId, customerId }) => ({ orderId, customerId }));
}

const OPEN = 'carrier = $1 and tracking_number = $2 and delivered_at is null';

function etaChanged(eta: LastKnownEta, arrival: string, { shipment, before, orderId }: Moved) {
  const to = new Date(arrival).toISOString();
  const seenAt = new Date(eta.seenAt).toISOString();
  return {
    eventId: `shipment_eta_changed:${shipment}:${Date.parse(seenAt)}:${Date.parse(to)}`,
    topic: 'shipment_eta_changed',
    version: 1,
    key: orderId,
    payload: {
      order_id: orderId,
      carrier: eta.carrier,
      tracking_number: eta.trackingNumber,
      parcel_state: eta.state,
      from: before?.toISOString() ?? null,
      to,
      seen_at: seenAt,
    },
    at: new Date().toISOString(),
  } as const;
}
