import { ORDER_STATES, type OrderState } from '../../../domain/orders.ts';
import type { Dice } from './dice.ts';
import { deliveryOf, shipmentOf, type Carrier } from './order-life.ts';
import { after, cents, type LineRow, type OrderRow } from './shop-data.ts';

/** An order before it has a number: those follow from the dates. */
export type Draft = Omit<OrderRow, 'orderId'>;

export type Till = {
  readonly products: readonly { readonly sku: string; readonly price: number }[];
  /** What shipping may cost. */
  readonly shipping: readonly number[];
  /** Taken off the whole order now and then. */
  readonly voucher: number;
  /** 100 where the currency has cents, 1 where it has none. */
  readonly unitsPerMajor: number;
};

/** One to three different products, now and then with a tenth off. */
export function drawLines({ products, unitsPerMajor }: Till, dice: Dice): readonly LineRow[] {
  const chosen = new Set(Array.from({ length: dice.int(1, 3) }, () => dice.pick(products)));
  return [...chosen].map(({ sku, price }) => {
    const quantity = dice.int(1, 3);
    const off = dice.chance(20) ? Math.floor((quantity * price * unitsPerMajor) / 10) / unitsPerMajor : 0;
    return { sku, quantity, unitPrice: price, discount: cents(off) };
  });
}

export type Drive = { readonly carriers: readonly Carrier[]; readonly drivers: readonly string[] };

/** An order with the shipment and delivery that its state calls for. */
export function draft(
  order: Omit<Draft, 'shipment' | 'delivery'>,
  { carriers, drivers }: Drive,
  dice: Dice,
): Draft {
  const shipment = shipmentOf(order, dice.pick(carriers), dice);
  const delivery = deliveryOf(order.state, dice.pick(drivers));
  return { ...order, ...(shipment && { shipment }), ...(delivery && { delivery }) };
}

/** What an order of chance costs beside its lines. */
export function drawExtras(till: Till, lines: readonly LineRow[], dice: Dice) {
  const sum = lines.reduce((total, { quantity, unitPrice }) => total + quantity * unitPrice, 0);
  const discountApplied = sum > 4 * till.voucher && dice.chance(10) ? till.voucher : 0;
  return { discountApplied, shippingCost: dice.pick(till.shipping) };
}

/** Where orders end up that were placed weeks ago. */
const OLD: readonly OrderState[] = [
  ...Array.from({ length: 21 }, () => 'Delivered' as const),
  'Cancelled',
  'Cancelled',
  'Refunded',
  'DeliveryFailed',
];

export function oldState(dice: Dice): OrderState {
  return dice.pick(OLD);
}

const BEFORE_SHIPPING: ReadonlySet<OrderState> = new Set(['Placed', 'PaymentPending', 'Confirmed', 'Packed']);

/**
 * State and date of the n-th recent order. The states take turns, so that each occurs; what has not been
 * shipped is three or four days old, the rest has had time to get where it is.
 */
export function recent(
  n: number,
  anchor: string,
  dice: Dice,
): { readonly state: OrderState; readonly date: string } {
  const state = ORDER_STATES[n % ORDER_STATES.length] ?? 'Placed';
  const days = BEFORE_SHIPPING.has(state) ? dice.int(3, 4) : dice.int(5, 20);
  return { state, date: after(anchor, -days, dice.int(0, 22)) };
}

/** By date, numbered one after another so that the draft `fixed` gets `number`. */
export function numbered(
  drafts: readonly Draft[],
  fixed: Draft,
  number: number,
  prefix: string,
): readonly OrderRow[] {
  const byDate = [...drafts].sort((a, b) => a.date.localeCompare(b.date));
  const first = number - byDate.indexOf(fixed);
  return byDate.map((order, i) => ({ ...order, orderId: `${prefix}${first + i}` }));
}
