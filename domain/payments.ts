import type { Topic } from './events.ts';
import type { Money } from './money.ts';

/** Where the money of an order stands (table `payment_intents` says how each state is entered and left). */
export const INTENT_STATES = [
  'requires_charge',
  'charging',
  'pending',
  'succeeded',
  'declined',
  'cancelled',
  'refund_due',
  'refunded',
] as const;
export type IntentState = (typeof INTENT_STATES)[number];

export type PaymentIntent = {
  /** Also the provider's idempotency key: one intent is charged once, whatever is lost on the way. */
  readonly intentId: string;
  /** Public order number. */
  readonly orderId: string;
  readonly provider: 'card' | 'gift_card';
  /** What the provider knows the payment method by. */
  readonly methodRef: string;
  readonly amount: Money;
  readonly state: IntentState;
  /** The provider's id of the charge, once it has named one. */
  readonly chargeRef: string | null;
};

/** Why a provider said no. What it says otherwise becomes `declined`; its own words are not carried. */
export const DECLINE_CODES = [
  'declined',
  'insufficient_funds',
  'expired_card',
  'fraud_suspected',
  'method_unknown',
  'no_provider',
] as const;
export type DeclineCode = (typeof DECLINE_CODES)[number];

/** What a provider says about a charge. `pending`: it will say more by a callback, or when it is asked again. */
export type Charged =
  | { readonly outcome: 'succeeded' | 'pending'; readonly chargeRef: string }
  | { readonly outcome: 'declined'; readonly chargeRef: string | null; readonly code: DeclineCode };

export type ChargeRequest = {
  readonly tenant: string;
  readonly intentId: string;
  readonly methodRef: string;
  readonly amount: Money;
};

/** The answer of a provider was lost, late or garbled: what it did is unknown until it is asked again. */
export class PaymentUnknown extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PaymentUnknown';
  }
}

/**
 * A card processor. Idempotency keys are derived from the intent, so that a repeat moves no money twice.
 * @throws {PaymentUnknown} from every method, when it is not known what the provider did.
 */
export interface PaymentProvider {
  charge(request: ChargeRequest): Promise<Charged>;
  /** What became of the charge with the intent's key; undefined when the provider has never heard of it. */
  find(intentId: string): Promise<Charged | undefined>;
  /** Gives the whole charge back. The same intent is refunded once. */
  refund(request: {
    readonly intentId: string;
    readonly chargeRef: string;
    readonly amount: Money;
  }): Promise<{ readonly refundRef: string }>;
}

/** What is to be done about an intent, judged under its order's lock. */
export type ChargeStep =
  /** Ask for the money; nobody was asked before. */
  | { readonly kind: 'charge'; readonly intent: PaymentIntent }
  /** Somebody was asked and was not heard: look first, and charge again only while `mayCharge`. */
  | { readonly kind: 'look'; readonly intent: PaymentIntent; readonly mayCharge: boolean }
  /** It is known already what became of it, and the order was told. */
  | { readonly kind: 'known'; readonly intent: PaymentIntent }
  /** Nothing: no such intent, or its order does not ask for money (any more, or yet). */
  | { readonly kind: 'nothing' };

/** How a callback, or an answer, fitted what was known. */
export const CALLBACK_VERDICTS = [
  'applied',
  'known', // says what is known already
  'late', // the order had ended: what was charged goes back
  'contradictory', // says the opposite of what the provider said before
  'mismatch', // another amount or currency than was asked for
  'unknown_intent',
] as const;
export type CallbackVerdict = (typeof CALLBACK_VERDICTS)[number];

export type PaymentCallback = {
  readonly provider: string;
  /** The provider's id of the event. */
  readonly eventId: string;
  readonly intentId: string;
  readonly charged: Charged;
  /** As the provider names it; undefined when it names none. */
  readonly amount?: Money;
};

/**
 * The books of payments. Whatever money did is written once, under the lock of its order, together with the event
 * that tells the order about it.
 */
