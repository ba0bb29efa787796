import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { createOrderLives } from '../../adapters/postgres/order-life.ts';
import type { LifeOf } from '../../domain/order-life.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { lifecycleId, wakeOrders } from '../../workers/wake-orders.ts';
import { eventually } from '../chaos/eventually.ts';
import { mortals, whileWaitedFor } from '../support/mortals.ts';
import { orderStage, type OrderStage } from '../workflows/order-stage.ts';
import { openStage, silent, type Stage } from '../workflows/stage.ts';
import { openStore, shelves } from './shop.ts';

const CHECKOUT = new URL('./mortal-checkout.ts', import.meta.url);
const WORKER = new URL('../workflows/crashing-worker.ts', import.meta.url);

/** Class of defect: an order that nobody cancels, or whose units are lost, because whoever should have known died. */
describe('when the process that took an order is killed before the order is heard of', function () {
  this.timeout(120_000);
  let stage: Stage;
  let stops: { stop(): Promise<void> }[];
  const { start, kill, killedItself, close } = mortals();
  let orders: OrderStage;
  before(async () => {
    stage = await openStage();
    orders = await orderStage(stage);
  });
  beforeEach(() => {
    stops = [];
  });
  afterEach(async () => {
    for (const one of stops) await one.stop();
  });
  after(async () => {
    await close();
    await stage.close();
  });

  /** An order of two of five units that nobody pays, committed and told to nobody. */
  async function orphan(shop: string): Promise<LifeOf & { readonly orderId: string }> {
    const rows = await openStore(stage.room, shop);
    await rows.position({ sku: 'T-1', warehouse: 'A', quantity: 5 });
    const orderId = `ord_${randomUUID()}`;
    await killedItself(
      start(CHECKOUT, { DATABASE: stage.room.writeUrl, SHOP: shop, ORDER: orderId, DUE_SECONDS: '3' }),
    );
    const life = await createOrderLives(stage.room.pools).named(shop, orderId);
    assert.ok(life);
    return { ...life, orderId };
  }

  const ask = async (shop: string, text: string, values: unknown[]) =>
    inTenant(stage.room.pools.write, shop, async (sql) => {
      const { rows } = await sql.query<{ text: string }>(text, values);
      return rows.map((row) => row.text);
    });
  const walked = ({ tenant, order }: LifeOf) =>
    ask(
      tenant,
      `select coalesce(from_status, '') || '>' || to_status as text from order_status_history
        where order_id = $1 order by at, id`,
      [order],
    );
  const published = ({ tenant }: LifeOf, orderId: string) =>
    ask(
      tenant,
      `select topic as text from event_outbox where key = $1 and topic like 'order\\_%' and topic <> 'order_event_received'
        order by seq`,
      [orderId],
    );
  const dispatch = () => {
    const { client, queuePrefix } = stage.temporal;
    const lives = createOrderLives(stage.room.pools);
    stops.unshift(
      startDispatcher({
        pools: stage.room.pools,
        reactions: [wakeOrders({ client, queuePrefix, lives })],
        sinks: [],
        log: silent,
        pollMs: 20,
      }),
    );
  };
  const work = async () => {
    // Nobody can be asked for money.
    stops.push(await orders.work());
  };
  const ended = async (life: LifeOf): Promise<unknown> => {
    const handle = stage.temporal.client.workflow.getHandle(lifecycleId(life));
    return handle.result();
  };
  const LIFE = ['>Placed', 'Placed>PaymentPending', 'PaymentPending>Cancelled'];
  const TOPICS = ['order_placed', 'order_status_changed', 'order_status_changed'];

  it('it is still cancelled when its time to pay is over, and its units are back once', async () => {
    const life = await orphan('orphans');
    assert.deepEqual(
      [await walked(life), await shelves(stage.room, 'orphans', 'T-1')],
      [LIFE.slice(0, 1), 'A:3'],
    );
    await work();
    dispatch();
    await eventually('it is cancelled', async () => (await walked(life)).length === 3, 60);
    assert.equal(await ended(life), 'Cancelled');
    assert.deepEqual(
      [await walked(life), await published(life, life.orderId), await shelves(stage.room, 'orphans', 'T-1')],
      [LIFE, TOPICS, 'A:5'],
    );
  });

  it('and so is the worker while it cancels: the units are back once all the same', async () => {
    const life = await orphan('twice');
    const { room, temporal } = stage;
    const first = start(WORKER, {
      CRASH_AT: 'never',
      DATABASE: room.writeUrl,
      NAMESPACE: temporal.namespace,
      ADDRESS: temporal.address,
      SEAL: room.keys.seal[0] ?? '',
      PERSONAL: room.keys.personal[0] ?? '',
    });
    await once(first, 'message');
    dispatch();
    await whileWaitedFor(room.adminUrl, 'select from inventory for update', () => kill(first));
    assert.deepEqual(
      [(await walked(life)).includes('PaymentPending>Cancelled'), await shelves(room, 'twice', 'T-1')],
      [false, 'A:3'],
    );
    await work();
    assert.equal(await ended(life), 'Cancelled');
    assert.deepEqual(
      [await walked(life), await published(life, life.orderId), await shelves(room, 'twice', 'T-1')],
      [LIFE, TOPICS, 'A:5'],
    );
  });
});
