import assert from 'node:assert/strict';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { createStockWriter } from '../../adapters/postgres/stock-writer.ts';
import { resources } from '../../catalog/index.ts';
import type { BodyDeps } from '../../activities/index.ts';
import { freshCache, NOW, seededWorld, staff, unreachable, type World } from '../support/world.ts';

const NO_INPUT = { caller: staff(), input: {} };

describe('the resources', () => {
  let world: World;
  const read = (other: Partial<BodyDeps> = {}) => world.bodies({ cache: freshCache(), ...other });

  before(async () => {
    world = await seededWorld();
  });
  after(() => world.close());

  const fits = (name: string, answer: unknown) =>
    assert.deepEqual(resources.find((resource) => resource.name === name)?.output.parse(answer), answer);

  it('show why order 88213 is two days late: its driver is sick', async () => {
    const record = await read().order_record({ caller: staff(), input: { order_id: '88213' } });
    assert.deepEqual([record.days_late, record.delivery?.driver?.status], [2, 'sick']);
    fits('order_record', record);
  });

  it('show how an order came to where it is', async () => {
    const { history, status } = await read().order_record({ caller: staff(), input: { order_id: '88213' } });
    assert.deepEqual(
      history.map(({ from, to, inferred }) => [from, to, inferred]),
      [
        [null, 'Placed', false],
        ['Placed', 'PaymentPending', false],
        ['PaymentPending', 'Confirmed', false],
        ['Confirmed', 'Packed', false],
        ['Packed', 'Shipped', false],
      ],
    );
    assert.equal(history.at(-1)?.to, status);
    for (const { at } of history) assert.match(at, /^\d{4}-.*Z$/);
  });

  it('show the record of an order under every spelling of its number', async () => {
    const record = await read().order_record({ caller: staff(), input: { order_id: '#88213' } });
    assert.equal(record.order_id, '88213');
  });

  for (const [what, caller] of [
    ['an order that is not there', staff()],
    ["another shop's order", staff('shop_123')],
  ] as const) {
    it(`refuse ${what} in the same words`, async () => {
      const order_id = what.startsWith('an order') ? '0' : '88213';
      await assert.rejects(read().order_record({ caller, input: { order_id } }), {
        code: 'not_found',
        message: 'There is no such order. Do not infer.',
      });
    });
  }

  it('show the stock of a warehouse, with what is below its reorder point', async () => {
    const stock = await read().warehouse_stock({ caller: staff(), input: { wid: 'WH-2' } });
    const empty = stock.positions.find(({ sku }) => sku === 'BER42-42');
    assert.deepEqual(empty, {
      sku: 'BER42-42',
      product: 'Berserk Vol. 42',
      on_hand: 0,
      reserved: 0,
      available: 0,
      on_order: 0,
      reorder_level: 10,
      max_stock: 1000,
      below_reorder_point: true,
    });
    fits('warehouse_stock', stock);
  });

  it('refuse a warehouse that is not there', async () => {
    await assert.rejects(read().warehouse_stock({ caller: staff(), input: { wid: 'NOPE' } }), {
      code: 'not_found',
    });
  });

  it('do not mistake a warehouse for a title of the same name in the cache', async () => {
    const bodies = read();
    await bodies.check_stock({ caller: staff(), input: { manga_id: 'WH-2' } });
    await bodies.check_stock({ caller: staff(), input: { manga_id: 'warehouse' } });
    const stock = await bodies.warehouse_stock({ caller: staff(), input: { wid: 'WH-2' } });
    assert.equal(stock.warehouse, 'WH-2');
  });

  it('show every warehouse with its region', async () => {
    const all = await read().warehouses(NO_INPUT);
    assert.deepEqual(
      all.warehouses.map(({ warehouse, city, region }) => [warehouse, city, region]),
      [
        ['TKY-1', 'Tokyo', 'JP'],
        ['US-1', 'Los Angeles', 'US'],
        ['WH-2', 'Rotterdam', 'EU'],
      ],
    );
    fits('warehouses', all);
  });

  it('show what is low in one region, whatever its capitals', async () => {
    const stock = await read().region_stock({ caller: staff(), input: { region: 'eu' } });
    assert.deepEqual(
      stock.warehouses.map(({ warehouse }) => warehouse),
      ['WH-2'],
    );
    assert.ok(stock.warehouses[0]?.low.every(({ below_reorder_point }) => below_reorder_point));
    fits('region_stock', stock);
  });

  it('show what is low everywhere for "all"', async () => {
    const stock = await read().region_stock({ caller: staff(), input: { region: 'all' } });
    assert.equal(stock.warehouses.length, 3);
  });

  it('refuse a region without a warehouse', async () => {
    await assert.rejects(read().region_stock({ caller: staff(), input: { region: 'MARS' } }), {
      code: 'not_found',
    });
  });

  it('show a purchase order as soon as it is placed', async () => {
    const placed = await inTenant(world.db.pools.write, 'manga', (sql) =>
      createStockWriter(sql, {
        tenant: 'manga',
        actionId: 'act_1',
        requestedBy: 'scm',
        approvedBy: ['lead'],
      }).placePurchaseOrder({ sku: 'BER42-42', quantity: 40, warehouse: 'WH-2' }),
    );
    const order = await read().purchase_order({ caller: staff(), input: { id: placed.id } });
    assert.deepEqual(
      [order.sku, order.quantity, order.warehouse, order.state, order.requested_by, order.approved_by],
      ['BER42-42', 40, 'WH-2', 'placed', 'scm', ['lead']],
    );
    fits('purchase_order', order);
  });

  it("refuse another shop's purchase order", async () => {
    await assert.rejects(read().purchase_order({ caller: staff('shop_123'), input: { id: '1001' } }), {
      code: 'not_found',
    });
  });

  it('show orders that are not shipped, oldest first', async () => {
    const upcoming = await read().upcoming_orders(NO_INPUT);
    const dates = upcoming.orders.map(({ created_at }) => created_at);
    assert.deepEqual([upcoming.total, dates], [upcoming.orders.length, [...dates].sort()]);
    const states = new Set(upcoming.orders.map(({ status }) => status));
    for (const state of states)
      assert.ok(['Placed', 'PaymentPending', 'Confirmed', 'Packed'].includes(state), state);
    fits('upcoming_orders', upcoming);
  });

  it('show the demand of seven days of business time, as SQL sums it', async () => {
    const demand = await read().demand_7d(NO_INPUT);
    const units = await inTenant(world.db.pools.read, 'manga', async (sql) => {
      const { rows } = await sql.query<{ units: number }>(
        `select sum(quantity)::integer as units from order_lines
          where created_at > $1::timestamptz - interval '7 days' and created_at <= $1 and status <> 'Cancelled'`,
        [NOW],
      );
      return rows[0]?.units;
    });
    assert.deepEqual([demand.total_units, demand.until], [units, NOW.toISOString()]);
    fits('demand_7d', demand);
  });

  it('change nothing by being read', async () => {
    const counts = () =>
      inTenant(world.db.pools.read, 'manga', async (sql) => {
        const { rows } = await sql.query<{ sum: string }>(
          `select md5(string_agg(t::text, '' order by t::text)) as sum from (
             select o::text from orders o union all select i::text from inventory i
             union all select p::text from purchase_orders p) t`,
        );
        return rows[0]?.sum;
      });
    const before = await counts();
    const bodies = read();
    await bodies.warehouse_stock({ caller: staff(), input: { wid: 'WH-2' } });
    await bodies.warehouses(NO_INPUT);
    await bodies.upcoming_orders(NO_INPUT);
    await bodies.demand_7d(NO_INPUT);
    await bodies.order_record({ caller: staff(), input: { order_id: '88213' } });
    assert.equal(await counts(), before);
  });

  it('say that the database cannot be reached', async () => {
    const { stock, orders } = await unreachable();
    const bodies = read({ stock, orders });
    for (const reading of [
      () => bodies.warehouse_stock({ caller: staff(), input: { wid: 'WH-2' } }),
      () => bodies.warehouses(NO_INPUT),
      () => bodies.region_stock({ caller: staff(), input: { region: 'all' } }),
      () => bodies.purchase_order({ caller: staff(), input: { id: '1' } }),
      () => bodies.order_record({ caller: staff(), input: { order_id: '1' } }),
      () => bodies.upcoming_orders(NO_INPUT),
      () => bodies.demand_7d(NO_INPUT),
    ])
      await assert.rejects(reading(), { code: 'unavailable' });
  });
});
