import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { mcpClient } from '../../bench/mcp-client.ts';
import { type Stack, startStack } from '../gateway/stack.ts';
import { loadFolder, retailShop } from '../import/support.ts';
import { skip } from '../support/skip.ts';

const SHOP = 'retail';
const ROWS = z.array(z.object({ order_id: z.string(), customer_id: z.string() }));
const ANSWER = z.object({
  status: z.string(),
  orders: z.array(z.object({ order_id: z.string() })),
});

describe('real customers of an imported shop', function () {
  this.timeout(120_000);
  let stack: Stack;
  /** Order numbers by customer, as the files say, read past everything that is tested here. */
  const ordersOf = new Map<string, string[]>();

  before(async function () {
    const folder = retailShop() ?? skip(this, 'no retail shop below COUNTERSIGN_SHARED (default ../shared)');
    const rows = ROWS.parse(parse(readFileSync(join(folder, 'orders.csv')), { columns: true }));
    for (const { order_id, customer_id } of rows)
      ordersOf.set(customer_id, [...(ordersOf.get(customer_id) ?? []), order_id]);
    stack = await startStack({ withoutWorker: true });
    await loadFolder(stack.db, folder, { shop: SHOP });
  });
  after(() => stack?.stop());

  it('ask for their orders and get them, and nobody else’s', async () => {
    const some = [...ordersOf].filter(([, orders]) => orders.length > 1 && orders.length <= 10).slice(0, 25);
    assert.equal(some.length, 25);
    for (const [id, orders] of some) assert.deepEqual((await recent(id)).sort(), [...orders].sort(), id);
  });

  it('get none of another customer’s orders by their numbers', async () => {
    const [[anna, orders], [bert]] = mostOrders();
    const own = await client(anna);
    const others = await client(bert);
    for (const order_id of orders) {
      const mine = ANSWER.parse(await own.call('get_order_status', { order_id }));
      assert.deepEqual([mine.status, mine.orders.map((order) => order.order_id)], ['found', [order_id]]);
      const theirs = ANSWER.parse(await others.call('get_order_status', { order_id }));
      assert.deepEqual([theirs.status, theirs.orders], ['not_found', []]);
    }
    await Promise.all([own.close(), others.close()]);
  });

  it('are nobody in another shop', async () => {
    const [[anna, [order_id = '']]] = mostOrders();
    const elsewhere = await client(anna, 'manga');
    for (const [tool, args] of [
      ['list_recent_orders', {}],
      ['get_order_status', { order_id }],
    ] as const)
      assert.deepEqual(ANSWER.parse(await elsewhere.call(tool, args)).orders, []);
    await elsewhere.close();
  });

  async function recent(id: string): Promise<string[]> {
    const one = await client(id);
    const { orders } = ANSWER.parse(await one.call('list_recent_orders', { limit: 10 }));
    await one.close();
    return orders.map((order) => order.order_id);
  }

  async function client(id: string, shop = SHOP) {
    return mcpClient(stack.url, await stack.mint(`customer:${id}`, { shop }));
  }

  /** The two with the most orders that one answer can hold. */
  function mostOrders(): readonly [
    readonly [string, readonly string[]],
    readonly [string, readonly string[]],
  ] {
    const [first, second] = [...ordersOf]
      .filter(([, orders]) => orders.length <= 10)
      .sort(([, a], [, b]) => b.length - a.length);
    if (first === undefined || second === undefined) throw new Error('The shop has no two customers.');
    return [first, second];
  }
});
