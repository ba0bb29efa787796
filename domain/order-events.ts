import type { OrderState } from './orders.ts';

/** What can be told about an order, and the state each asks for. */
export const ASKS_FOR = {
  payment_requested: 'PaymentPending',
  payment_succeeded: 'Confirmed',
  payment_failed: 'Cancelled',
  payment_timed_out: 'Cancelled',
  packed: 'Packed',
  shipped: 'Shipped',
  out_for_delivery: 'OutForDelivery',
  delivered: 'Delivered',
  delivery_failed: 'DeliveryFailed',
  return_initiated: 'ReturnInitiated',
  refunded: 'Refunded',
} as const satisfies Record<string, OrderState>;
export type OrderEventKind = keyof typeof ASKS_FOR;

export type OrderEventSource = 'checkout' | 'payment' | 'warehouse' | 'carrier' | 'timer' | 'staff';

/** One thing that was told about an order, by somebody whose right to tell it was checked at the door. */
export type IncomingOrderEvent = {
  /** Unique per shop: the teller's own id behind its name (`ups:…`, `psp:…`), so that a repeat is seen as one. */
  readonly eventId: string;
  /** Public order number. */
  readonly orderId: string;
  readonly kind: OrderEventKind;
  /** ISO 8601: when it happened, as the teller says. */
  readonly happenedAt: string;
  readonly source: OrderEventSource;
  /** Who told: a subject, a carrier's code, `system`. */
  readonly actor: string;
  /** A carrier's parcel, when the event is about one. */
  readonly parcel?: {
    readonly carrier: string;
    readonly trackingNumber: string;
    /** ISO 8601. */
    readonly estimatedDelivery?: string;
  };
  /** Code of the cause, from a fixed list of the teller's adapter; never free text from outside. */
  readonly cause?: string;
};

/** The door: what is told is kept first, and judged afterwards by the order's own workflow, one event at a time. */
export interface OrderInbox {
  /**
   * Keeps the event and, in the same transaction, the outbox row that wakes the order's workflow.
   * `repeated`: this event id is there already, nothing was written. `unknown_order`: nothing was written.
   *
   * @throws {Refusal} unavailable: it may be kept or not, and counts once when it is sent again.
   */
  receive(tenant: string, event: IncomingOrderEvent): Promise<'accepted' | 'repeated' | 'unknown_order'>;
}
