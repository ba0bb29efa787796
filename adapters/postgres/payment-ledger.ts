import type pg from 'pg';
import {
  type CallbackVerdict,
  type Charged,
  type ChargeStep,
  hasArrived,
  judgeCharge,
  type PaymentCallback,
  type PaymentLedger,
} from '../../domain/payments.ts';
import { receiveWithin } from './order-inbox.ts';
import { publishAboutMoney } from './order-settlement.ts';
import { publishWithin } from './outbox.ts';
import { book, intentOf, type IntentRow, lockIntent, selectIntent } from './payment-rows.ts';
import { inTenant, type Sql } from './pools.ts';
import { codeOf } from './roles.ts';

const FOREIGN_KEY_VIOLATION = '23503';

/** The books of payments in Postgres. Every change happens under the lock of the order. */
export function createPaymentLedger(pools: { readonly write: pg.Pool }): PaymentLedger {
  const write = <T>(tenant: string, work: (sql: Sql) => Promise<T>) => inTenant(pools.write, tenant, work);
  return {
    find: (tenant, intentId) =>
      write(tenant, async (sql) => {
        const row = await selectIntent(sql, intentId);
        return row && intentOf(row);
      }),
    beginCharge: (tenant, intentId) => write(tenant, (sql) => beginCharge(sql, intentId)),
    chargeGiftCard: (tenant, intentId) =>
      write(tenant, async (sql) => {
        const row = await lockIntent(sql, intentId);
        if (row === undefined) return undefined;
        if (row.state === 'charging') await chargeCard(sql, tenant, row);
        const now = await selectIntent(sql, intentId);
        return now && intentOf(now);
      }),
    settle: (tenant, intentId, charged) => write(tenant, (sql) => settle(sql, tenant, intentId, charged)),
    abandon: (tenant, intentId) =>
      write(tenant, async (sql) => {
        const row = await lockIntent(sql, intentId);
        if (row?.status === 'Cancelled' && (row.state === 'charging' || row.state === 'pending'))
          await setState(sql, intentId, 'cancelled');
      }),
    callback: (tenant, callback) => receive(write, tenant, callback),
    refundGiftCard: (tenant, intentId) =>
      write(tenant, async (sql) => {
        const row = await lockIntent(sql, intentId);
        if (row?.state !== 'refund_due') return;
        await sql.query('update payment_methods set balance = coalesce(balance, 0) + $2 where id = $1', [
          row.method,
          row.amount,
        ]);
        await closeRefund(sql, tenant, row, row.intent_id);
      }),
    refunded: (tenant, intentId, refundRef) =>
      write(tenant, async (sql) => {
        const row = await lockIntent(sql, intentId);
        if (row?.state === 'refund_due') await closeRefund(sql, tenant, row, refundRef);
      }),
  };
}

async function beginCharge(sql: Sql, intentId: string): Promise<ChargeStep> {
  const row = await lockIntent(sql, intentId);
  if (row === undefined) return { kind: 'nothing' };
  const mayCharge = row.status === 'PaymentPending' && !row.overdue;
  const intent = intentOf(row);
  if (row.state === 'charging') return { kind: 'look', intent, mayCharge };
  // The provider has it: asking it once more to charge can tell nothing new.
  if (row.state === 'pending') return { kind: 'look', intent, mayCharge: false };
  if (row.state !== 'requires_charge') return { kind: 'known', intent };
  if (!mayCharge) return { kind: 'nothing' };
  await setState(sql, intentId, 'charging');
  return { kind: 'charge', intent: { ...intent, state: 'charging' } };
}

async function setState(sql: Sql, intentId: string, state: string): Promise<void> {
  await sql.query('update payment_intents set state = $2 where intent_id = $1', [intentId, state]);
}

/** A gift card is ours: its balance and the intent change together, so its outcome is never unknown. */
async function chargeCard(sql: Sql, tenant: string, row: IntentRow): Promise<void> {
  if (row.status !== 'PaymentPending') return setState(sql, row.intent_id, 'cancelled');
  const { rowCount } = await sql.query(
    'update payment_methods set balance = balance - $2 where id = $1 and balance >= $2',
    [row.method, row.amount],
  );
  await settle(
    sql,
    tenant,
    row.intent_id,
    rowCount === 1
      ? { outcome: 'succeeded', chargeRef: row.intent_id }
      : { outcome: 'declined', chargeRef: null, code: 'insufficient_funds' },
  );
}

