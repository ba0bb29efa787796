import type { Money } from './money.ts';
import type { Touched } from './order-life.ts';

/** What a parcel can be said to be doing; each carrier's codes map to these, and what is not known to `unknown`. */
export const PARCEL_STATES = [
  'pending',
  'picked_up',
  'in_transit',
  'out_for_delivery',
  'ready_for_pickup',
  'delivered',
  'delivery_failed',
  'delivery_delayed',
  'on_hold',
  'return_to_sender',
  'cancelled',
  'unknown',
] as const;
export type ParcelState = (typeof PARCEL_STATES)[number];

/** One scan, in our words. `code` is the carrier's own; the carrier's free text is not carried. */
export type ParcelEvent = {
  readonly state: ParcelState;
  readonly code: string | null;
  /** ISO 8601 with zone; local carrier time without a zone is kept as UTC with `zoneKnown: false`. */
  readonly at: string | null;
  readonly zoneKnown: boolean;
  readonly city: string | null;
  readonly country: string | null;
};

export type Tracking = {
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly state: ParcelState;
  /** ISO 8601, null when the carrier names none. */
  readonly estimatedDelivery: string | null;
  readonly deliveredAt: string | null;
  /** Newest first. */
  readonly events: readonly ParcelEvent[];
};

export type Address = {
  /** Who receives the parcel there. */
  readonly name?: string;
  readonly line1: string;
  readonly line2?: string;
  readonly city: string;
  readonly region?: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
};

export type Parcel = { readonly weightGrams: number; readonly pieces: number };

export type RateQuote = {
  readonly carrier: string;
  readonly service: string;
  readonly cost: Money;
  /** ISO 8601. */
  readonly estimatedDelivery: string;
};

/** Why a carrier did not answer. An expected state of the world: callers fall back to what was known last. */
export const CARRIER_PROBLEMS = [
  'timeout', // no answer within the deadline
  'rate_limited', // 429, or our own limit for this carrier
  'down', // 5xx, connection refused or reset, circuit open
  'garbled', // an answer that is not what the carrier's interface says
  'unauthorised', // our credentials were refused
  'unknown_number', // the carrier does not know the parcel
  'undeliverable', // the carrier does not serve the address
  'unsupported', // this carrier has no interface configured, or not for this request
] as const;
export type CarrierProblem = (typeof CARRIER_PROBLEMS)[number];

export class CarrierError extends Error {
  readonly problem: CarrierProblem;

  constructor(problem: CarrierProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CarrierError';
    this.problem = problem;
  }
}

/** How long a caller waits in all, retries included; `heartbeat` is called at each attempt. */
export type Patience = {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly heartbeat?: () => void;
};

/**
 * One carrier's interface, or several behind one. Every method answers or throws within `deadlineMs`.
 * @throws {CarrierError} only.
 */
export interface CarrierClient {
  track(carrier: string, trackingNumber: string, patience: Patience): Promise<Tracking>;
  /** Quotes for one parcel from a warehouse's address, cheapest first; never empty. */
  rate(from: Address, to: Address, parcel: Parcel, patience: Patience): Promise<readonly RateQuote[]>;
  /** Books a parcel. The same `idempotencyKey` gives the same label. */
  label(
    request: {
      readonly from: Address;
      readonly to: Address;
      readonly parcel: Parcel;
      readonly service: string;
    },
    idempotencyKey: string,
    patience: Patience,
  ): Promise<{ readonly carrier: string; readonly trackingNumber: string; readonly cost: Money }>;
  /** Asks for the parcel to be sent elsewhere or back. The same key asks once. */
  intercept(
    request: {
      readonly carrier: string;
      readonly trackingNumber: string;
      readonly what:
        { readonly kind: 'return_to_sender' } | { readonly kind: 'redirect'; readonly to: Address };
    },
    idempotencyKey: string,
    patience: Patience,
  ): Promise<{ readonly accepted: boolean; readonly reference: string }>;
}

/** Told what carriers' interfaces do. */
export type CarrierMetrics = {
  /** One attempt at a carrier, also one that was stopped before it left. */
  attempt(carrier: string, operation: string, outcome: 'ok' | CarrierProblem, seconds: number): void;
  circuit(carrier: string, state: 'open' | 'half-open' | 'closed'): void;
};

/** The last thing a carrier said about a parcel's arrival, kept for when it says nothing (table `carrier_etas`). */
export type LastKnownEta = {
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly state: ParcelState;
  /** ISO 8601. */
  readonly estimatedDelivery: string | null;
  /** ISO 8601, real time: when the carrier said so. */
  readonly seenAt: string;
};

export interface EtaStore {
  lastKnown(tenant: string, carrier: string, trackingNumber: string): Promise<LastKnownEta | undefined>;
  /**
   * Keeps it unless a later one is there, or this one names no day and the one that is there does. A changed ETA also
   * updates the shipments on their way and publishes `shipment_eta_changed`. Answers whose orders show another day now.
   */
  keep(tenant: string, eta: LastKnownEta): Promise<readonly Touched[]>;
}
