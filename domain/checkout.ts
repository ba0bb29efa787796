import type { Address } from './carriers.ts';
import { type Money, type Currency } from './money.ts';
import type { OrderState } from './orders.ts';
import { Refusal } from './refusal.ts';

/** One wish of a cart: a SKU, or a volume of a title. */
export type CartItem = (
  { readonly sku: string } | { readonly mangaId: string; readonly volumeNumber: number }
) & { readonly quantity: number };

export type CheckoutRequest = {
  readonly tenant: string;
  /** Public customer id, from the verified token. */
  readonly customerId: string;
  /** Subject of the login, for the order's history. */
  readonly subject: string;
  /** Unique per customer: the same key and hash answer with the first order. */
  readonly key: string;
  /** Of everything the customer asked for. */
  readonly requestHash: string;
  readonly items: readonly CartItem[];
  /** Public id of one of the customer's own. */
  readonly paymentMethodId: string;
  readonly deliveryAddress: Address;
  readonly shippingMethod?: string;
  /** What the customer was told it would cost; another total is refused. Major units. */
  readonly expectedTotal?: number;
};

export type PlacedOrder = {
  readonly orderId: string;
  readonly state: OrderState;
  readonly total: Money;
  readonly shippingCost: Money;
  /** ISO 8601, real time. */
  readonly paymentDueAt: string;
  readonly replayed: boolean;
  /** Whose stock it took, for what is cached of it. */
  readonly took: readonly {
    readonly mangaId: string | null;
    readonly volumeNumber: number | null;
    readonly warehouse: string;
  }[];
};

export interface Checkout {
  /**
   * One transaction: order, lines, totals, payment intent, allocations and the stock they take, from the primary
   * and never from a cache. A repeat of key and hash answers with the first order as it is now.
   *
   * @throws {Refusal} stock_not_found, sold_out, price_unavailable, price_changed, not_found (customer, payment
   *   method, shipping method), idempotency_conflict, invalid_arguments (worth more than can be written down);
   *   nothing is changed then.
   */
  place(request: CheckoutRequest): Promise<PlacedOrder>;
}

/** One position as it stands under its lock. */
export type Shelf = { readonly warehouseId: string; readonly warehouse: string; readonly sellable: number };
export type Allocation = { readonly warehouseId: string; readonly quantity: number };

/** From the fullest shelf first, so that one warehouse sends all of it whenever one can. @throws {Refusal} sold_out */
export function allocate(sku: string, shelves: readonly Shelf[], quantity: number): readonly Allocation[] {
  const fullest = [...shelves].sort(
    (a, b) => b.sellable - a.sellable || (a.warehouse < b.warehouse ? -1 : 1),
  );
  const allocations: Allocation[] = [];
  let wanted = quantity;
  for (const { warehouseId, sellable } of fullest) {
    const taken = Math.min(wanted, Math.max(sellable, 0));
    if (taken > 0) allocations.push({ warehouseId, quantity: taken });
    wanted -= taken;
  }
  if (wanted === 0) return allocations;
  const available = quantity - wanted;
  throw new Refusal(
    'sold_out',
    available === 0
      ? `${sku} is sold out. Nothing was ordered.`
      : `Only ${available} of ${sku} are left; ${quantity} were asked for. Nothing was ordered.`,
    { sku, available, requested: quantity },
  );
}

export type PricedLine = {
  readonly quantity: number;
  /** Before the discount, for one unit. */
  readonly unitPriceMinor: number;
  /** Of one unit, at this moment. */
  readonly unitDiscountMinor: number;
};

/** Σ quantity × (unit price − discount) + shipping: the sum that the order's own columns add up to. */
export function totalOf(lines: readonly PricedLine[], shipping: Money): Money {
  return {
    amountMinor: goodsOf(lines) + shipping.amountMinor,
    currency: shipping.currency,
  };
}

export function goodsOf(lines: readonly PricedLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * (line.unitPriceMinor - line.unitDiscountMinor), 0);
}

/** What a parcel costs with goods of this worth. */
export function shippingOf(
  method: { readonly costMinor: number; readonly freeFromMinor: number | null },
  goodsMinor: number,
  currency: Currency,
): Money {
  const isFree = method.freeFromMinor !== null && goodsMinor >= method.freeFromMinor;
  return { amountMinor: isFree ? 0 : method.costMinor, currency };
}
