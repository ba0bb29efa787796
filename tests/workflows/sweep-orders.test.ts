import assert from 'node:assert/strict';
import { createOrderSweep } from '../../adapters/postgres/order-sweep.ts';
import { openRoom, type Room } from '../approvals/room.ts';
import { type Life, orderBook, type OrderBook } from '../support/orders.ts';
import { orderStage, type OrderStage } from './order-stage.ts';
import { openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';
import { sweeping } from './sweeping.ts';

const inState = (orders: OrderStage, life: Life, state: string) =>
  until(async () => (await orders.state(life)) === state, `the order to be ${state}`);

/** Class of defect: a timer or an event that is lost with a workflow, although Postgres knows of it. */
describe('the sweep of orders', function () {
  this.timeout(60_000);
  let stage: Stage;
  let orders: OrderStage;
  before(async () => {
    stage = await openStage();
    orders = await orderStage(stage);
  });
  after(() => stage.close());

  const isKnown = async (life: Life) =>
    orders
      .handle(life)
      .describe()
      .then(
        () => true,
        () => false,
      );

  describe('with a worker', () => {
    let stops: readonly { stop(): Promise<void> }[];
    before(async () => {
      const worker = await orders.work();
      stops = [sweeping(stage), worker];
    });
    after(async () => {
      for (const one of stops) await one.stop();
    });

    it('cancels an unpaid order whose workflow was terminated', async () => {
      const life = await orders.place('Placed', 2_000);
      await orders.wake(life);
      await inState(orders, life, 'PaymentPending');
      await orders.handle(life).terminate('by hand');
      await inState(orders, life, 'Cancelled');
    });

    it('has an event judged whose outbox reaction was lost', async () => {
      const life = await orders.place('Confirmed');
      await orders.tell(life, 'packed');
      await inState(orders, life, 'Packed');
    });

    it('asks for the money of an order whose placing nobody heard of', async () => {
      await inState(orders, await orders.place('Placed', 60_000), 'PaymentPending');
    });

    it('looks at the orders of every shop', async () => {
      const there = await orderBook(stage.room.pools, 'other', 'shopper of other');
      const life = await there.place('Confirmed');
      await there.tell(life, 'packed');
      await until(async () => (await there.state(life)) === 'Packed', 'the other shop’s order');
    });
  });

  it('starts one workflow of an order, however many sweep', async () => {
    const sweepers = [sweeping(stage), sweeping(stage), sweeping(stage)];
    const life = await orders.place('Confirmed');
    await orders.tell(life, 'packed');
    await until(() => isKnown(life), 'the start');
    for (const one of sweepers) await one.stop();
    const worker = await orders.work();
    await inState(orders, life, 'Packed');
    await worker.stop();
    assert.deepEqual(await orders.walked(life), ['Confirmed>Packed']);
  });
});

describe('what is swept', () => {
  let stage: Room;
  let book: OrderBook;
  before(async () => {
    stage = await openRoom();
    book = await orderBook(stage.pools, 'manga');
  });
  after(() => stage.drop());

  const strays = (graceSeconds: number) => createOrderSweep(stage.pools).strays(graceSeconds, 1_000);
  const isStray = async (life: Life, graceSeconds = 0) =>
    (await strays(graceSeconds)).find(({ order }) => order === life.order)?.isLate;

  it('is no imported order, which nobody pays here', async () => {
    assert.equal(await isStray(await book.place('PaymentPending')), undefined);
  });

  it('is no order that has its verdicts', async () => {
    const life = await book.place('Confirmed');
    await book.live(life, 'packed');
    assert.equal(await isStray(life), undefined);
  });

  it('is an event that has waited, and none that came just now', async () => {
    const life = await book.place('Confirmed');
    await book.tell(life, 'packed');
    assert.deepEqual([await isStray(life, 0), await isStray(life, 60)], [true, undefined]);
  });

  it('is an unpaid order, late once its payment is overdue', async () => {
    const [waiting, overdue] = [
      await book.place('Placed', 60_000),
      await book.place('PaymentPending', -1_000),
    ];
    assert.deepEqual([await isStray(waiting), await isStray(overdue)], [false, true]);
  });

  it('comes in pages that leave nothing out', async () => {
    const sweep = createOrderSweep(stage.pools);
    const whole = await strays(0);
    const paged: string[] = [];
    let page = await sweep.strays(0, 1);
    while (page.length > 0) {
      paged.push(...page.map(({ order }) => order));
      page = await sweep.strays(0, 1, page.at(-1));
    }
    assert.deepEqual(
      paged,
      whole.map(({ order }) => order),
    );
  });
});
