import type { OutgoingEvent } from '../../domain/events.ts';
import type { IncomingOrderEvent } from '../../domain/order-events.ts';
import type { OrderState } from '../../domain/orders.ts';
import { type IntentState, moneyEventId, type Unsettled } from '../../domain/payments.ts';
import { publishWithin } from './outbox.ts';
import type { Sql } from './pools.ts';

/** One transition of one order, inside the transaction that writes it. */
export type Transition = {
  /** Internal id, as text. */
  readonly orderId: string;
  readonly from: OrderState;
  readonly to: OrderState;
  readonly event: Pick<IncomingOrderEvent, 'eventId'>;
};

/**
 * What a transition means for stock and money, in the transition's own transaction. The caller holds the lock on the
 * order's row and has set the tenant. A repeat changes nothing.
 *
 * Cancelled: the units go back to the shelves they came from, and money that arrived goes back. Refunded: what was
 * paid is written down as refunded and given back durably. Every other transition: nothing.
 */
export async function settleTransition(sql: Sql, tenant: string, transition: Transition): Promise<void> {
  const { orderId, to } = transition;
  if (to === 'Cancelled') {
    await returnStock(sql, orderId);
    await takeOffSpending(sql, orderId);
    await endIntent(sql, tenant, orderId);
  }
  if (to === 'Refunded') {
    await takeOffSpending(sql, orderId);
    await bookRefund(sql, tenant, orderId);
    await giveBack(sql, tenant, orderId);
  }
}

/** Positions are locked in the order in which checkout locks them, so that the two never wait for each other. */
async function returnStock(sql: Sql, orderId: string): Promise<void> {
  await sql.query(
    `select from inventory i
      where exists (select from order_allocations a where a.order_id = $1 and a.returned_at is null
                       and a.product_id = i.product_id and a.warehouse_id = i.warehouse_id)
      order by i.product_id, i.warehouse_id for update`,
    [orderId],
  );
  await sql.query(
    `with back as (
       update order_allocations set returned_at = now() where order_id = $1 and returned_at is null
       returning shop_id, product_id, warehouse_id, quantity)
     insert into inventory as i (shop_id, product_id, warehouse_id, quantity)
     select shop_id, product_id, warehouse_id, sum(quantity) from back group by 1, 2, 3
         on conflict (shop_id, product_id, warehouse_id) do update set quantity = i.quantity + excluded.quantity`,
    [orderId],
  );
}

/**
 * `total_spent` counts orders that hold. Locked in one statement and added up in the next, so that an order that was
 * placed meanwhile is in the sum, and a repeat comes to the same.
 */
async function takeOffSpending(sql: Sql, orderId: string): Promise<void> {
  await sql.query(
    `select from customers c where c.id = (select customer_id from orders where id = $1) for no key update`,
    [orderId],
  );
  await sql.query(
    `update customers c
        set total_spent = (select coalesce(sum(o.total_amount), 0) from orders o
                            where o.shop_id = c.shop_id and o.user_id = c.user_id and o.id <> $1
                              and o.status not in ('Cancelled', 'Refunded'))
      where c.id = (select customer_id from orders where id = $1)`,
    [orderId],
  );
}

type IntentRow = { readonly intent_id: string; readonly state: IntentState; readonly order_id: string };

/** The order is over. What was charged goes back; what may have been charged is asked about until it is known. */
async function endIntent(sql: Sql, tenant: string, orderId: string): Promise<void> {
  await sql.query(
    `update payment_intents set state = 'cancelled' where order_id = $1 and state = 'requires_charge'`,
    [orderId],
  );
  await giveBack(sql, tenant, orderId);
  const { rows } = await sql.query<IntentRow>(
    `select i.intent_id, i.state, o.order_id from payment_intents i
       join orders o on o.shop_id = i.shop_id and o.id = i.order_id
      where i.order_id = $1 and i.state in ('charging', 'pending')`,
    [orderId],
  );
  for (const intent of rows)
    await publishAboutMoney(sql, tenant, 'payment_unresolved', intent.intent_id, intent.order_id);
}

/** Marks an intent whose money is ours as due, and says so in the outbox: a durable refund follows. */
async function giveBack(sql: Sql, tenant: string, orderId: string): Promise<void> {
  const { rows } = await sql.query<IntentRow>(
    `update payment_intents i set state = 'refund_due'
       from orders o
      where o.shop_id = i.shop_id and o.id = i.order_id and i.order_id = $1 and i.state = 'succeeded'
     returning i.intent_id, i.state, o.order_id`,
    [orderId],
  );
  for (const intent of rows)
    await publishAboutMoney(sql, tenant, 'refund_due', intent.intent_id, intent.order_id);
}

/** What has been paid and not yet given back, as one refund; nothing where nothing was paid. */
async function bookRefund(sql: Sql, tenant: string, orderId: string): Promise<void> {
  await sql.query(
    `insert into order_payments (shop_id, order_id, seq, kind, amount, payment_method_id, intent_id)
     select $1, $2, max(seq) + 1, 'refund', sum(case kind when 'refund' then -amount else amount end),
            (array_agg(payment_method_id order by seq desc) filter (where kind = 'payment'))[1],
            (array_agg(intent_id order by seq desc) filter (where kind = 'payment'))[1]
       from order_payments where order_id = $2
     having sum(case kind when 'refund' then -amount else amount end) > 0
         on conflict do nothing`,
    [tenant, orderId],
  );
}

/** One event for each intent and topic: a repeat publishes nothing. */
export async function publishAboutMoney(
  sql: Sql,
  tenant: string,
  topic: Unsettled['topic'],
  intentId: string,
  orderId: string,
): Promise<void> {
  const event: OutgoingEvent = {
    eventId: moneyEventId({ intentId, topic }),
    topic,
    version: 1,
    key: orderId,
    payload: { order_id: orderId, intent_id: intentId },
    at: new Date().toISOString(),
  };
  await publishWithin(sql, tenant, [event]);
}