export interface PaymentLedger {
  /** Says what is to be done, and marks the intent as being charged when that is the first attempt. */
  beginCharge(tenant: string, intentId: string): Promise<ChargeStep>;
  /** Charges a gift card: the card's balance and the intent in one transaction. */
  chargeGiftCard(tenant: string, intentId: string): Promise<PaymentIntent | undefined>;
  /** Writes down what the provider said. Answers with the intent as it is now; undefined for none. */
  settle(
    tenant: string,
    intentId: string,
    charged: Charged,
  ): Promise<{ readonly verdict: CallbackVerdict; readonly intent?: PaymentIntent }>;
  /** The provider has never heard of it and its order has ended: nothing was charged. */
  abandon(tenant: string, intentId: string): Promise<void>;
  /** As `settle`, once for each event id; kept whatever came of it. */
  callback(
    tenant: string,
    callback: PaymentCallback,
  ): Promise<{
    readonly verdict: CallbackVerdict | 'repeated' | 'unknown_shop';
    readonly intent?: PaymentIntent;
  }>;
  find(tenant: string, intentId: string): Promise<PaymentIntent | undefined>;
  /** Gives a gift card its money back and notes the refund. */
  refundGiftCard(tenant: string, intentId: string): Promise<void>;
  /** The provider has given the money back. */
  refunded(tenant: string, intentId: string, refundRef: string): Promise<void>;
}

const UNASKED: ReadonlySet<IntentState> = new Set(['requires_charge', 'charging', 'pending']);
const HELD: ReadonlySet<IntentState> = new Set(['succeeded', 'refund_due', 'refunded']);

/**
 * How what a provider says fits what is known. `isOver`: the order was cancelled, so money that arrives goes back.
 * A provider that contradicts itself is believed about money it took, and about nothing else.
 */
export function judgeCharge(
  state: IntentState,
  isOver: boolean,
  outcome: Charged['outcome'],
): { readonly verdict: CallbackVerdict; readonly to: IntentState } {
  if (outcome === 'succeeded') {
    if (HELD.has(state)) return { verdict: 'known', to: state };
    if (state === 'declined') return { verdict: 'contradictory', to: 'refund_due' };
    return isOver || state === 'cancelled'
      ? { verdict: 'late', to: 'refund_due' }
      : { verdict: 'applied', to: 'succeeded' };
  }
  if (outcome === 'declined' && HELD.has(state)) return { verdict: 'contradictory', to: state };
  if (!UNASKED.has(state)) return { verdict: 'known', to: state };
  if (outcome === 'declined') return { verdict: 'applied', to: 'declined' };
  return { verdict: state === 'pending' ? 'known' : 'applied', to: 'pending' };
}

/** Whether money that was not with us before is with us now. */
export function hasArrived(before: IntentState, after: IntentState): boolean {
  return !HELD.has(before) && HELD.has(after);
}

/** A payment that is to be settled, and has waited for it. */
export type Unsettled = {
  readonly tenant: string;
  readonly intentId: string;
  /** Public order number. */
  readonly orderId: string;
  /** Which event said so first: money is ours that must go back, or nobody knows yet whether it is. */
  readonly topic: Extract<Topic, 'refund_due' | 'payment_unresolved'>;
};

/** The id of that event. There is one for each intent and topic, so that a repeat publishes nothing. */
export function moneyEventId({ intentId, topic }: Pick<Unsettled, 'intentId' | 'topic'>): string {
  return `${intentId}:${topic}`;
}

export interface PaymentSweep {
  /**
   * Of all shops: money that must go back, and charges without an answer of orders that are over, unchanged for
   * `graceSeconds`; the first `limit` after `after`.
   */
  unsettled(graceSeconds: number, limit: number, after?: Unsettled): Promise<readonly Unsettled[]>;
}

/** What the workflow that settles a payment asks for. Smuggled workflows may, too: what is not due does not happen. */
export type SettlementActivities = {
  /** Answers with the intent's state; `charging` and `pending` mean that nobody knows yet. Undefined: no such intent. */
  refund_payment(task: {
    readonly tenant: string;
    readonly intentId: string;
  }): Promise<IntentState | undefined>;
};
