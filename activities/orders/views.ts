import { majorUnits } from '../../domain/money.ts';
import { type Locale, wordsFor } from '../../domain/order-messages.ts';
import { daysLate, type Order, type OrderLine, type Shipment } from '../../domain/orders.ts';
import { type Arrival, type Arrivals, onFile } from '../logistics/arrival.ts';

/** An order with when it arrives. */
export type Arriving = { readonly order: Order; readonly arrival: Arrival };

export async function arriving(arrivals: Arrivals, tenant: string, order: Order): Promise<Arriving> {
  return { order, arrival: await arrivals(tenant, { state: order.state, shipment: latestShipment(order) }) };
}

/** An order that nobody is asked about. */
export function asOnFile(order: Order): Arriving {
  return { order, arrival: onFile(latestShipment(order)?.estimatedDelivery ?? null) };
}

/** An order as its status and its history show it: the ten columns of document 000, lines nested. */
export function entryOf({ order, arrival }: Arriving, locale: Locale = 'en') {
  const { carrier, trackingNumber } = latestShipment(order) ?? NOT_SHIPPED;
  const { message, nextStep } = wordsFor(order.state, arrival.estimated_delivery, locale);
  return {
    order_id: order.orderId,
    status: order.state,
    created_at: order.createdAt,
    items: order.lines.map((line) => ({
      manga_id: line.mangaId,
      volume_number: line.volumeNumber,
      sku: line.sku,
      title: line.product,
      quantity: line.quantity,
      unit_price: inMajor(order, line.unitPriceMinor),
    })),
    currency: order.currency,
    total: inMajor(order, order.totalMinor),
    carrier,
    tracking_number: trackingNumber,
    ...arrival,
    message,
    next_step: nextStep,
  };
}

function lineOf(order: Order, line: OrderLine) {
  return {
    line_no: line.lineNo,
    sku: line.sku,
    product: line.product,
    manga_id: line.mangaId,
    volume_number: line.volumeNumber,
    quantity: line.quantity,
    unit_price: inMajor(order, line.unitPriceMinor),
    discount: inMajor(order, line.discountMinor),
  };
}

function shipmentOf(shipment: Shipment) {
  return {
    carrier: shipment.carrier,
    tracking_number: shipment.trackingNumber,
    promised_delivery: shipment.promisedDelivery,
    estimated_delivery: shipment.estimatedDelivery,
  };
}

function latestShipment({ shipments }: Order): Shipment | undefined {
  return shipments.at(-1);
}

/** What the details and the record of an order have in common. */
export function moneyAndGoods({ order, arrival }: Arriving) {
  const last = latestShipment(order);
  return {
    currency: order.currency,
    total: inMajor(order, order.totalMinor),
    discount_applied: inMajor(order, order.discountAppliedMinor),
    shipping_cost: inMajor(order, order.shippingCostMinor),
    items: order.lines.map((line) => lineOf(order, line)),
    shipments: order.shipments.map(shipmentOf),
    shipment: last === undefined ? null : { ...shipmentOf(last), ...arrival },
    days_late: daysLate(last?.promisedDelivery ?? null, arrival.estimated_delivery),
  };
}

export function inMajor({ currency }: Order, amountMinor: number): number {
  return majorUnits({ amountMinor, currency });
}

const NOT_SHIPPED: Shipment = {
  carrier: null,
  trackingNumber: null,
  promisedDelivery: null,
  estimatedDelivery: null,
};
