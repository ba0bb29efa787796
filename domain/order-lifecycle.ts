import { ASKS_FOR, type IncomingOrderEvent } from './order-events.ts';
import type { OrderState } from './orders.ts';

/**
 * The diagram of document 000. An order is placed, waits for its payment, and is confirmed by it or cancelled
 * without it; the warehouse packs and ships it; the carrier brings it out and delivers it, or fails to, and then it
 * comes back and is refunded. Delivered, Cancelled and Refunded are never left.
 */
export const TRANSITIONS = [
  ['Placed', 'PaymentPending'],
  ['PaymentPending', 'Confirmed'],
  ['PaymentPending', 'Cancelled'],
  ['Confirmed', 'Packed'],
  ['Packed', 'Shipped'],
  ['Shipped', 'OutForDelivery'],
  ['OutForDelivery', 'Delivered'],
  ['Shipped', 'DeliveryFailed'],
  ['DeliveryFailed', 'ReturnInitiated'],
  ['ReturnInitiated', 'Refunded'],
] as const satisfies readonly (readonly [OrderState, OrderState])[];

export type Step = {
  readonly from: OrderState;
  readonly to: OrderState;
  /** Nobody said so, and what was said cannot have happened without it. */
  readonly inferred: boolean;
};

/** Why an event was kept and not followed. */
export const EVENT_PROBLEMS = [
  'order_finished', // Delivered, Cancelled or Refunded: a return of a delivered order has its own record
  'payment_missing', // money is never inferred: what asks for a paid order does not make it one
  'return_missing', // nor is a return inferred from its refund
  'attempt_failed', // a failed attempt of an order out for delivery: a note, no state
  'not_in_diagram',
] as const;
export type EventProblem = (typeof EVENT_PROBLEMS)[number];

export type Judgement =
  /** At least one step, first to last; what was said is the last, or none where one of several parcels arrived. */
  | { readonly verdict: 'applied'; readonly path: readonly Step[] }
  | { readonly verdict: 'refused'; readonly reason: EventProblem }
  /** Says what is known, of the order: told before, or the order has been there already. */
  | { readonly verdict: 'repeated' };

export function isLegal(from: OrderState, to: OrderState): boolean {
  return TRANSITIONS.some(([a, b]) => a === from && b === to);
}

/** Nothing follows. */
export function isFinished(state: OrderState): boolean {
  return !TRANSITIONS.some(([from]) => from === state);
}

/** The shortest way along the diagram, both ends included; undefined when there is none. */
export function pathBetween(from: OrderState, to: OrderState): readonly OrderState[] | undefined {
  const ways: (readonly OrderState[])[] = [[from]];
  // The diagram has no circle, so this ends; the queue makes the first way that arrives the shortest.
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1);
    if (last === to) return way;
    for (const [a, b] of TRANSITIONS) if (a === last) ways.push([...way, b]);
  }
  return undefined;
}

/** Steps out of these states are about money and are taken only when they are said. */
const BEFORE_PAYMENT: ReadonlySet<OrderState> = new Set(['Placed', 'PaymentPending']);

/**
 * What an event does to an order in `state`. `judged`: ids of the events that were judged before. `parcelsLeft`: of the
 * order, still under way when the event has its own delivered; 0 for an event that is about no parcel, but the order.
 */
export function judge(
  state: OrderState,
  judged: ReadonlySet<string>,
  { eventId, kind }: Pick<IncomingOrderEvent, 'eventId' | 'kind'>,
  parcelsLeft = 0,
): Judgement {
  if (judged.has(eventId)) return { verdict: 'repeated' };
  // An order is delivered with the last of its parcels. Until then one that arrived says that they are out.
  const asked = kind === 'delivered' && parcelsLeft > 0 ? 'OutForDelivery' : ASKS_FOR[kind];
  // Every state has one way in, so an order has been wherever its state can be reached from.
  if (pathBetween(asked, state) !== undefined) return { verdict: 'repeated' };
  const states = pathBetween(state, asked);
  if (states === undefined) return { verdict: 'refused', reason: problemOf(state, asked) };
  const path = states.slice(1).map((to, i) => ({
    from: states[i] ?? state,
    to,
    inferred: to !== ASKS_FOR[kind],
  }));
  if (path.some((step) => step.inferred && BEFORE_PAYMENT.has(step.from)))
    return { verdict: 'refused', reason: 'payment_missing' };
  if (asked === 'Refunded' && path.length > 1) return { verdict: 'refused', reason: 'return_missing' };
  return { verdict: 'applied', path };
}

function problemOf(state: OrderState, asked: OrderState): EventProblem {
  if (isFinished(state)) return 'order_finished';
  return state === 'OutForDelivery' && asked === 'DeliveryFailed' ? 'attempt_failed' : 'not_in_diagram';
}
