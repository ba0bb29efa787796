import type { ToolBodies } from '../../catalog/index.ts';
import type { OrderReader } from '../../domain/orders.ts';
import type { StockReader } from '../../domain/stock.ts';
import { scopeOf } from '../orders/read-orders.ts';

/** MCP shows at most 100 completions. */
const MOST_VALUES = 100;

export function completeArgument(orders: OrderReader, stock: StockReader): ToolBodies['complete_argument'] {
  return async ({ caller, input: { what, prefix } }) => {
    const found =
      what === 'order_id'
        ? await orders.complete(scopeOf(caller), prefix, MOST_VALUES + 1)
        : await stock.complete(caller.tenant, what, prefix, MOST_VALUES + 1);
    return { values: found.slice(0, MOST_VALUES), has_more: found.length > MOST_VALUES };
  };
}
