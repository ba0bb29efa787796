import type { Currency } from './money.ts';

/** The eleven states of an order (document 000, state diagram). */
export const ORDER_STATES = [
  'Placed',
  'PaymentPending',
  'Confirmed',
  'Cancelled',
  'Packed',
  'Shipped',
  'OutForDelivery',
  'Delivered',
  'DeliveryFailed',
  'ReturnInitiated',
  'Refunded',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** The words of document 002 for the same states (conflict X-03). */
export const LEGACY_STATUS: Readonly<Record<OrderState, string>> = {
  Placed: 'pending',
  PaymentPending: 'pending',
  Confirmed: 'processing',
  Packed: 'processing',
  Shipped: 'shipped',
  OutForDelivery: 'shipped',
  Delivered: 'fulfilled',
  Cancelled: 'cancelled',
  DeliveryFailed: 'failed',
  ReturnInitiated: 'returned',
  Refunded: 'refunded',
};

export type OrderLine = {
  readonly lineNo: number;
  readonly sku: string;
  readonly product: string;
  readonly mangaId: string | null;
  readonly volumeNumber: number | null;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly discountMinor: number;
};

export type Shipment = {
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  /** ISO 8601 with zone, or null before a carrier has said. */
  readonly promisedDelivery: string | null;
  readonly estimatedDelivery: string | null;
};

/** One change of an order's state, as it is on record. */
export type HistoryStep = {
  /** Null for the first. */
  readonly from: OrderState | null;
  readonly to: OrderState;
  /** ISO 8601. */
  readonly at: string;
  /** Kind of the event, and its teller's code behind a colon. */
  readonly cause: string;
  readonly inferred: boolean;
};

export type Delivery = {
  readonly status: string;
  readonly driver: { readonly name: string; readonly status: string } | null;
  readonly note: string | null;
};

/** Money that moved for an order. `method` is the kind of payment method, never its number. */
export type OrderPayment = {
  readonly kind: 'payment' | 'refund';
  readonly amountMinor: number;
  readonly method: string | null;
};

/** One order as every face of it needs (status, history, details, record): conflict X-18. Times are ISO 8601, UTC. */
export type Order = {
  readonly orderId: string;
  readonly state: OrderState;
  /** The imported source's own word, when there was one. */
  readonly sourceStatus: string | null;
  readonly createdAt: string;
  readonly fulfilledAt: string | null;
  readonly customerId: string;
  readonly userId: string;
  readonly customerName: string;
  /** Masked where it is read, so that the clear address is in no cache and no plan. */
  readonly customerEmailMasked: string;
  readonly currency: Currency;
  readonly totalMinor: number;
  readonly discountAppliedMinor: number;
  readonly shippingCostMinor: number;
  readonly paymentMethod: string | null;
  readonly lines: readonly OrderLine[];
  /** Oldest first. */
  readonly shipments: readonly Shipment[];
  readonly payments: readonly OrderPayment[];
  readonly delivery: Delivery | null;
  /** Oldest first; empty for an imported order that has not moved since. */
  readonly history: readonly HistoryStep[];
};

/** Whose orders may be seen: one customer's, or the whole shop's. */
export type OrderScope = { readonly tenant: string; readonly customerId?: string };

export interface OrderReader {
  /**
   * Undefined when unknown or outside the scope; the two cannot be told apart. Accepts every spelling of
   * `order-ids.ts`; an id that is a spelling of two orders in scope finds neither.
   */
  find(scope: OrderScope, orderId: string): Promise<Order | undefined>;
  /** Newest first. `limit` counts orders, not lines. */
  recent(scope: OrderScope, limit: number): Promise<readonly Order[]>;
  /** Orders not yet shipped (Placed to Packed), oldest first. */
  upcoming(
    tenant: string,
    limit: number,
  ): Promise<{ readonly total: number; readonly orders: readonly Order[] }>;
  /** Units ordered per SKU in (since, until], cancelled orders left out. */
  demand(
    tenant: string,
    since: Date,
    until: Date,
  ): Promise<
    readonly {
      readonly sku: string;
      readonly product: string;
      readonly units: number;
      readonly orders: number;
    }[]
  >;
  /** For argument completion: order ids in scope that start with `prefix`. */
  complete(scope: OrderScope, prefix: string, limit: number): Promise<readonly string[]>;
}

/** Days between the promised and the current date, whole, never negative: current ETA − promised date. */
export function daysLate(promised: string | null, eta: string | null): number {
  if (promised === null || eta === null) return 0;
  const days = Math.floor((Date.parse(eta) - Date.parse(promised)) / 86_400_000);
  return Math.max(days, 0);
}
