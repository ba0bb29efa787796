import assert from 'node:assert/strict';
import { catalog } from '../../catalog/index.ts';
import { customer, freshCache, seededWorld, staff, unreachable, type World } from '../support/world.ts';

describe('list_recent_orders', () => {
  let world: World;
  const ask = (caller = staff(), limit = 10, cache = freshCache()) =>
    world.bodies({ cache }).list_recent_orders({ caller, input: { limit } });

  before(async () => {
    world = await seededWorld();
  });
  after(() => world.close());

  it('lists as many orders as asked for, newest first', async () => {
    const { orders } = await ask(customer('cust_1001'), 3);
    const dates = orders.map(({ created_at }) => created_at);
    assert.deepEqual([orders.length, dates], [3, [...dates].sort().reverse()]);
  });

  it('lists no order of anybody else', async () => {
    const mine = await ask(customer('cust_1001'));
    const theirs = await ask(customer('cust_1002'));
    const ids = new Set(mine.orders.map(({ order_id }) => order_id));
    assert.deepEqual(
      theirs.orders.filter(({ order_id }) => ids.has(order_id)),
      [],
    );
  });

  it('answers a longer list from the entry of a shorter one', async () => {
    const cache = freshCache();
    await ask(staff(), 2, cache);
    const { orders, cache: facts } = await ask(staff(), 10, cache);
    assert.deepEqual([orders.length, facts.hit], [10, true]);
  });

  it('says so when there are none', async () => {
    const { status, message, orders } = await ask(customer('nobody'));
    assert.deepEqual([status, message, orders], ['not_found', 'There are no orders. Do not infer.', []]);
  });

  it('says that the database cannot be reached', async () => {
    const { orders } = await unreachable();
    const body = world.bodies({ cache: freshCache(), orders }).list_recent_orders;
    await assert.rejects(body({ caller: staff(), input: { limit: 1 } }), { code: 'unavailable' });
  });

  it('fits its own output schema', async () => {
    const answer = await ask();
    assert.deepEqual(catalog.get('list_recent_orders')?.output.parse(answer), answer);
  });
});
