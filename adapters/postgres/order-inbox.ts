import type { OutgoingEvent } from '../../domain/events.ts';
import type { IncomingOrderEvent, OrderInbox } from '../../domain/order-events.ts';
import { meant, spellingsOf } from '../../domain/order-ids.ts';
import { Refusal } from '../../domain/refusal.ts';
import { publishWithin } from './outbox.ts';
import { inTenant, isUnavailable, type Pools, type Sql } from './pools.ts';

export type Receipt = Awaited<ReturnType<OrderInbox['receive']>>;

export function createOrderInbox(pools: Pick<Pools, 'write'>): OrderInbox {
  return {
    receive: async (tenant, event) => {
      try {
        return await inTenant(pools.write, tenant, (sql) => receiveWithin(sql, tenant, event));
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        throw new Refusal(
          'unavailable',
          'The database did not answer, so the event may not be kept. Send it again: it counts once.',
        );
      }
    },
  };
}

/**
 * `OrderInbox.receive` inside the caller's transaction, which has the tenant set: the event is kept, and the order's
 * workflow woken, exactly when the caller's own change is.
 */
export async function receiveWithin(sql: Sql, tenant: string, event: IncomingOrderEvent): Promise<Receipt> {
  const order = await orderNamed(sql, event.orderId);
  if (order === undefined) return 'unknown_order';
  const { rowCount } = await sql.query(
    `insert into order_events (shop_id, event_id, order_id, kind, source, actor, cause, carrier, tracking_number,
                               estimated_delivery, happened_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (shop_id, event_id) do nothing`,
    [
      tenant,
      event.eventId,
      order.id,
      event.kind,
      event.source,
      event.actor,
      event.cause ?? null,
      event.parcel?.carrier ?? null,
      event.parcel?.trackingNumber ?? null,
      event.parcel?.estimatedDelivery ?? null,
      event.happenedAt,
    ],
  );
  if (rowCount === 0) return 'repeated';
  await publishWithin(sql, tenant, [received(event, order)]);
  return 'accepted';
}

type Named = { readonly id: string; readonly orderId: string };

/** In any spelling; a number that is a spelling of two orders names neither. */
async function orderNamed(sql: Sql, orderId: string): Promise<Named | undefined> {
  const { rows } = await sql.query<Named>(
    `select id::text, order_id as "orderId" from orders where order_id = any($1::text[]) order by id limit 10`,
    [spellingsOf(orderId)],
  );
  return meant(orderId, rows);
}

function received({ eventId, kind, source }: IncomingOrderEvent, order: Named): OutgoingEvent {
  return {
    eventId: `received:${eventId}`,
    topic: 'order_event_received',
    version: 1,
    key: order.orderId,
    payload: { order_id: order.orderId, order: order.id, event_id: eventId, kind, source },
    at: new Date().toISOString(),
  };
}
