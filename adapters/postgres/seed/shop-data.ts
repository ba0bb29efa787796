import type { OrderState } from '../../../domain/orders.ts';

/** A shop as the seed lays it out: public ids only, instants as ISO 8601, amounts in major units. */
export type ShopData = {
  readonly shop: { readonly id: string; readonly name: string; readonly currency: string };
  readonly warehouses: readonly WarehouseRow[];
  readonly products: readonly ProductRow[];
  readonly positions: readonly PositionRow[];
  readonly prices: readonly PriceRow[];
  readonly promotions: readonly PromotionRow[];
  readonly customers: readonly CustomerRow[];
  readonly drivers: readonly DriverRow[];
  readonly orders: readonly OrderRow[];
};

type WarehouseRow = {
  readonly code: string;
  readonly city: string;
  readonly region: string;
  readonly addressLine: string;
  readonly postalCode: string;
  readonly province?: string;
  readonly country: string;
};

export type ProductRow = {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly price: number;
  readonly description: string;
  readonly brand: string;
  readonly weight: number;
  readonly dimensions: string;
  readonly mangaId?: string;
  readonly volumeNumber?: number;
};

export type PositionRow = {
  readonly sku: string;
  readonly warehouse: string;
  readonly quantity: number;
  readonly reserved: number;
  readonly reorderLevel: number;
  readonly maxStockLevel: number;
  readonly supplier: string;
  readonly cost: number;
};

export type PriceRow = {
  readonly sku: string;
  readonly amount: number;
  readonly validFrom: string;
  readonly validUntil: string;
};

export type PromotionRow = {
  readonly sku: string;
  readonly name: string;
  readonly discountPct: number;
  readonly startsAt: string;
  readonly endsAt: string;
};

export type CustomerRow = {
  readonly customerId: string;
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly address: string;
  readonly city: string;
  readonly country: string;
  readonly paysWith: 'credit_card' | 'paypal';
  readonly createdAt: string;
};

type DriverRow = {
  readonly name: string;
  readonly status: 'available' | 'on_route' | 'off_duty' | 'sick';
};

export type LineRow = {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly discount: number;
};

export type OrderRow = {
  readonly orderId: string;
  readonly customerId: string;
  readonly date: string;
  readonly state: OrderState;
  readonly lines: readonly LineRow[];
  readonly discountApplied: number;
  readonly shippingCost: number;
  readonly notes?: string;
  readonly shipment?: ShipmentRow;
  readonly delivery?: DeliveryRow;
};

export type ShipmentRow = {
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly promised: string;
  readonly estimated: string;
};

export type DeliveryRow = {
  readonly driver: string;
  readonly status: 'scheduled' | 'in_transit' | 'delayed' | 'delivered' | 'failed';
  readonly note?: string;
};

const HOUR_MS = 3_600_000;

/** The instant `days` and `hours` after the anchor's midnight, UTC; negative is before. */
export function after(anchor: string, days: number, hours = 0): string {
  return later(`${anchor}T00:00:00.000Z`, days * 24 + hours);
}

export function later(instant: string, hours: number): string {
  return new Date(Date.parse(instant) + hours * HOUR_MS).toISOString();
}

/** Two decimals, so that sums of cents stay sums of cents. */
export function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

/** What the customer owes: lines less discounts, plus shipping. */
export function totalOf(order: Pick<OrderRow, 'lines' | 'discountApplied' | 'shippingCost'>): number {
  const lines = order.lines.reduce((sum, line) => sum + line.quantity * line.unitPrice - line.discount, 0);
  return cents(lines - order.discountApplied + order.shippingCost);
}
