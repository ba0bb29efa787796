import assert from 'node:assert/strict';
import { assertReorderFits, carried, roomFor } from '../../domain/reorder.ts';
import type { StockPosition } from '../../domain/stock.ts';

const position: StockPosition = {
  sku: 'A',
  product: 'A thing',
  warehouse: 'WH-2',
  onHand: 40,
  reserved: 30,
  onOrder: 10,
  reorderLevel: 10,
  maxStock: 100,
};

describe('a reorder', () => {
  it('fits up to the maximum, counting what is reserved and what is on order', () => {
    assert.doesNotThrow(() => assertReorderFits(position, 50));
  });

  it('is refused above it, with the room there is', () => {
    assert.throws(() => assertReorderFits(position, 51), {
      code: 'above_max_stock',
      message: 'WH-2 has room for 50 more of A; 51 were asked for.',
      facts: { room: 50, quantity: 51 },
    });
  });

  it('finds no negative room on a shelf that is too full', () => {
    assert.equal(roomFor({ ...position, onHand: 500 }), 0);
  });

  it('is refused where the warehouse does not carry the SKU', () => {
    assert.throws(() => carried(undefined, 'A', 'NOPE'), {
      code: 'stock_not_found',
      message: 'NOPE does not carry A.',
    });
  });
});
