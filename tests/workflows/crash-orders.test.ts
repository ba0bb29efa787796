import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createOrderSweep } from '../../adapters/postgres/order-sweep.ts';
import { mortals, whileWaitedFor } from '../support/mortals.ts';
import { orderStage, type OrderStage } from './order-stage.ts';
import { openStage, type Stage } from './stage.ts';

const SCRIPT = new URL('./crashing-worker.ts', import.meta.url);

/** Class of defect: an order between two states, or an event that counts twice, because its worker died in between. */
describe('when a worker is killed inside the transaction of a transition', function () {
  this.timeout(120_000);
  let stage: Stage;
  let orders: OrderStage;
  const { start, kill, close } = mortals();
  before(async () => {
    stage = await openStage();
    orders = await orderStage(stage);
  });
  after(async () => {
    await close();
    await stage.close();
  });

  async function worker() {
    const { room, temporal } = stage;
    const child = start(SCRIPT, {
      CRASH_AT: 'never',
      DATABASE: room.writeUrl,
      NAMESPACE: temporal.namespace,
      ADDRESS: temporal.address,
      SEAL: room.keys.seal[0] ?? '',
      PERSONAL: room.keys.personal[0] ?? '',
    });
    await once(child, 'message');
    return child;
  }

  for (const [point, lock] of [
    ['before its first step is written', 'lock table order_status_history in exclusive mode'],
    ['after its steps were written, before they are published', 'lock table event_outbox in exclusive mode'],
  ] as const) {
    it(`${point}: the order has not moved, and the next worker moves it once`, async () => {
      const life = await orders.place('Confirmed');
      await orders.tell(life, 'shipped');
      await orders.tell(life, 'delivered');
      const first = await worker();
      await orders.wake(life);
      await whileWaitedFor(stage.room.adminUrl, lock, () => kill(first));
      // Its connection is closed, and all that it had written is undone.
      assert.deepEqual(
        [
          await orders.state(life),
          await orders.walked(life),
          (await orders.told(life)).map(({ verdict }) => verdict),
        ],
        ['Confirmed', [], [null, null]],
      );
      const second = await orders.work();
      assert.equal(await orders.ended(life), 'Delivered');
      await second.stop();
      assert.deepEqual(await orders.walked(life), [
        'Confirmed>Packed?',
        'Packed>Shipped',
        'Shipped>OutForDelivery?',
        'OutForDelivery>Delivered',
      ]);
      assert.deepEqual(
        (await orders.told(life)).map(({ kind, verdict }) => [kind, verdict]),
        [
          ['shipped', 'applied'],
          ['delivered', 'applied'],
        ],
      );
      const changes = (await orders.published(life)).filter(({ topic }) => topic === 'order_status_changed');
      assert.equal(changes.length, 4);
      assert.deepEqual(
        (await createOrderSweep(stage.room.pools).strays(0, 100)).filter(({ order }) => order === life.order),
        [],
      );
    });
  }
});
