import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import { stockReport, type StockAlert } from '../../domain/stock-report.ts';
import type { StockReader } from '../../domain/stock.ts';
import { factsOf } from '../facts.ts';
import { from, type Sided } from '../from.ts';
import { reportKey } from './keys.ts';

export function getInventoryStatus(
  cache: Cache,
  stock: Sided<StockReader>,
): ToolBodies['get_inventory_status'] {
  return async ({ caller: { tenant }, input: { product, category, low_stock_threshold: threshold } }) => {
    const filter = {
      ...(product === undefined ? {} : { product }),
      ...(category === undefined ? {} : { category }),
    };
    const key = reportKey(tenant, { ...filter, ...(threshold === undefined ? {} : { threshold }) });
    const loaded = await cache.read(key, async (hint) =>
      stockReport(await from(stock, hint).products(tenant, filter), threshold),
    );
    const report = loaded.value;
    const found = report.totalProducts > 0;
    return {
      status: found ? 'found' : 'not_found',
      message: found
        ? `${report.totalProducts} products: ${report.lowCount} low on stock, ${report.outCount} out of stock.`
        : 'No product matches. Do not infer stock levels.',
      total_products: report.totalProducts,
      low_stock_count: report.lowCount,
      low_stock_items: report.low.map((alert) => ({ ...itemOf(alert), status: 'low_stock' as const })),
      out_of_stock_count: report.outCount,
      out_of_stock_items: report.out.map((alert) => ({ ...itemOf(alert), status: 'out_of_stock' as const })),
      uncounted_products: report.uncountedCount,
      total_value: report.totalValue,
      currency: report.currency,
      ...factsOf(loaded),
    };
  };
}

function itemOf({ product, sku, currentStock, reorderLevel }: StockAlert) {
  return { product, sku, current_stock: currentStock, reorder_level: reorderLevel };
}
