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
}

/** A parcel that the order does not have yet; what the customer is told first is what was promised. */
async function keepParcel(sql: Sql, { tenant, order }: Living, event: KeptEvent): Promise<void> {
  if (event.carrier === null || event.trackingNumber === null) return;
  await sql.query(
    `insert into shipments (shop_id, order_id, carrier, tracking_number, promised_delivery, estimated_delivery, shipped_at)
     select $1, $2, $3, $4, $5, $5, $6
      where not exists (select from shipments where order_id = $2 and tracking_number = $4)`,
    [tenant, order, event.carrier, event.trackingNumber, event.estimatedDelivery, event.happenedAt],
  );
}

/** On the delivery of the order, which is made for it where there is none. */
export async function noteFailedAttempt(sql: Sql, { tenant, order }: Living, { happenedAt }: KeptEvent) {
  await sql.query(
    `with noted as (
       update deliveries set status = 'failed', note = $3 where order_id = $2 returning 1)
     insert into deliveries (shop_id, order_id, status, note, scheduled_for)
     select $1, $2, 'failed', $3, $4 where not exists (select from noted)`,
    [tenant, order, FAILED_ATTEMPT, happenedAt],
  );
}
