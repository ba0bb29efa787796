import assert from 'node:assert/strict';
import { catalog, sortArguments } from '../../catalog/index.ts';
import type { ToolSpec } from '../../catalog/define.ts';

describe('what a client sends', () => {
  it('loses user_id, which is handed over apart', () => {
    assert.deepEqual(sort('get_price', { manga_id: 'M', user_id: 'somebody' }), {
      input: { manga_id: 'M' },
      userId: 'somebody',
      problems: [],
    });
  });

  it('gets the proper name of an alias', () => {
    assert.deepEqual(sort('check_stock', { manga_id: 'M', volume: 3 }).input, {
      manga_id: 'M',
      volume_number: 3,
    });
  });

  it('may name an argument twice with the same value', () => {
    assert.deepEqual(sort('check_stock', { manga_id: 'M', volume: 3, volume_number: 3 }), {
      input: { manga_id: 'M', volume_number: 3 },
      problems: [],
    });
  });

  it('may not name an argument twice with different values', () => {
    assert.deepEqual(sort('check_stock', { manga_id: 'M', volume: 3, volume_number: 4 }).problems, [
      'volume: is another name of volume_number; they differ.',
    ]);
  });

  it('loses the idempotency key of an action, which is handed over apart', () => {
    const { input, idempotencyKey } = sort('create_reorder', { sku: 'A', idempotency_key: 'k-1' });
    assert.deepEqual([input, idempotencyKey], [{ sku: 'A' }, 'k-1']);
  });

  it('keeps an idempotency key that a read has no use for, so that the schema refuses it', () => {
    const { input } = sort('get_price', { manga_id: 'M', idempotency_key: 'k-1' });
    assert.equal(tool('get_price').input.safeParse(input).success, false);
  });

  for (const key of ['', 'x'.repeat(129), 'naïve', 'line\nbreak', 7, null, {}]) {
    it(`may not have the idempotency key ${JSON.stringify(key).slice(0, 20)}`, () => {
      const { idempotencyKey, problems } = sort('create_reorder', { idempotency_key: key });
      assert.deepEqual([idempotencyKey, problems.length], [undefined, 1]);
    });
  }

  it('cannot reach a prototype', () => {
    const sent: Record<string, unknown> = Object.assign(Object.create(null), {
      __proto__: { volume: 1 },
      manga_id: 'M',
    });
    assert.deepEqual(Object.keys(sort('check_stock', sent).input).includes('volume_number'), false);
  });
});

describe('arguments of the wrong kind', () => {
  for (const [name, input] of [
    ['get_order_status', { order_id: '1 OR 1=1' }],
    ['get_order_status', { order_id: '' }],
    ['get_order_status', { order_id: 88213 }],
    ['get_order_status', { order_id: 'a'.repeat(129) }],
    ['get_order_status', { order_id: "'; drop table orders; --" }],
    ['get_order_status', { order_id: '８８２１３' }],
    ['get_order_status', { order_id: '1\u0000' }],
    ['get_order_status', { order_id: null }],
    ['list_recent_orders', { limit: 0 }],
    ['list_recent_orders', { limit: 11 }],
    ['list_recent_orders', { limit: 100_000 }],
    ['list_recent_orders', { limit: 'x' }],
    ['list_recent_orders', { limit: 1.5 }],
    ['get_order_details', {}],
    ['check_stock', {}],
    ['check_stock', { manga_id: "M'; drop table orders; --" }],
    ['check_stock', { manga_id: 'M', volume_number: '42' }],
    ['check_stock', { manga_id: 'M', volume_number: -1 }],
    ['check_stock', { manga_id: 'M', volume_number: 1e300 }],
    ['check_stock', { manga_id: ['M'] }],
    ['get_price', { manga_id: '' }],
    ['get_inventory_status', { low_stock_threshold: -1 }],
    ['get_inventory_status', { product: 'a\u0000b' }],
    ['get_inventory_status', { product: 'x'.repeat(201) }],
    ['create_reorder', { sku: 'A', quantity: 0, warehouse: 'W' }],
    ['create_reorder', { sku: 'A', quantity: 1.5, warehouse: 'W' }],
    ['create_reorder', { sku: 'A', quantity: '5', warehouse: 'W' }],
    ['create_reorder', { sku: 'A', quantity: 1e12, warehouse: 'W' }],
    ['create_reorder', { sku: 'A', warehouse: 'W' }],
    ['get_action_status', { action_id: '../x' }],
  ] as const) {
    it(`are refused: ${name} ${JSON.stringify(input).slice(0, 60)}`, () => {
      assert.equal(tool(name).input.safeParse(input).success, false);
    });
  }
});

describe('ids that shops bring along', () => {
  for (const order_id of ['88213', '#W2611340', 'ord_456', 'INV/2026/001', 'a'.repeat(128), '"quoted"']) {
    it(`may be asked for: ${order_id.slice(0, 20)}`, () => {
      assert.equal(tool('get_order_status').input.safeParse({ order_id }).success, true);
    });
  }
});

function sort(name: string, sent: Readonly<Record<string, unknown>>) {
  return sortArguments(tool(name), sent);
}

function tool(name: string): ToolSpec {
  const found = catalog.get(name);
  assert.ok(found, `${name} is not in the catalog`);
  return found;
}
