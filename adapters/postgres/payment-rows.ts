import { minorUnits } from '../../domain/money.ts';
import type { OrderState } from '../../domain/orders.ts';
import type { IntentState, PaymentIntent } from '../../domain/payments.ts';
import type { Sql } from './pools.ts';

export type IntentRow = {
  readonly intent_id: string;
  /** Internal id. */
  readonly order: string;
  readonly order_id: string;
  readonly status: OrderState;
  /** The time to pay has passed. */
  readonly overdue: boolean;
  readonly provider: PaymentIntent['provider'];
  readonly method: string;
  readonly method_ref: string;
  readonly amount: string;
  readonly currency: string;
  readonly state: IntentState;
  readonly charge_ref: string | null;
};

const INTENT = `
select i.intent_id, o.id as "order", o.order_id, o.status, coalesce(o.payment_due_at <= now(), false) as overdue,
       i.provider, m.id as method, coalesce(m.provider_ref, m.payment_method_id) as method_ref, i.amount::text,
       i.currency, i.state, i.charge_ref
  from payment_intents i
  join orders o on o.shop_id = i.shop_id and o.id = i.order_id
  join payment_methods m on m.shop_id = i.shop_id and m.id = i.payment_method_id
 where i.intent_id = $1`;

export async function selectIntent(sql: Sql, intentId: string): Promise<IntentRow | undefined> {
  const { rows } = await sql.query<IntentRow>(INTENT, [intentId]);
  return rows[0];
}

/** The order is what everybody locks who moves it or its money; the intent is read in the next statement. */
export async function lockIntent(sql: Sql, intentId: string): Promise<IntentRow | undefined> {
  await sql.query(
    `select from orders o
      where o.id = (select order_id from payment_intents where intent_id = $1) for update`,
    [intentId],
  );
  return selectIntent(sql, intentId);
}

export function intentOf(row: IntentRow): PaymentIntent {
  return {
    intentId: row.intent_id,
    orderId: row.order_id,
    provider: row.provider,
    methodRef: row.method_ref,
    amount: { amountMinor: minorUnits(row.amount, row.currency), currency: row.currency },
    state: row.state,
    chargeRef: row.charge_ref,
  };
}

/** Money that moved for the order, once for the intent and its direction. */
export async function book(
  sql: Sql,
  tenant: string,
  { order, intent_id, method, amount }: IntentRow,
  kind: 'payment' | 'refund',
): Promise<void> {
  await sql.query(
    `insert into order_payments (shop_id, order_id, seq, kind, amount, payment_method_id, intent_id)
     select $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5, $6 from order_payments where order_id = $2
         on conflict (shop_id, intent_id, kind) where intent_id is not null do nothing`,
    [tenant, order, kind, amount, method, intent_id],
  );
}
