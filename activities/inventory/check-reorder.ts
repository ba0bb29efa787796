import type { ToolBodies } from '../../catalog/index.ts';
import { assertReorderFits, carried, roomFor } from '../../domain/reorder.ts';
import type { StockReader } from '../../domain/stock.ts';

/**
 * Looks at the primary, past the cache: a refusal here is the last word to whoever asks.
 * @throws {Refusal} stock_not_found, above_max_stock
 */
export function checkReorder(primary: StockReader): ToolBodies['check_reorder'] {
  return async ({ caller: { tenant }, input: { sku, quantity, warehouse } }) => {
    const position = carried(await primary.position(tenant, sku, warehouse), sku, warehouse);
    assertReorderFits(position, quantity);
    return { status: 'fits', room: roomFor(position) };
  };
}
