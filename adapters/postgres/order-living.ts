import type { OrderEventKind, OrderEventSource } from '../../domain/order-events.ts';
import type { OrderState } from '../../domain/orders.ts';

/** An order whose row is locked. `state` moves with what is applied. */
export type Living = {
  readonly tenant: string;
  /** Internal id. */
  readonly order: string;
  /** Public number. */
  readonly orderId: string;
  state: OrderState;
};

/** A row of the inbox that has no verdict yet. */
export type KeptEvent = {
  readonly eventId: string;
  readonly kind: OrderEventKind;
  readonly source: OrderEventSource;
  readonly actor: string;
  readonly cause: string | null;
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly estimatedDelivery: Date | null;
  /** Never later than its receipt, whatever its teller says. */
  readonly happenedAt: Date;
};
