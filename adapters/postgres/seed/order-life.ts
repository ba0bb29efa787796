import type { OrderState } from '../../../domain/orders.ts';
import type { Dice } from './dice.ts';
import { later, type DeliveryRow, type ShipmentRow } from './shop-data.ts';

/** The legal way of an order to each state, and hours from order to arrival in it. */
const WAY: Readonly<Record<OrderState, { readonly from?: OrderState; readonly hours: number }>> = {
  Placed: { hours: 0 },
  PaymentPending: { from: 'Placed', hours: 0.1 },
  Confirmed: { from: 'PaymentPending', hours: 0.5 },
  Cancelled: { from: 'PaymentPending', hours: 1 },
  Packed: { from: 'Confirmed', hours: 6 },
  Shipped: { from: 'Packed', hours: 12 },
  OutForDelivery: { from: 'Shipped', hours: 24 },
  Delivered: { from: 'OutForDelivery', hours: 30 },
  DeliveryFailed: { from: 'Shipped', hours: 30 },
  ReturnInitiated: { from: 'DeliveryFailed', hours: 42 },
  Refunded: { from: 'ReturnInitiated', hours: 72 },
};

export type Step = { readonly from: OrderState | null; readonly to: OrderState; readonly at: string };

/** Every change of state that led to `state`, first to last. */
export function historyOf(state: OrderState, orderedAt: string): readonly Step[] {
  const { from, hours } = WAY[state];
  const step: Step = { from: from ?? null, to: state, at: later(orderedAt, hours) };
  return from === undefined ? [step] : [...historyOf(from, orderedAt), step];
}

/** When the order reached `state`, or undefined when it never did. */
export function reached(state: OrderState, now: OrderState, orderedAt: string): string | undefined {
  return historyOf(now, orderedAt).find(({ to }) => to === state)?.at;
}

export type Carrier = { readonly name: string; readonly number: (dice: Dice) => string };

/** Eleven digits and their check digit: modulo 7. */
const modulo7 = (dice: Dice) => {
  const body = dice.digits(11);
  return `${body}${Number(body) % 7}`;
};

/** `1Z` and fifteen digits; the even places count twice, and the check digit fills up to ten. */
const ups = (dice: Dice) => {
  const body = dice.digits(15);
  const sum = Array.from(body).reduce((total, digit, i) => total + Number(digit) * (i % 2 === 0 ? 1 : 2), 0);
  return `1Z${body}${(10 - (sum % 10)) % 10}`;
};

export const YAMATO: Carrier = { name: 'Yamato', number: modulo7 };
export const SAGAWA: Carrier = { name: 'Sagawa', number: modulo7 };
export const UPS: Carrier = { name: 'UPS', number: ups };

/** A shipment, promised two days after it left and on its way as promised. Undefined before it left. */
export function shipmentOf(
  order: { readonly state: OrderState; readonly date: string },
  carrier: Carrier,
  dice: Dice,
): ShipmentRow | undefined {
  const shippedAt = reached('Shipped', order.state, order.date);
  if (shippedAt === undefined) return undefined;
  const promised = later(shippedAt, 48);
  return { carrier: carrier.name, trackingNumber: carrier.number(dice), promised, estimated: promised };
}

const DELIVERY_STATUS: Readonly<Partial<Record<OrderState, DeliveryRow['status']>>> = {
  Shipped: 'scheduled',
  OutForDelivery: 'in_transit',
  Delivered: 'delivered',
  DeliveryFailed: 'failed',
  ReturnInitiated: 'failed',
  Refunded: 'failed',
};

/** Undefined while nobody drives. */
export function deliveryOf(state: OrderState, driver: string): DeliveryRow | undefined {
  const status = DELIVERY_STATUS[state];
  return status === undefined ? undefined : { driver, status };
}
