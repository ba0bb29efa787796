import assert from 'node:assert/strict';
import { catalog, INSTRUCTIONS, listedInputSchema, wireOutputSchema } from '../../catalog/index.ts';
import type { ToolSpec } from '../../catalog/define.ts';

const ONLY_REPORT = 'Only report order information returned by get_order_status. Never infer.';

describe('the words of the sources', () => {
  it('are in the instructions', () => {
    assert.ok(INSTRUCTIONS.includes(ONLY_REPORT));
  });

  for (const name of ['get_order_status', 'list_recent_orders', 'get_order_details']) {
    it(`are in the description of ${name}`, () => {
      assert.ok(tool(name).description.includes(ONLY_REPORT));
    });
  }

  it('describe get_price to the letter', () => {
    assert.ok(
      tool('get_price').description.includes(
        'Returns current retail price and discount status for a manga volume. NEVER infer or estimate prices — always return from this tool.',
      ),
    );
  });

  it('describe create_reorder to the letter', () => {
    assert.ok(
      tool('create_reorder').description.includes(
        'Place a replenishment purchase order for a SKU at a warehouse.',
      ),
    );
  });

  it('describe get_inventory_status to the letter', () => {
    assert.ok(
      tool('get_inventory_status').description.includes(
        'Check current inventory levels with alerts for low stock.',
      ),
    );
  });

  it('word an executed reorder with × and →', () => {
    const said = tool('create_reorder').say({
      po_id: '1042',
      quantity: 40,
      sku: 'BER42-42',
      warehouse: 'WH-2',
    });
    assert.equal(said, 'Reorder placed: PO #1042 (40× BER42-42 → WH-2)');
  });
});

describe('the listed input', () => {
  const properties = (name: string) => Object.keys(listedInputSchema(tool(name)).properties).sort();

  it('of get_order_status shows user_id, which is ignored', () => {
    assert.deepEqual(properties('get_order_status'), ['locale', 'order_id', 'user_id']);
  });

  it('of list_recent_orders shows user_id and a limit of 1 to 10, 10 by default', () => {
    assert.deepEqual(properties('list_recent_orders'), ['limit', 'locale', 'user_id']);
    const { limit } = listedInputSchema(tool('list_recent_orders')).properties;
    assert.deepEqual(limit, {
      type: 'integer',
      minimum: 1,
      maximum: 10,
      default: 10,
      description: 'How many orders at most, 1 to 10.',
    });
  });

  it('of check_stock shows volume as another name of volume_number', () => {
    assert.deepEqual(properties('check_stock'), ['manga_id', 'volume', 'volume_number']);
  });

  it('of get_inventory_status has three optional parameters and a default threshold of 10', () => {
    const schema = listedInputSchema(tool('get_inventory_status'));
    assert.deepEqual(properties('get_inventory_status'), ['category', 'low_stock_threshold', 'product']);
    assert.deepEqual([schema.required ?? [], JSON.stringify(schema).includes('"default":10')], [[], true]);
  });

  it('of create_reorder requires the three parameters of the source, and takes an idempotency key', () => {
    const schema = listedInputSchema(tool('create_reorder'));
    assert.deepEqual([...(schema.required ?? [])].sort(), ['quantity', 'sku', 'warehouse']);
    assert.ok('idempotency_key' in schema.properties);
  });
});

describe('the wire output', () => {
  it('of an action says where it stands and nests the own output of the tool', () => {
    const { properties, required } = wireOutputSchema(tool('create_reorder'));
    assert.deepEqual(required, ['status', 'action_id']);
    const { result } = properties;
    assert.deepEqual(typeof result === 'object' && result.required, [
      'po_id',
      'sku',
      'quantity',
      'warehouse',
    ]);
  });

  it('carries the names of the sources', () => {
    const named = ['get_order_status', 'list_recent_orders', 'check_stock', 'get_price'].map(
      (name) => wireOutputSchema(tool(name)).title,
    );
    assert.deepEqual(named, ['OrderStatusList', 'OrderList', 'StockInfo', 'PriceInfo']);
  });
});

function tool(name: string): ToolSpec {
  const found = catalog.get(name);
  assert.ok(found, `${name} is not in the catalog`);
  return found;
}
