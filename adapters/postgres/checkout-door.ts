import type { CheckoutRequest, PlacedOrder } from '../../domain/checkout.ts';
import { minorUnits } from '../../domain/money.ts';
import type { OrderState } from '../../domain/orders.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Sql } from './pools.ts';

/** Who checks out. `id` is the internal one. */
export type BuyingCustomer = { readonly id: string; readonly user_id: string };
export type PayingMethod = { readonly id: string; readonly kind: string };

/** @throws {Refusal} not_found */
export async function findCustomer(sql: Sql, customerId: string): Promise<BuyingCustomer> {
  const { rows } = await sql.query<BuyingCustomer>(
    'select id, user_id from customers where customer_id = $1',
    [customerId],
  );
  if (rows[0] === undefined) throw new Refusal('not_found', 'This shop does not know the customer.');
  return rows[0];
}

/** Waits for whoever has the key in an open transaction. False when somebody had it before. */
export async function takeKey(
  sql: Sql,
  customer: BuyingCustomer,
  { tenant, key, requestHash }: CheckoutRequest,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `insert into checkout_keys (shop_id, customer_id, idempotency_key, request_hash) values ($1, $2, $3, $4)
         on conflict do nothing`,
    [tenant, customer.id, key, requestHash],
  );
  return rowCount === 1;
}

type EarlierRow = {
  readonly request_hash: string;
  readonly order_id: string;
  readonly status: OrderState;
  readonly total_amount: string;
  readonly shipping_cost: string;
  readonly currency: string;
  readonly payment_due_at: Date;
};

/** The order that this key has placed, as it is now. @throws {Refusal} idempotency_conflict */
export async function earlierOrder(
  sql: Sql,
  customer: BuyingCustomer,
  { key, requestHash }: CheckoutRequest,
): Promise<PlacedOrder> {
  const { rows } = await sql.query<EarlierRow>(
    `select k.request_hash, o.order_id, o.status, o.total_amount::text, o.shipping_cost::text, i.currency,
            o.payment_due_at
       from checkout_keys k
       join orders o on o.shop_id = k.shop_id and o.id = k.order_id
       join payment_intents i on i.shop_id = o.shop_id and i.order_id = o.id
      where k.customer_id = $1 and k.idempotency_key = $2`,
    [customer.id, key],
  );
  const [earlier] = rows;
  if (earlier === undefined) throw new Error('A key that is taken has no order.');
  if (earlier.request_hash !== requestHash)
    throw new Refusal(
      'idempotency_conflict',
      'This key has placed another order. Use a new key for another request.',
      { order_id: earlier.order_id },
    );
  const { currency } = earlier;
  return {
    orderId: earlier.order_id,
    state: earlier.status,
    total: { amountMinor: minorUnits(earlier.total_amount, currency), currency },
    shippingCost: { amountMinor: minorUnits(earlier.shipping_cost, currency), currency },
    paymentDueAt: earlier.payment_due_at.toISOString(),
    replayed: true,
    took: [],
  };
}

/** Somebody else's and none are the same answer. @throws {Refusal} not_found */
export async function findPaymentMethod(
  sql: Sql,
  customer: BuyingCustomer,
  paymentMethodId: string,
): Promise<PayingMethod> {
  const { rows } = await sql.query<PayingMethod>(
    'select id, kind from payment_methods where payment_method_id = $1 and customer_id = $2',
    [paymentMethodId, customer.id],
  );
  if (rows[0] === undefined)
    throw new Refusal('not_found', 'You have no such payment method. Nothing was ordered.');
  return rows[0];
}
