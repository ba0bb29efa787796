import type { HistoryStep, OrderState } from './orders.ts';
import type { IntentState } from './payments.ts';

/** Whose life: all that its workflow and its activities are ever told. Everything else they read from Postgres. */
export type LifeOf = {
  readonly tenant: string;
  /** Internal id, as text. */
  readonly order: string;
};

/** An order between two events. */
export type LifeView = {
  /** Public order number. */
  readonly orderId: string;
  readonly state: OrderState;
  /** Oldest first. */
  readonly history: readonly HistoryStep[];
  /** Set while the order waits for money and is given up without it. */
  readonly payment: {
    /** What is to be charged; null when nobody is to be asked (any more). */
    readonly intentId: string | null;
    /** Until the order is given up; 0 when it should be by now. */
    readonly dueInMs: number;
  } | null;
  /** Events are left that this look did not get to. */
  readonly hasMore: boolean;
};

/** Whose answers are affected by a change of an order. */
export type Touched = { readonly orderId: string; readonly customerId: string };

export interface OrderLives {
  /**
   * Judges what was told about the order and is not judged yet, in the order in which it was kept, under the lock of
   * the order's row; writes state, history, verdicts and what is published of it in one transaction. Asks for the
   * payment of an order that checkout placed, and gives it up when its time is over, by events of its own. A repeat
   * finds nothing to do. Undefined: there is no such order.
   */
  advance(life: LifeOf): Promise<{ readonly view: LifeView; readonly touched: Touched } | undefined>;
  /** The life of an order by its public number. */
  named(tenant: string, orderId: string): Promise<LifeOf | undefined>;
}

/** An order whose workflow should be at work. */
export type Stray = LifeOf & {
  readonly orderId: string;
  /** Its workflow has let something pass: an event has waited unjudged, or the payment is overdue. */
  readonly isLate: boolean;
};

export interface OrderSweep {
  /**
   * Orders of all shops that wait for their payment, or for a look at what they were told, the first `limit` after
   * `after`. Late: by more than `graceSeconds`.
   */
  strays(graceSeconds: number, limit: number, after?: Stray): Promise<readonly Stray[]>;
}

/** What the lifecycle's workflow asks for. Smuggled workflows may, too: what is not in Postgres does not happen. */
export type LifecycleActivities = {
  /** Null: there is no such order. */
  judge_order_events(life: LifeOf): Promise<LifeView | null>;
  /** Its outcome comes back as an event. */
  charge_payment(task: {
    readonly tenant: string;
    readonly intentId: string;
  }): Promise<IntentState | undefined>;
};