async function settle(sql: Sql, tenant: string, intentId: string, charged: Charged) {
  const row = await lockIntent(sql, intentId);
  if (row === undefined) return { verdict: 'unknown_intent' } as const;
  const { verdict, to } = judgeCharge(row.state, row.status === 'Cancelled', charged.outcome);
  if (to !== row.state) {
    await sql.query(
      `update payment_intents set state = $2, charge_ref = coalesce($3, charge_ref), decline_code = $4
        where intent_id = $1`,
      [intentId, to, charged.chargeRef, charged.outcome === 'declined' ? charged.code : null],
    );
    if (hasArrived(row.state, to)) await book(sql, tenant, row, 'payment');
    if (charged.outcome !== 'pending') await tell(sql, tenant, row, charged.outcome);
    if (charged.outcome !== 'pending') await publishSettled(sql, tenant, row, charged);
    if (to === 'refund_due') await publishAboutMoney(sql, tenant, 'refund_due', intentId, row.order_id);
  }
  const intent = { ...intentOf(row), state: to, chargeRef: charged.chargeRef ?? row.charge_ref };
  return { verdict, intent };
}

/** Money that must go back was a success, too: the order refuses it, and that is on record. */
async function tell(
  sql: Sql,
  tenant: string,
  { intent_id, order_id, provider }: IntentRow,
  outcome: 'succeeded' | 'declined',
): Promise<void> {
  const kind = outcome === 'succeeded' ? 'payment_succeeded' : 'payment_failed';
  await receiveWithin(sql, tenant, {
    eventId: `payment:${intent_id}:${outcome}`,
    orderId: order_id,
    kind,
    happenedAt: new Date().toISOString(),
    source: 'payment',
    actor: provider,
    ...(kind === 'payment_failed' ? { cause: 'declined' } : {}),
  });
}

async function publishSettled(
  sql: Sql,
  tenant: string,
  { intent_id, order_id }: IntentRow,
  charged: Charged,
): Promise<void> {
  await publishWithin(sql, tenant, [
    {
      eventId: `${intent_id}:${charged.outcome}`,
      topic: 'payment_settled',
      version: 1,
      key: order_id,
      payload: {
        order_id,
        intent_id,
        outcome: charged.outcome,
        ...(charged.outcome === 'declined' ? { code: charged.code } : {}),
      },
      at: new Date().toISOString(),
    },
  ]);
}

async function closeRefund(sql: Sql, tenant: string, row: IntentRow, refundRef: string): Promise<void> {
  await sql.query(`update payment_intents set state = 'refunded', refund_ref = $2 where intent_id = $1`, [
    row.intent_id,
    refundRef,
  ]);
  await book(sql, tenant, row, 'refund');
}

type Write = <T>(tenant: string, work: (sql: Sql) => Promise<T>) => Promise<T>;

/** Judged and kept in one transaction; a repeat of its id finds the row and changes nothing. */
async function receive(
  write: Write,
  tenant: string,
  callback: PaymentCallback,
): ReturnType<PaymentLedger['callback']> {
  try {
    return await write(tenant, async (sql) => {
      // The order's lock comes first, so that two deliveries of one event are judged one after the other.
      const row = await lockIntent(sql, callback.intentId);
      if (await isKept(sql, callback))
        return { verdict: 'repeated' as const, ...(row ? { intent: intentOf(row) } : {}) };
      const judged = await judge(sql, tenant, row, callback);
      await keep(sql, tenant, callback, judged.verdict);
      return judged;
    });
  } catch (error) {
    // The only parent of a callback is its shop.
    if (codeOf(error) === FOREIGN_KEY_VIOLATION) return { verdict: 'unknown_shop' };
    throw error;
  }
}

async function judge(
  sql: Sql,
  tenant: string,
  row: IntentRow | undefined,
  { intentId, charged, amount }: PaymentCallback,
) {
  if (row === undefined) return { verdict: 'unknown_intent' as const };
  const { amount: asked } = intentOf(row);
  const fits =
    amount === undefined || (amount.amountMinor === asked.amountMinor && amount.currency === asked.currency);
  if (!fits) return { verdict: 'mismatch' as const, intent: intentOf(row) };
  return settle(sql, tenant, intentId, charged);
}

async function isKept(sql: Sql, { provider, eventId }: PaymentCallback): Promise<boolean> {
  const { rowCount } = await sql.query(
    'select from payment_callbacks where provider = $1 and event_id = $2',
    [provider, eventId],
  );
  return rowCount === 1;
}

async function keep(
  sql: Sql,
  tenant: string,
  { provider, eventId, intentId, charged }: PaymentCallback,
  verdict: CallbackVerdict,
): Promise<void> {
  await sql.query(
    `insert into payment_callbacks (shop_id, provider, event_id, intent_id, outcome, verdict)
          values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [tenant, provider, eventId, intentId, charged.outcome, verdict],
  );
}
