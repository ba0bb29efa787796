import assert from 'node:assert/strict';
import { catalog } from '../../catalog/index.ts';
import { openShop } from '../support/rows.ts';
import { freshCache, seededWorld, staff, unreachable, type World } from '../support/world.ts';

describe('get_inventory_status', () => {
  let world: World;
  type Input = { product?: string; category?: string; low_stock_threshold?: number };
  const ask = (input: Input = {}, tenant = 'shop_123') =>
    world.bodies({ cache: freshCache() }).get_inventory_status({ caller: staff(tenant), input });

  before(async () => {
    world = await seededWorld();
    const rows = await openShop(world.db.pools, 'levels', 'USD');
    await rows.warehouse('W', 'City', 'EU');
    for (const [sku, quantity, reserved, level] of [
      ['at-level', 20, 0, 20],
      ['above-level', 21, 0, 20],
      ['no-level-low', 10, 0, null],
      ['no-level-fine', 11, 0, null],
      ['all-reserved', 7, 7, 5],
    ] as const) {
      await rows.product({ sku, name: sku });
      await rows.position({ sku, warehouse: 'W', quantity, reserved, level, cost: 1.1 });
    }
    await rows.product({ sku: 'uncounted', name: 'uncounted' });
  });
  after(() => world.close());

  const lowOf = ({ low_stock_items }: Awaited<ReturnType<typeof ask>>) =>
    low_stock_items.map(({ product }) => product);

  it('counts the fifty products of the mock shop and values them', async () => {
    const { total_products, total_value, out_of_stock_items } = await ask();
    assert.deepEqual([total_products, total_value, out_of_stock_items], [50, 125000, []]);
  });

  it('lists exactly the low item of the source, to the value', async () => {
    const { low_stock_items } = await ask();
    assert.deepEqual(
      low_stock_items.map(({ product, current_stock, reorder_level, status }) => ({
        product,
        current_stock,
        reorder_level,
        status,
      })),
      [{ product: 'Red Shirt - Medium', current_stock: 5, reorder_level: 10, status: 'low_stock' }],
    );
  });

  it('counts a product at its reorder level as low, and 10 where no level is set', async () => {
    assert.deepEqual(lowOf(await ask({}, 'levels')), ['no-level-low', 'at-level']);
  });

  it('puts an explicit threshold in the place of every level', async () => {
    assert.deepEqual(lowOf(await ask({ low_stock_threshold: 11 }, 'levels')), [
      'no-level-low',
      'no-level-fine',
    ]);
  });

  it('takes an explicit 10 for a threshold, and not for nothing said', async () => {
    assert.deepEqual(lowOf(await ask({ low_stock_threshold: 10 }, 'levels')), ['no-level-low']);
  });

  it('counts what is all reserved as out of stock', async () => {
    const { out_of_stock_items } = await ask({}, 'levels');
    assert.deepEqual(
      out_of_stock_items.map(({ product, current_stock, status }) => [product, current_stock, status]),
      [['all-reserved', 0, 'out_of_stock']],
    );
  });

  it('neither alarms about nor values what nobody counts', async () => {
    const { total_products, uncounted_products, total_value } = await ask({}, 'levels');
    assert.deepEqual([total_products, uncounted_products, total_value], [6, 1, 75.9]);
  });

  it('narrows down to a product', async () => {
    const { total_products, low_stock_count } = await ask({ product: 'Red Shirt - Medium' });
    assert.deepEqual([total_products, low_stock_count], [1, 1]);
  });

  it('narrows down to a category', async () => {
    const { total_products } = await ask({ category: 'clothing' });
    assert.equal(total_products, 10);
  });

  it('invents nothing about a product that is not there', async () => {
    const { status, message, total_products } = await ask({ product: "' or true --" });
    assert.deepEqual(
      [status, message, total_products],
      ['not_found', 'No product matches. Do not infer stock levels.', 0],
    );
  });

  it('does not mix up what is cached for different questions', async () => {
    const body = world.bodies({ cache: freshCache() }).get_inventory_status;
    const caller = staff('levels');
    const totals: number[] = [];
    for (const input of [
      { product: 'any' },
      {},
      { category: 'any' },
      { product: 'own' },
      { category: 'Things' },
    ])
      totals.push((await body({ caller, input })).total_products);
    assert.deepEqual(totals, [0, 6, 0, 0, 6]);
  });

  it('says that the database cannot be reached', async () => {
    const { stock } = await unreachable();
    const body = world.bodies({ cache: freshCache(), stock }).get_inventory_status;
    await assert.rejects(body({ caller: staff(), input: {} }), { code: 'unavailable' });
  });

  it('fits its own output schema', async () => {
    for (const answer of [await ask(), await ask({ product: 'nothing' }), await ask({}, 'levels')])
      assert.deepEqual(catalog.get('get_inventory_status')?.output.parse(answer), answer);
  });
});
