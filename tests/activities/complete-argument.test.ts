import assert from 'node:assert/strict';
import type { Completable } from '../../domain/complete.ts';
import { customer, seededWorld, staff, unreachable, type World } from '../support/world.ts';

describe('complete_argument', () => {
  let world: World;
  const complete = (what: Completable, prefix: string, caller = staff()) =>
    world.bodies().complete_argument({ caller, input: { what, prefix } });

  before(async () => {
    world = await seededWorld();
  });
  after(() => world.close());

  for (const [what, prefix, values] of [
    ['warehouse', 'W', ['WH-2']],
    ['sku', 'ber42-4', ['BER42-40', 'BER42-41', 'BER42-42']],
    ['manga_id', 'B', ['BER42']],
    ['region', '', ['EU', 'JP', 'US']],
    ['order_id', '88213', ['88213']],
    ['order_id', '#88213', ['88213']],
    ['purchase_order', '', []],
    ['sku', '%', []],
  ] as const) {
    it(`completes ${what} "${prefix}"`, async () => {
      assert.deepEqual(await complete(what, prefix), { values: [...values], has_more: false });
    });
  }

  it('shows a hundred, and that there are more', async () => {
    const { values, has_more } = await complete('order_id', '', staff('shop_123'));
    assert.deepEqual([values.length, has_more], [100, true]);
  });

  it("completes none of another customer's orders", async () => {
    assert.deepEqual((await complete('order_id', '88213', customer('cust_1001'))).values, []);
  });

  it('completes nothing of another shop', async () => {
    assert.deepEqual((await complete('manga_id', '', staff('shop_123'))).values, []);
  });

  it('says that the database cannot be reached', async () => {
    const { stock } = await unreachable();
    const body = world.bodies({ stock }).complete_argument;
    await assert.rejects(body({ caller: staff(), input: { what: 'sku', prefix: '' } }), {
      code: 'unavailable',
    });
  });
});
