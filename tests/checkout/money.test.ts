import assert from 'node:assert/strict';
import { chargePayment } from '../../activities/payments/charge-payment.ts';
import { refundPayment } from '../../activities/payments/refund-payment.ts';
import { createCardProcessor } from '../../adapters/payments/card-processor.ts';
import { settleTransition } from '../../adapters/postgres/order-settlement.ts';
import { createPaymentLedger } from '../../adapters/postgres/payment-ledger.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { checkData } from '../../adapters/postgres/upkeep/check.ts';
import type { PaymentCallback, PaymentLedger, PaymentProvider } from '../../domain/payments.ts';
import { PaymentUnknown } from '../../domain/payments.ts';
import { type PaymentSimulator, startPaymentSimulator } from '../../simulator/payments/server.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import type { Rows } from '../support/rows.ts';
import { ask, checkoutOn, everything, openStore, request, shelves } from './shop.ts';

const KEY = 'sk_test';

describe('the money of an order', () => {
  let db: TestDatabase;
  let rows: Rows;
  let shop: string;
  let simulator: PaymentSimulator;
  let ledger: PaymentLedger;
  let provider: PaymentProvider;
  let shops = 0;
  before(async () => {
    db = await freshDatabase();
    simulator = await startPaymentSimulator({
      port: 0,
      key: KEY,
      webhook: () => undefined,
      pendingMs: 3_600_000,
    });
    ledger = createPaymentLedger(db.pools);
  });
  after(async () => {
    await simulator.stop();
    await db.drop();
  });
  beforeEach(async () => {
    shop = `shop_${(shops += 1)}`;
    rows = await openStore(db, shop);
    await rows.position({ sku: 'T-1', warehouse: 'A', quantity: 5 });
    await control({ fault: 'none' });
    // A client of its own for each test: the circuit that one test opens is not the next one's.
    provider = createCardProcessor({
      url: simulator.url,
      key: KEY,
      attemptMs: 150,
      deadlineMs: 1500,
      backoffMs: 10,
    });
  });

  const control = (body: object) =>
    fetch(`${simulator.url}/_control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  /** An order of two units that waits for its money, paid with the processor's card of this name. */
  async function waiting(card = 'tok_approve', paymentMethodId = 'pm_1'): Promise<string> {
    await rows.run('update payment_methods set provider_ref = $1 where kind = $2', [card, 'credit_card']);
    const { orderId } = await checkoutOn(db).place(
      request(shop, { items: [{ sku: 'T-1', quantity: 2 }], paymentMethodId }),
    );
    await rows.run(`update orders set status = 'PaymentPending' where order_id = $1`, [orderId]);
    const [intent] = await ask<{ intent_id: string }>(
      db,
      shop,
      `select intent_id from payment_intents i join orders o on o.id = i.order_id where o.order_id = $1`,
      [orderId],
    );
    return intent?.intent_id ?? '';
  }
  const charge = (intentId: string, by: PaymentProvider | undefined = provider) =>
    chargePayment({ ledger, provider: by })({ tenant: shop, intentId });
  const refund = (intentId: string) => refundPayment({ ledger, provider })({ tenant: shop, intentId });
  const charged = (intentId: string) =>
    simulator.books.charges().filter(({ idempotency_key }) => idempotency_key === intentId);
  const refunds = (intentId: string) =>
    simulator.books.refunds().filter(({ idempotency_key }) => idempotency_key === `${intentId}:refund`);
  const told = async () =>
    (await ask<{ kind: string }>(db, shop, 'select kind from order_events order by id')).map(
      ({ kind }) => kind,
    );
  const booked = async () =>
    (
      await ask<{ text: string }>(
        db,
        shop,
        `select kind || ' ' || amount as text from order_payments order by seq`,
      )
    ).map(({ text }) => text);
  const topics = async () =>
    (
      await ask<{ topic: string }>(
        db,
        shop,
        `select topic from event_outbox where topic in ('refund_due', 'payment_unresolved', 'payment_settled') order by topic`,
      )
    ).map(({ topic }) => topic);
  const stateOf = async (intentId: string) => (await ledger.find(shop, intentId))?.state;
  /** As the lifecycle does it: status and settlement in one transaction. */
  const move = (from: 'PaymentPending' | 'ReturnInitiated', to: 'Cancelled' | 'Refunded') =>
    inTenant(db.pools.write, shop, async (sql) => {
      const { rows: orders } = await sql.query<{ id: string }>('select id from orders for update');
      const [order] = orders;
      await sql.query('update orders set status = $1', [to]);
      await sql.query(
        `insert into order_status_history (shop_id, order_id, from_status, to_status, at, cause, actor)
         values ($1, $2, $3, $4, '2027-01-01', 'test', 'test')`,
        [shop, order?.id, from, to],
      );
      await settleTransition(sql, shop, { orderId: order?.id ?? '', from, to, event: { eventId: 'e' } });
    });

  describe('charged', () => {
    it('is asked for once, written down once, and told to the order once', async () => {
      const intent = await waiting();
      const states = [await charge(intent), await charge(intent)];
      assert.deepEqual(
        [states, charged(intent).length, await booked(), await told()],
        [['succeeded', 'succeeded'], 1, ['payment 1400.00'], ['payment_succeeded']],
      );
    });

    it('is asked for once by two workers at the same time', async () => {
      const intent = await waiting();
      await Promise.all([charge(intent), charge(intent), charge(intent)]);
      assert.deepEqual([charged(intent).length, await told()], [1, ['payment_succeeded']]);
    });

    it('tells the order when the card is declined, and why', async () => {
      const intent = await waiting('tok_decline');
      assert.equal(await charge(intent), 'declined');
      const [row] = await ask(db, shop, 'select decline_code from payment_intents');
      assert.deepEqual([row, await told()], [{ decline_code: 'insufficient_funds' }, ['payment_failed']]);
    });

    it('is found again when the answer was lost, and not charged twice', async () => {
      const intent = await waiting('tok_lost');
      assert.equal(await charge(intent), 'succeeded');
      assert.equal(charged(intent).length, 1);
    });

    for (const fault of ['down', 'garbage', 'reset', 'hang', 'rate_limited'] as const) {
      it(`is unknown while the processor’s fault is ${fault}, and known when it is asked again`, async () => {
        const intent = await waiting();
        await control({ fault });
        await assert.rejects(charge(intent), PaymentUnknown);
        assert.deepEqual([await stateOf(intent), await told()], ['charging', []]);
        await control({ fault: 'none' });
        const again = createCardProcessor({ url: simulator.url, key: KEY });
        assert.equal(await charge(intent, again), 'succeeded');
        assert.equal(charged(intent).length, 1);
      });
    }

    it('is not asked for before the order waits for money, nor after its time', async () => {
      const intent = await waiting();
      await rows.run(`update orders set payment_due_at = now() - interval '1 second'`);
      assert.deepEqual([await charge(intent), charged(intent).length], [undefined, 0]);
    });

    it('is declined where there is no processor', async () => {
      const intent = await waiting();
      assert.equal(
        await chargePayment({ ledger, provider: undefined })({ tenant: shop, intentId: intent }),
        'declined',
      );
    });

    it('does nothing for an intent of another shop, or of none', async () => {
      const intent = await waiting();
      await openStore(db, `${shop}_other`);
      const task = chargePayment({ ledger, provider });
      assert.equal(await task({ tenant: `${shop}_other`, intentId: intent }), undefined);
      assert.equal(await task({ tenant: shop, intentId: 'pi_none' }), undefined);
    });

    it('takes a gift card’s balance once, and no more than it holds', async () => {
      const intent = await waiting('tok_approve', 'gc_1');
      await Promise.all([charge(intent), charge(intent)]);
      const [card] = await ask(db, shop, `select balance from payment_methods where kind = 'gift_card'`);
      assert.deepEqual(card, { balance: '3600.00' });
      await rows.run(`update payment_methods set balance = 1 where kind = 'gift_card'`);
      assert.equal(await charge(await waiting('tok_approve', 'gc_1')), 'declined');
    });
  });

  describe('of an order that is cancelled', () => {
    it('puts the units back where they came from, once, however often it is settled', async () => {
      await waiting('tok_decline');
      await move('PaymentPending', 'Cancelled');
      await inTenant(db.pools.write, shop, async (sql) => {
        const { rows: orders } = await sql.query<{ id: string }>('select id from orders');
        for (let n = 0; n < 3; n += 1)
          await settleTransition(sql, shop, {
            orderId: orders[0]?.id ?? '',
            from: 'PaymentPending',
            to: 'Cancelled',
            event: { eventId: 'e' },
          });
      });
      assert.equal(await shelves(db, shop, 'T-1'), 'A:5');
    });

    it('keeps every rule that the data must keep', async () => {
      const intent = await waiting();
      await charge(intent);
      await move('PaymentPending', 'Cancelled');
      await refund(intent);
      // These tests move orders by hand, without the history that the lifecycle keeps.
      const broken = (await checkData(db.pools)).filter(
        ({ check, violations }) => violations > 0 && check !== 'order_status_is_the_last_of_its_history',
      );
      assert.deepEqual(broken, []);
    });

    it('is never asked for when nobody has been asked yet', async () => {
      const intent = await waiting();
      await move('PaymentPending', 'Cancelled');
      assert.deepEqual(
        [await charge(intent), await stateOf(intent), await topics()],
        ['cancelled', 'cancelled', []],
      );
    });

    it('goes back once, when it had arrived', async () => {
      const intent = await waiting();
      await charge(intent);
      await move('PaymentPending', 'Cancelled');
      assert.deepEqual(await topics(), ['payment_settled', 'refund_due']);
      await Promise.all([refund(intent), refund(intent)]);
      await refund(intent);
      assert.deepEqual(
        [refunds(intent).length, await booked(), await stateOf(intent)],
        [1, ['payment 1400.00', 'refund 1400.00'], 'refunded'],
      );
    });

    it('is looked for where the answer was lost, and goes back when it was taken', async () => {
      const intent = await waiting();
      await control({ fault: 'down' });
      await assert.rejects(charge(intent), PaymentUnknown);
      await control({ fault: 'none' });
      // The processor did get it.
      simulator.books.charge(intent, {
        amount: 1400,
        currency: 'JPY',
        method: 'tok_approve',
        metadata: {},
      });
      await move('PaymentPending', 'Cancelled');
      assert.deepEqual(await topics(), ['payment_unresolved']);
      assert.equal(await settled(intent), 'refunded');
      assert.deepEqual([refunds(intent).length, await told()], [1, ['payment_succeeded']]);
    });

    it('is left alone where the answer was lost and nothing was taken', async () => {
      const intent = await waiting();
      await control({ fault: 'down' });
      await assert.rejects(charge(intent), PaymentUnknown);
      await control({ fault: 'none' });
      await move('PaymentPending', 'Cancelled');
      assert.equal(await settled(intent), 'cancelled');
    });

    it('goes back to the gift card', async () => {
      const intent = await waiting('tok_approve', 'gc_1');
      await charge(intent);
      await move('PaymentPending', 'Cancelled');
      await Promise.all([refund(intent), refund(intent)]);
      const [card] = await ask(db, shop, `select balance from payment_methods where kind = 'gift_card'`);
      assert.deepEqual(card, { balance: '5000.00' });
    });

    const settled = (intent: string) =>
      refundPayment({ ledger, provider: createCardProcessor({ url: simulator.url, key: KEY }) })({
        tenant: shop,
        intentId: intent,
      });
  });

  it('is written down as refunded with the transition, and goes back once', async () => {
    const intent = await waiting();
    await charge(intent);
    for (const status of ['Confirmed', 'Packed', 'Shipped', 'DeliveryFailed', 'ReturnInitiated'])
      await rows.run('update orders set status = $1', [status]);
    await move('ReturnInitiated', 'Refunded');
    assert.deepEqual(await booked(), ['payment 1400.00', 'refund 1400.00']);
    await refund(intent);
    assert.deepEqual([await booked(), refunds(intent).length], [['payment 1400.00', 'refund 1400.00'], 1]);
  });

  describe('as the processor calls back about it', () => {
    let event = 0;
    const callback = (
      intentId: string,
      outcome: 'succeeded' | 'declined' | 'pending',
      more: Partial<PaymentCallback> = {},
    ) =>
      ledger.callback(shop, {
        provider: 'card',
        eventId: `evt-${(event += 1)}`,
        intentId,
        charged:
          outcome === 'declined'
            ? { outcome, chargeRef: 'ch', code: 'declined' }
            : { outcome, chargeRef: 'ch' },
        amount: { amountMinor: 1400, currency: 'JPY' },
        ...more,
      });

    it('is settled by the callback of a charge that took its time', async () => {
      const intent = await waiting('tok_pending');
      assert.equal(await charge(intent), 'pending');
      assert.deepEqual(await told(), []);
      assert.equal((await callback(intent, 'succeeded')).verdict, 'applied');
      assert.deepEqual([await told(), await booked()], [['payment_succeeded'], ['payment 1400.00']]);
    });

    it('is settled once by the same callback twice, at the same time, too', async () => {
      const intent = await waiting('tok_pending');
      await charge(intent);
      const twice = { eventId: 'evt-twice' };
      const verdicts = await Promise.all([
        callback(intent, 'succeeded', twice),
        callback(intent, 'succeeded', twice),
      ]);
      assert.deepEqual(verdicts.map(({ verdict }) => verdict).sort(), ['applied', 'repeated']);
      assert.deepEqual([await told(), await booked()], [['payment_succeeded'], ['payment 1400.00']]);
    });

    it('goes back when the callback comes after the cancellation', async () => {
      const intent = await waiting('tok_pending');
      await charge(intent);
      await move('PaymentPending', 'Cancelled');
      assert.equal((await callback(intent, 'succeeded')).verdict, 'late');
      assert.deepEqual([await stateOf(intent), await told()], ['refund_due', ['payment_succeeded']]);
    });

    it('stays ours when a success is followed by a refusal, which is kept', async () => {
      const intent = await waiting();
      await charge(intent);
      assert.equal((await callback(intent, 'declined')).verdict, 'contradictory');
      assert.deepEqual([await stateOf(intent), await told()], ['succeeded', ['payment_succeeded']]);
    });

    it('goes back when a refusal is followed by a success', async () => {
      const intent = await waiting('tok_decline');
      await charge(intent);
      assert.equal((await callback(intent, 'succeeded')).verdict, 'contradictory');
      assert.deepEqual(
        [await stateOf(intent), await told()],
        ['refund_due', ['payment_failed', 'payment_succeeded']],
      );
    });

    it('is not settled by a callback about another amount, or in another currency', async () => {
      const intent = await waiting('tok_pending');
      await charge(intent);
      const before = await everything(db, shop);
      const verdicts = [
        await callback(intent, 'succeeded', { amount: { amountMinor: 1, currency: 'JPY' } }),
        await callback(intent, 'succeeded', { amount: { amountMinor: 1400, currency: 'USD' } }),
      ];
      assert.deepEqual(
        verdicts.map(({ verdict }) => verdict),
        ['mismatch', 'mismatch'],
      );
      assert.equal(await everything(db, shop), before);
    });

    it('is not found by a callback about an unknown intent or shop, and both end harmlessly', async () => {
      assert.equal((await callback('pi_none', 'succeeded')).verdict, 'unknown_intent');
      const stranger = await ledger.callback('no_shop', {
        provider: 'card',
        eventId: 'evt',
        intentId: 'pi_none',
        charged: { outcome: 'pending', chargeRef: 'ch' },
      });
      assert.equal(stranger.verdict, 'unknown_shop');
    });

    it('has every callback on record, with what came of it', async () => {
      const intent = await waiting();
      await charge(intent);
      await callback(intent, 'succeeded');
      await callback(intent, 'declined');
      const kept = await ask<{ text: string }>(
        db,
        shop,
        `select outcome || ' ' || verdict as text from payment_callbacks order by received_at`,
      );
      assert.deepEqual(
        kept.map(({ text }) => text),
        ['succeeded known', 'declined contradictory'],
      );
    });
  });
});
