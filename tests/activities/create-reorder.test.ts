import assert from 'node:assert/strict';
import { createEffects } from '../../adapters/postgres/effects.ts';
import type { Bodies } from '../../catalog/index.ts';
import { createReorder } from '../../catalog/inventory/create-reorder.ts';
import { approved, callOf, claimed, planOf } from '../support/approved.ts';
import { freshCache, seededWorld, staff, type World } from '../support/world.ts';

const INPUT = { sku: 'BER42-42', quantity: 40, warehouse: 'WH-2' };

describe('create_reorder', () => {
  let world: World;
  let bodies: Bodies;

  beforeEach(async () => {
    world = await seededWorld();
    bodies = world.bodies({ effects: createEffects(world.db.pools) });
  });
  afterEach(() => world.close());

  const onOrder = async () =>
    (await world.deps.stock.primary.position('manga', INPUT.sku, INPUT.warehouse))?.onOrder;

  it('places one purchase order, which says who asked and who approved', async () => {
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    const result = await bodies.create_reorder(callOf(plan, INPUT));
    assert.deepEqual(result, { ...INPUT, po_id: result.po_id });
    const order = await world.deps.stock.primary.purchaseOrder('manga', result.po_id);
    assert.deepEqual(
      [order?.actionId, order?.requestedBy, order?.approvedBy],
      [plan.callId, 'supply_chain_manager', ['warehouse_lead']],
    );
  });

  it('answers in the words of the source', async () => {
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    const said = createReorder.say(await bodies.create_reorder(callOf(plan, INPUT)));
    assert.match(said, /^Reorder placed: PO #\d+ \(40× BER42-42 → WH-2\)$/);
  });

  it('places one order, not two, when the same call is retried', async () => {
    const call = callOf(await approved(world.db, planOf(createReorder, INPUT)), INPUT);
    const first = await bodies.create_reorder(call);
    assert.deepEqual(await bodies.create_reorder(call), first);
    assert.equal(await onOrder(), 40);
  });

  it('places one order when ten attempts run at once', async () => {
    const call = callOf(await approved(world.db, planOf(createReorder, INPUT)), INPUT);
    const results = await Promise.all(Array.from({ length: 10 }, () => bodies.create_reorder(call)));
    assert.deepEqual([new Set(results.map(({ po_id }) => po_id)).size, await onOrder()], [1, 40]);
  });

  it('orders nothing before somebody has approved', async () => {
    const plan = await claimed(world.db, planOf(createReorder, INPUT));
    await assert.rejects(bodies.create_reorder(callOf(plan, INPUT)), { code: 'approval_missing' });
    assert.equal(await onOrder(), 0);
  });

  it('orders nothing that nobody has claimed', async () => {
    const plan = planOf(createReorder, INPUT);
    await assert.rejects(bodies.create_reorder(callOf(plan, INPUT)), { code: 'approval_missing' });
  });

  it('orders nothing but what was approved', async () => {
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    const swapped = callOf(plan, { ...INPUT, quantity: 41 });
    await assert.rejects(bodies.create_reorder(swapped), { code: 'approval_void' });
    assert.equal(await onOrder(), 0);
  });

  it('is refused above the maximum at the moment of ordering, and leaves nothing behind', async () => {
    const input = { ...INPUT, quantity: 1001 };
    const plan = await approved(world.db, planOf(createReorder, input));
    await assert.rejects(bodies.create_reorder(callOf(plan, input)), {
      code: 'above_max_stock',
      facts: { room: 1000, quantity: 1001 },
    });
    assert.equal(await onOrder(), 0);
  });

  it('counts what was ordered while people slept', async () => {
    const input = { ...INPUT, quantity: 600 };
    const first = await approved(world.db, planOf(createReorder, input));
    const second = await approved(world.db, planOf(createReorder, { ...input, quantity: 601 }));
    await bodies.create_reorder(callOf(first, input));
    await assert.rejects(bodies.create_reorder(callOf(second, { ...input, quantity: 601 })), {
      code: 'above_max_stock',
      facts: { room: 400, quantity: 601 },
    });
  });

  for (const input of [
    { ...INPUT, warehouse: 'NOPE' },
    { ...INPUT, sku: 'NOPE' },
    { ...INPUT, warehouse: 'WH-1' },
  ]) {
    it(`is refused where ${input.warehouse} does not carry ${input.sku}`, async () => {
      const plan = await approved(world.db, planOf(createReorder, input));
      await assert.rejects(bodies.create_reorder(callOf(plan, input)), { code: 'stock_not_found' });
    });
  }

  it('shows what is on order at once to those who had it cached', async () => {
    const wid = { caller: staff(), input: { wid: 'WH-2' } };
    const region = { caller: staff(), input: { region: 'EU' } };
    const seen = async () => {
      const stock = await bodies.warehouse_stock(wid);
      const low = await bodies.region_stock(region);
      return [stock.positions, low.warehouses[0]?.low].map(
        (rows) => rows?.find(({ sku }) => sku === INPUT.sku)?.on_order,
      );
    };
    assert.deepEqual(await seen(), [0, 0]);
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    await bodies.create_reorder(callOf(plan, INPUT));
    assert.deepEqual(await seen(), [40, 40]);
  });
});

describe('check_reorder', () => {
  let world: World;
  const check = (input: typeof INPUT, tenant = 'manga') =>
    world.bodies({ cache: freshCache() }).check_reorder({ caller: staff(tenant), input });

  before(async () => {
    world = await seededWorld();
  });
  after(() => world.close());

  it('says how much room there is', async () => {
    assert.deepEqual(await check(INPUT), { status: 'fits', room: 1000 });
  });

  it('refuses what does not fit before anybody is asked', async () => {
    await assert.rejects(check({ ...INPUT, quantity: 5000 }), { code: 'above_max_stock' });
  });

  it('refuses a SKU or a warehouse that is not there', async () => {
    await assert.rejects(check({ ...INPUT, sku: 'NOPE' }), { code: 'stock_not_found' });
    await assert.rejects(check({ ...INPUT, warehouse: 'NOPE' }), { code: 'stock_not_found' });
  });

  it("does not see another shop's shelves", async () => {
    await assert.rejects(check(INPUT, 'shop_123'), { code: 'stock_not_found' });
  });
});
