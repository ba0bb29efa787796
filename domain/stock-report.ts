import { majorUnits, type Currency } from './money.ts';
import type { ProductStock } from './stock.ts';

/** The reorder point of a product for which nobody has set one (document 002). */
const DEFAULT_REORDER_LEVEL = 10;

/** A report names at most this many products of each kind; the counts beside them are complete. */
const NAMED = 200;

export type StockAlert = {
  readonly product: string;
  readonly sku: string;
  readonly currentStock: number;
  readonly reorderLevel: number;
};

export type StockReport = {
  readonly totalProducts: number;
  readonly lowCount: number;
  /** Emptiest first. */
  readonly low: readonly StockAlert[];
  readonly outCount: number;
  readonly out: readonly StockAlert[];
  /** Products nobody counts: neither low nor out. */
  readonly uncountedCount: number;
  readonly totalValue: number;
  readonly currency: Currency | null;
};

/**
 * Low is at or below the product's reorder level; an explicit threshold replaces every level, and 10 counts only
 * where no level is set (conflict X-19). What is out is not low as well.
 */
export function stockReport(products: readonly ProductStock[], threshold?: number): StockReport {
  const counted = products.filter((product) => product.counted);
  const alerts = counted.map((product) => alertOf(product, threshold));
  const out = alerts.filter(({ currentStock }) => currentStock <= 0);
  const low = alerts
    .filter(({ currentStock, reorderLevel }) => currentStock > 0 && currentStock <= reorderLevel)
    .sort((a, b) => a.currentStock - b.currentStock);
  const currency = products[0]?.currency ?? null;
  const valueMinor = counted.reduce((sum, product) => sum + product.valueMinor, 0);
  return {
    totalProducts: products.length,
    lowCount: low.length,
    low: low.slice(0, NAMED),
    outCount: out.length,
    out: out.slice(0, NAMED),
    uncountedCount: products.length - counted.length,
    totalValue: currency === null ? 0 : majorUnits({ amountMinor: valueMinor, currency }),
    currency,
  };
}

function alertOf(
  { product, sku, quantity, reserved, reorderLevel }: ProductStock,
  threshold?: number,
): StockAlert {
  return {
    product,
    sku,
    currentStock: quantity - reserved,
    reorderLevel: threshold ?? reorderLevel ?? DEFAULT_REORDER_LEVEL,
  };
}
