import assert from 'node:assert/strict';
import type { IntentState } from '../../domain/payments.ts';
import { ORDER_EVENT, queueName, WORKFLOWS } from '../../domain/queues.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { lifecycleId } from '../../workers/wake-orders.ts';
import type { Life } from '../support/orders.ts';
import { orderStage, type OrderStage } from './order-stage.ts';
import { brokenPayload, openStage, silent, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let orders: OrderStage;

/** The first task is done, and with it the first look. */
const looked = (life: Life) =>
  until(async () => (await orders.handle(life).describe()).historyLength > 4, 'the first look');

const inState = (life: Life, state: string) =>
  until(async () => (await orders.state(life)) === state, `the order to be ${state}`);

describe('orderLifecycle', function () {
  this.timeout(120_000);
  before(async () => {
    stage = await openStage();
    orders = await orderStage(stage);
  });
  after(() => stage.close());

  describe('with a worker', () => {
    let stop: () => Promise<void>;
    before(async () => {
      const worker = await orders.work();
      stop = () => worker.stop();
    });
    after(() => stop());

    it('brings an order from Placed to Delivered, woken by nothing but the outbox', async () => {
      const dispatcher = startDispatcher({
        pools: stage.room.pools,
        reactions: [orders.reaction],
        sinks: [],
        log: silent,
        pollMs: 50,
      });
      try {
        const life = await orders.place('Placed', 60_000);
        await orders.tell(life, 'payment_succeeded');
        await inState(life, 'Confirmed');
        for (const kind of ['packed', 'shipped', 'delivered'] as const) await orders.tell(life, kind);
        assert.equal(await orders.ended(life), 'Delivered');
        assert.equal((await orders.walked(life)).at(-2), 'Shipped>OutForDelivery?');
      } finally {
        await dispatcher.stop();
      }
    });

    it('is one for an order, however often it is woken', async () => {
      const life = await orders.place('Confirmed');
      await orders.tell(life, 'packed');
      await Promise.all(Array.from({ length: 5 }, () => orders.wake(life)));
      await inState(life, 'Packed');
      const first = (await orders.handle(life).describe()).runId;
      await orders.wake(life);
      assert.equal((await orders.handle(life).describe()).runId, first);
      assert.deepEqual(await orders.walked(life), ['Confirmed>Packed']);
    });

    it('ends at once for an order that is finished, with the event on record', async () => {
      const life = await orders.place('Delivered');
      await orders.tell(life, 'return_initiated');
      await orders.wake(life);
      assert.equal(await orders.ended(life), 'Delivered');
      assert.deepEqual(
        (await orders.told(life)).map(({ verdict, reason }) => [verdict, reason]),
        [['refused', 'order_finished']],
      );
    });

    it('begins again when something is told after its end', async () => {
      const life = await orders.place('OutForDelivery');
      for (const kind of ['delivered', 'delivery_failed'] as const) {
        await orders.tell(life, kind);
        await orders.wake(life);
        assert.equal(await orders.ended(life), 'Delivered');
      }
      assert.deepEqual(
        (await orders.told(life)).map(({ verdict }) => verdict),
        ['applied', 'refused'],
      );
    });

    it('gives up an order that nobody pays', async () => {
      const life = await orders.place('Placed', 400);
      await orders.wake(life);
      assert.equal(await orders.ended(life), 'Cancelled');
      assert.deepEqual(await orders.walked(life), ['Placed>PaymentPending', 'PaymentPending>Cancelled']);
    });

    it('forgets the timer of an order that is paid', async () => {
      const life = await orders.place('Placed', 700);
      await orders.tell(life, 'payment_succeeded');
      await orders.wake(life);
      await inState(life, 'Confirmed');
      const { events = [] } = await orders.handle(life).fetchHistory();
      assert.ok((events ?? []).every((event) => !event.timerFiredEventAttributes));
      await until(async () => Date.now() > (await dueAt(life)), 'the time to be over');
      assert.equal(await orders.state(life), 'Confirmed');
    });

    it('shows people what the order is doing', async () => {
      const life = await orders.place('Placed', 60_000);
      await orders.wake(life);
      await inState(life, 'PaymentPending');
      const page = () =>
        orders
          .handle(life)
          .query('__temporal_workflow_metadata')
          .then((it) => JSON.stringify(it));
      await until(async () => (await page()).includes('PaymentPending'), 'the page');
      for (const part of [life.orderId, 'We are waiting for your payment.', 'payment_requested'])
        assert.ok((await page()).includes(part), part);
      assert.equal(await (await orders.handle(life).describe()).staticSummary(), `Order ${life.orderId}`);
    });

    it('lets nobody who reaches Temporal move an order', async () => {
      const life = await orders.place('Confirmed');
      await orders.wake(life);
      const handle = orders.handle(life);
      await handle.signal(ORDER_EVENT, { event_id: 'forged', kind: 'delivered', state: 'Delivered' });
      await handle.signal(ORDER_EVENT, 'Delivered');
      await stage.temporal.client.workflowService.signalWorkflowExecution({
        namespace: stage.temporal.namespace,
        workflowExecution: { workflowId: lifecycleId(life) },
        signalName: ORDER_EVENT,
        input: { payloads: [brokenPayload()] },
      });
      await orders.tell(life, 'packed');
      await orders.wake(life);
      await inState(life, 'Packed');
      assert.deepEqual(await orders.walked(life), ['Confirmed>Packed']);
    });

    it('is not ended by being cancelled in Temporal', async () => {
      const life = await orders.place('Confirmed');
      await orders.wake(life);
      await looked(life);
      await orders.handle(life).cancel();
      await orders.tell(life, 'delivered');
      await orders.wake(life);
      assert.equal(await orders.ended(life), 'Delivered');
    });

    it('does nothing for an order that is not there, or is no order', async () => {
      for (const forged of [
        { tenant: 'manga', order: '99999999' },
        { tenant: 'manga' },
        'order',
        null,
        undefined,
      ]) {
        const handle = await stage.temporal.client.workflow.start(WORKFLOWS.order, {
          workflowId: `forged-${JSON.stringify(forged)}`,
          taskQueue: queueName(stage.temporal.queuePrefix, 'lifecycle'),
          args: [forged],
        });
        assert.equal(await handle.result(), 'unknown', JSON.stringify(forged));
      }
    });

    it('goes on in a new run under a flood of signals, and still takes events', async () => {
      const life = await orders.place('Confirmed');
      await orders.wake(life);
      const first = (await orders.handle(life).describe()).runId;
      // Temporal suggests a new run after some four thousand events; it cannot begin while signals rain.
      while ((await orders.handle(life).describe()).historyLength < 4_200)
        await Promise.all(Array.from({ length: 200 }, () => orders.handle(life).signal(ORDER_EVENT)));
      await until(async () => (await orders.handle(life).describe()).runId !== first, 'a new run');
      await orders.tell(life, 'delivered');
      await orders.wake(life);
      assert.equal(await orders.ended(life), 'Delivered');
    });
  });

  it('keeps the time while no worker runs', async () => {
    const first = await orders.work();
    const life = await orders.place('Placed', 1_500);
    await orders.wake(life);
    await inState(life, 'PaymentPending');
    await first.stop();
    await until(async () => Date.now() > (await dueAt(life)), 'the time to be over');
    assert.equal(await orders.state(life), 'PaymentPending');
    const second = await orders.work();
    assert.equal(await orders.ended(life), 'Cancelled');
    await second.stop();
  });

  describe('and money', () => {
    it('asks for it once, and follows what comes of it', async () => {
      const life = await orders.place('Placed', 60_000);
      const intent = await orders.intend(life);
      const asked: string[] = [];
      const worker = await orders.work(async ({ intentId }): Promise<IntentState> => {
        asked.push(intentId);
        await orders.tell(life, 'payment_succeeded', { eventId: `payment:${intentId}` });
        return 'succeeded';
      });
      await orders.wake(life);
      await inState(life, 'Confirmed');
      await orders.tell(life, 'delivered');
      await orders.wake(life);
      assert.equal(await orders.ended(life), 'Delivered');
      assert.deepEqual(asked, [intent]);
      await worker.stop();
    });

    it('asks again while the provider is away, and does not end without its answer', async () => {
      const life = await orders.place('Placed', 60_000);
      await orders.intend(life);
      let attempts = 0;
      const worker = await orders.work(async (): Promise<IntentState> => {
        attempts += 1;
        if (attempts === 1) {
          await orders.query('update orders set payment_due_at = now() where id = $1', [life.order]);
          await orders.wake(life);
        }
        if ((await orders.state(life)) !== 'Cancelled') throw new Error('away');
        await orders.tell(life, 'payment_succeeded');
        return 'succeeded';
      });
      await orders.wake(life);
      assert.equal(await orders.ended(life), 'Cancelled');
      assert.deepEqual(
        (await orders.told(life)).map(({ kind, verdict }) => [kind, verdict]),
        [
          ['payment_requested', 'applied'],
          ['payment_timed_out', 'applied'],
          ['payment_succeeded', 'refused'],
        ],
      );
      await worker.stop();
    });
  });
});

async function dueAt({ order }: Life): Promise<number> {
  const [row] = await orders.query<{ at: Date }>('select payment_due_at as at from orders where id = $1', [
    order,
  ]);
  return row?.at.getTime() ?? Number.NaN;
}
