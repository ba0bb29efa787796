import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { refundPayment } from '../../activities/payments/refund-payment.ts';
import { createCardProcessor } from '../../adapters/payments/card-processor.ts';
import { createPaymentLedger } from '../../adapters/postgres/payment-ledger.ts';
import { createPaymentSweep } from '../../adapters/postgres/payment-sweep.ts';
import type { OrderState } from '../../domain/orders.ts';
import { type IntentState, moneyEventId, type Unsettled } from '../../domain/payments.ts';
import { type PaymentSimulator, startPaymentSimulator } from '../../simulator/payments/server.ts';
import { settlePayments, settlingId } from '../../workers/settle-payments.ts';
import { openRoom, type Room } from '../approvals/room.ts';
import { eventually } from '../chaos/eventually.ts';
import { orderBook, type OrderBook } from '../support/orders.ts';
import { openStage, type Stage } from './stage.ts';
import { sweeping } from './sweeping.ts';

const KEY = 'sk_test';
const AMOUNT = { amount: 10, currency: 'JPY', method: 'tok_approve', metadata: {} };
/** What was taken is written down where it is known to have been. */
const TAKEN: ReadonlySet<IntentState> = new Set(['succeeded', 'refund_due', 'refunded']);

/** An order in `status` whose payment is in `state`, as checkout, lifecycle and provider leave it. */
async function payment(
  book: OrderBook,
  status: OrderState,
  state: IntentState,
  {
    intentId = `pi_${randomUUID()}`,
    chargeRef = null,
  }: { intentId?: string; chargeRef?: string | null } = {},
) {
  const { order, orderId } = await book.place(status);
  await book.query(
    `with method as (
       insert into payment_methods (shop_id, payment_method_id, customer_id, kind)
       select $1, 'pm_' || $2, customer_id, 'credit_card' from orders where id = $3 returning id)
     insert into payment_intents (shop_id, intent_id, order_id, payment_method_id, provider, amount, currency, state, charge_ref)
     select $1, $2, $3, method.id, 'card', 10, 'JPY', $4, $5 from method`,
    [book.tenant, intentId, order, state, chargeRef],
  );
  return { tenant: book.tenant, intentId, orderId };
}

type Payment = Awaited<ReturnType<typeof payment>>;

/** A worker that starts, and a circuit that has to close again, take their time. */
const comesTrue = (isSo: () => Promise<boolean>, what: string) => eventually(what, isSo, 60);

