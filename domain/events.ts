import type { JsonObject } from './json.ts';

/** Everything this product publishes. A name never changes its meaning; a payload that does gets a new version. */
export const TOPICS = [
  /** Somebody asked for stock and the cache did not have it (document 000, stock check flow). */
  'stock_check_event',
  /** Checkout committed: the order, its lines, its payment intent and the stock it took. */
  'order_placed',
  /** Something was told about an order; it has not been judged yet. */
  'order_event_received',
  'order_status_changed',
  /** An event about an order that the diagram does not allow, kept for people to look at. */
  'order_event_refused',
  'shipment_eta_changed',
  'payment_settled',
  'refund_due',
  /** An order ended while its payment provider had not said whether it charged; it is asked until it does. */
  'payment_unresolved',
  /** A promotion was written, changed or withdrawn, by whatever means. */
  'promotion_changed',
  'promotion_started',
  'promotion_ended',
  /** Which policies hold has changed: published, replaced, withdrawn or gone back to. */
  'policies_changed',
  /** A carrier pushed something that its signature vouches for; it has not been read yet. */
  'carrier_webhook_received',
] as const;
export type Topic = (typeof TOPICS)[number];

/** What is handed to the outbox, in the transaction of the change it tells about. */
export type OutgoingEvent = {
  /** Unique per shop. A repeat writes nothing, so derive it from what happened (`<order>:<transition>`), if it can be. */
  readonly eventId: string;
  readonly topic: Topic;
  /** Version of the payload's schema. */
  readonly version: number;
  /** What must stay in order among its like: an order id, a product. Streams partition by tenant and key. */
  readonly key: string;
  /** Facts only, no personal data. */
  readonly payload: JsonObject;
  /** ISO 8601, real time. */
  readonly at: string;
};

export type PublishedEvent = OutgoingEvent & {
  readonly tenant: string;
  /** Dense and growing in the order of publication, over all shops; given by the drainer, never by an insert. */
  readonly position: number;
};

/** The log that consumers read and resume from. */
export interface EventLog {
  /** In order, from the first position after `after`. */
  read(after: number, limit: number): Promise<readonly PublishedEvent[]>;
  /** Where the consumer stopped; 0 for one that has never read. */
  cursor(consumer: string): Promise<number>;
  /** Never moves back. What failed up to there is no longer of interest. */
  advance(consumer: string, position: number): Promise<void>;
  /** Puts on record that the consumer could not deal with the event; true: it is to leave it out. */
  failed(consumer: string, position: number, failure: string): Promise<boolean>;
}

/** A consumer and where it stands. */
export type ConsumerStanding = {
  readonly consumer: string;
  readonly position: number;
  /** Events of the log that it has not dealt with. */
  readonly lag: number;
  /** ISO 8601. */
  readonly movedAt: string;
  /** Events that it could not deal with and has not passed, by position. */
  readonly failures: readonly {
    readonly position: number;
    readonly attempts: number;
    /** What the last attempt said; for operators only. */
    readonly failure: string;
    /** ISO 8601. */
    readonly failedAt: string;
    /** It will be left out. */
    readonly skipped: boolean;
  }[];
};

/** The care of the log, over all shops. */
export interface EventKeeping {
  /**
   * Forgets, of the first `limit` events of the log, those that every consumer has passed and that were published so
   * many days ago, one at least; how many they were.
   */
  forget(olderThanDays: number, limit: number): Promise<number>;
  consumers(): Promise<readonly ConsumerStanding[]>;
  /** Has the consumer leave out this one event. False: it has not failed at it, or leaves it out already. */
  skip(consumer: string, position: number): Promise<boolean>;
}

/** How far the log and its consumers are behind. */
export type EventLag = {
  /** Events in the log. */
  readonly published: number;
  /** Events in the outbox that have no position yet, and how long the first of them has waited. */
  readonly queued: number;
  readonly oldestQueuedSeconds: number;
  /** Events of the log that each consumer has not dealt with. */
  readonly behind: Readonly<Record<string, number>>;
};

/** Where events go besides the log: a stream of Redis or Kinesis. */
export interface EventSink {
  readonly name: string;
  /** Durable when it resolves. May be given an event twice, after a crash; consumers dedupe by tenant and event id. */
  publish(events: readonly PublishedEvent[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * What this product itself does about an event. Delivered at least once, and for each tenant and key in order of
 * position; different keys may be under way at once. It must bear a repeat. What it throws, and what takes half a
 * minute, is tried again, and holds up only its own consumer.
 */
export type Reaction = {
  readonly consumer: string;
  readonly topics: readonly Topic[];
  react(event: PublishedEvent): Promise<void>;
};