/** Class of defect: money of a customer that is lost with the workflow that should have given it back. */
describe('the sweep of payments', function () {
  this.timeout(180_000);
  let stage: Stage;
  let book: OrderBook;
  let there: OrderBook;
  let simulator: PaymentSimulator;
  let stops: { stop(): Promise<void> }[];
  before(async () => {
    stage = await openStage();
    book = await orderBook(stage.room.pools, 'manga');
    there = await orderBook(stage.room.pools, 'other', 'shopper of other');
    simulator = await startPaymentSimulator({ port: 0, key: KEY, webhook: () => undefined });
  });
  beforeEach(() => {
    stops = [];
  });
  afterEach(async () => {
    for (const one of stops) await one.stop();
    await control('none');
  });
  after(async () => {
    await simulator.stop();
    await stage.close();
  });

  const control = (fault: string) =>
    fetch(`${simulator.url}/_control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ fault }),
    });
  const ledger = () => createPaymentLedger(stage.room.pools);
  const work = async () => {
    const provider = createCardProcessor({ url: simulator.url, key: KEY, attemptMs: 2_000 });
    const refund = refundPayment({ ledger: ledger(), provider });
    stops.push(await stage.work({ activities: { refund_payment: refund } }));
  };
  const sweep = () => {
    stops.unshift(sweeping(stage));
  };
  const handle = ({ tenant, intentId }: Payment, topic: Unsettled['topic'] = 'refund_due') =>
    stage.temporal.client.workflow.getHandle(
      settlingId({ tenant, eventId: moneyEventId({ intentId, topic }) }),
    );
  /** As the outbox does it. */
  const react = ({ tenant, intentId, orderId }: Payment, topic: Unsettled['topic'] = 'refund_due') =>
    settlePayments(stage.temporal).react({
      eventId: moneyEventId({ intentId, topic }),
      topic,
      version: 1,
      key: orderId,
      payload: { order_id: orderId, intent_id: intentId },
      at: new Date().toISOString(),
      tenant,
      position: 1,
    });
  /** The provider has the money. */
  const paid = (state: IntentState, status: OrderState = 'Cancelled', shop = book) => {
    const intentId = `pi_${randomUUID()}`;
    const done = simulator.books.charge(intentId, AMOUNT);
    assert.ok(done !== 'conflict');
    return payment(shop, status, state, { intentId, chargeRef: TAKEN.has(state) ? done.charge.id : null });
  };
  const stateOf = async ({ tenant, intentId }: Payment) => (await ledger().find(tenant, intentId))?.state;
  const refunds = ({ intentId }: Payment) =>
    simulator.books.refunds().filter(({ idempotency_key }) => idempotency_key === `${intentId}:refund`)
      .length;
  const booked = async ({ intentId }: Payment) =>
    (await book.query(`select from order_payments where intent_id = $1 and kind = 'refund'`, [intentId]))
      .length;
  const isRefunded = (due: Payment) =>
    comesTrue(async () => (await stateOf(due)) === 'refunded', `${due.intentId} to be refunded`);

  it('gives back, once, what a terminated run did not', async () => {
    const due = await paid('refund_due');
    await react(due);
    await handle(due).terminate('by hand');
    await work();
    sweep();
    await isRefunded(due);
    assert.deepEqual([refunds(due), await booked(due)], [1, 1]);
  });

  it('gives back what a run left that was over before the money was due', async () => {
    const due = await paid('succeeded', 'Confirmed');
    await work();
    await react(due);
    assert.equal(await handle(due).result(), 'succeeded');
    await book.query(`update payment_intents set state = 'refund_due' where intent_id = $1`, [due.intentId]);
    sweep();
    await isRefunded(due);
    assert.deepEqual([refunds(due), await booked(due)], [1, 1]);
  });

  it('gives back what no run was ever started for', async () => {
    const due = await paid('refund_due', 'Refunded');
    await work();
    sweep();
    await isRefunded(due);
  });

  it('gives back once, although every message comes again and several sweep', async () => {
    const due = await paid('refund_due');
    await work();
    for (let n = 0; n < 3; n += 1) sweep();
    await Promise.all([react(due), react(due)]);
    await isRefunded(due);
    await react(due);
    assert.equal(await handle(due).result(), 'refunded');
    assert.deepEqual([refunds(due), await booked(due)], [1, 1]);
  });

  it('finds out what became of a charge whose order is over and whose run was terminated', async () => {
    const [taken, never] = [await paid('charging'), await payment(book, 'Cancelled', 'charging')];
    for (const one of [taken, never]) {
      await react(one, 'payment_unresolved');
      await handle(one, 'payment_unresolved').terminate('by hand');
    }
    await work();
    sweep();
    await isRefunded(taken);
    await comesTrue(async () => (await stateOf(never)) === 'cancelled', 'the other to be given up');
    assert.deepEqual([refunds(taken), refunds(never)], [1, 0]);
  });

  it('leaves the charge of a living order to its lifecycle', async () => {
    const living = [
      await payment(book, 'PaymentPending', 'charging'),
      await payment(book, 'PaymentPending', 'pending'),
      await payment(book, 'Confirmed', 'succeeded'),
    ];
    const due = await paid('refund_due');
    await work();
    sweep();
    await isRefunded(due);
    // Written after the round that found the first: the sweep has gone on past it.
    const next = await paid('refund_due');
    await isRefunded(next);
    for (const one of living)
      for (const topic of ['refund_due', 'payment_unresolved'] as const)
        await assert.rejects(handle(one, topic).describe(), { name: 'WorkflowNotFoundError' });
    assert.deepEqual(await Promise.all(living.map(stateOf)), ['charging', 'pending', 'succeeded']);
  });

  it('gives back in every shop', async () => {
    const due = [await paid('refund_due'), await paid('refund_due', 'Cancelled', there)];
    await work();
    sweep();
    for (const one of due) await isRefunded(one);
  });

  it('gives back when the provider, which was down meanwhile, is there again', async () => {
    const due = await paid('refund_due');
    await control('down');
    await react(due);
    await work();
    await comesTrue(
      async () => ((await handle(due).describe()).raw.pendingActivities?.[0]?.attempt ?? 0) > 1,
      'a failure',
    );
    await handle(due).terminate('by hand');
    sweep();
    await comesTrue(async () => (await handle(due).describe()).status.name === 'RUNNING', 'another run');
    assert.equal(refunds(due), 0);
    await control('none');
    await isRefunded(due);
    assert.deepEqual([refunds(due), await booked(due)], [1, 1]);
  });
});

describe('which payments are swept', () => {
  let room: Room;
  let book: OrderBook;
  before(async () => {
    room = await openRoom();
    book = await orderBook(room.pools, 'manga');
  });
  after(() => room.drop());

  const unsettled = (graceSeconds: number, limit = 1_000, after?: Unsettled) =>
    createPaymentSweep(room.pools).unsettled(graceSeconds, limit, after);

  for (const [status, state, topic] of [
    ['Cancelled', 'refund_due', 'refund_due'],
    ['Refunded', 'refund_due', 'refund_due'],
    ['Confirmed', 'refund_due', 'refund_due'],
    ['Cancelled', 'charging', 'payment_unresolved'],
    ['Cancelled', 'pending', 'payment_unresolved'],
    ['PaymentPending', 'charging', undefined],
    ['PaymentPending', 'pending', undefined],
    ['Cancelled', 'cancelled', undefined],
    ['Cancelled', 'declined', undefined],
    ['Cancelled', 'refunded', undefined],
    ['Confirmed', 'succeeded', undefined],
  ] as const)
    it(`${topic === undefined ? 'leaves out' : 'names'} ${state} of an order that is ${status}`, async () => {
      const { intentId } = await payment(book, status, state);
      const found = (await unsettled(0)).find((one) => one.intentId === intentId);
      assert.equal(found?.topic, topic);
    });

  it('leaves out what has changed just now', async () => {
    await payment(book, 'Cancelled', 'refund_due');
    assert.deepEqual(await unsettled(60), []);
  });

  it('comes in pages that leave nothing out, over all shops', async () => {
    const other = await orderBook(room.pools, 'other', 'shopper of other');
    await payment(other, 'Cancelled', 'refund_due');
    const whole = await unsettled(0);
    assert.equal(new Set(whole.map(({ tenant }) => tenant)).size, 2);
    const paged: Unsettled[] = [];
    for (let page = await unsettled(0, 1); page.length > 0; page = await unsettled(0, 1, page.at(-1)))
      paged.push(...page);
    assert.deepEqual(paged, whole);
  });
});
