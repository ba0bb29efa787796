import type { LastKnownEta, ParcelEvent, ParcelState, Tracking } from './carriers.ts';
import type { IncomingOrderEvent, OrderEventKind } from './order-events.ts';
import type { Touched } from './order-life.ts';

/** Something a carrier pushed, as the door hands it on: whose it is, its signature has said. */
export type CarrierDelivery = {
  readonly tenant: string;
  /** As in the address it came to. */
  readonly carrier: string;
  /** The sender's id of the event, or the hash of the body. */
  readonly eventId: string;
  readonly body: string;
  /** Capital letters and digits only. */
  readonly trackingNumber: string | null;
};

/** Where it is kept until it is read. */
export interface CarrierMailbox {
  /** Durable when it resolves, and so is that it will be read. A repeat writes nothing. */
  keep(delivery: CarrierDelivery): Promise<'accepted' | 'repeated'>;
}

/** An order that a pushed parcel belongs to. */
export type PushedOrder = Touched & {
  /** Internal id, as text. */
  readonly order: string;
  /** The carrier as the shipment names it. */
  readonly carrier: string;
  /** As the shipment writes it. */
  readonly trackingNumber: string;
};

export type PushedParcel = { readonly tracking: Tracking; readonly orders: readonly PushedOrder[] };

export interface CarrierReceipts {
  /** What the receipt says and whom it concerns; undefined when there is nothing (left) to read in it. */
  look(tenant: string, receipt: string): Promise<PushedParcel | undefined>;
  /**
   * Tells every order of the parcel, writes the note of its delivery unless a later scan has been read, and ends the
   * receipt, in one transaction. A repeat does nothing. Answers whose orders were touched.
   */
  settle(tenant: string, receipt: string): Promise<readonly Touched[]>;
}

/** What a scan says of an order; what is not here says nothing of it. */
const TOLD_BY: Partial<Readonly<Record<ParcelState, OrderEventKind>>> = {
  picked_up: 'shipped',
  in_transit: 'shipped',
  out_for_delivery: 'out_for_delivery',
  delivered: 'delivered',
  delivery_failed: 'delivery_failed',
};

/** A carrier that tells of more scans at once tells of the newest. */
const MOST_SCANS = 50;
/** No clock of a carrier is so far ahead. */
const AHEAD_MS = 60_000;

/** Capital letters and digits only: how two spellings of a tracking number are compared. */
export function bareNumber(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
}

/** What is told to one order of the parcel, oldest first. The same scan has the same id, whichever push brings it. */
export function eventsToldBy(
  { trackingNumber, events, estimatedDelivery }: Tracking,
  { order, orderId, carrier, trackingNumber: written }: PushedOrder,
  receivedAt: string,
): readonly IncomingOrderEvent[] {
  const told = events.slice(0, MOST_SCANS).toReversed();
  return told.flatMap((scan) => {
    const kind = TOLD_BY[scan.state];
    if (kind === undefined) return [];
    return {
      eventId: ['carrier', carrier, bareNumber(trackingNumber), order, kind, scan.at ?? receivedAt].join(':'),
      orderId,
      kind,
      happenedAt: notAhead(scan.at, receivedAt),
      source: 'carrier' as const,
      actor: carrier,
      parcel: {
        carrier,
        trackingNumber: written,
        ...(estimatedDelivery === null ? {} : { estimatedDelivery }),
      },
      cause: scan.state,
    };
  });
}

/** What the carrier said last of the parcel's arrival. */
export function etaToldBy(
  tracking: Tracking,
  { carrier, trackingNumber }: PushedOrder,
  receivedAt: string,
): LastKnownEta {
  const { state, estimatedDelivery, events } = tracking;
  const seenAt = notAhead(events[0]?.at ?? null, receivedAt);
  return { carrier, trackingNumber, state, estimatedDelivery, seenAt };
}

/** The time the carrier gives, if it gives one that can be. */
function notAhead(at: string | null, receivedAt: string): string {
  if (at === null || Date.parse(at) > Date.parse(receivedAt) + AHEAD_MS) return receivedAt;
  return at;
}

export type DeliveryNote = {
  readonly status: 'in_transit' | 'delayed' | 'failed';
  readonly note: string | null;
};

/**
 * What the newest scan says of the delivery. Our words and the carrier's code; its free text is not carried. That it is
 * delivered is the order's to say, with the last of its parcels.
 */
export function noteToldBy({ events, state }: Tracking, carrier: string): DeliveryNote | undefined {
  const told = NOTES[state];
  if (told === undefined) return undefined;
  const [status, words] = told;
  return { status, note: words === null ? null : `${carrier}: ${words}${codeIn(events[0])}.` };
}

const NOTES: Partial<Readonly<Record<ParcelState, readonly [DeliveryNote['status'], string | null]>>> = {
  picked_up: ['in_transit', null],
  in_transit: ['in_transit', null],
  out_for_delivery: ['in_transit', null],
  ready_for_pickup: ['in_transit', 'ready for pickup'],
  delivery_failed: ['failed', 'delivery attempt failed'],
  delivery_delayed: ['delayed', 'delayed'],
  on_hold: ['delayed', 'on hold'],
  return_to_sender: ['failed', 'on its way back to the sender'],
};

function codeIn(scan: ParcelEvent | undefined): string {
  const code = scan?.code ?? '';
  return /^[A-Za-z0-9_-]{1,20}$/.test(code) ? ` (code ${code})` : '';
}

/**
 * Whether a shipment's carrier can be the one that pushed. Names differ in spelling and in what follows the name
 * (`Yamato Transport`, `UPSDAP`); numbers of two carriers can be the same.
 */
export function isSameCarrier(written: string | null, pushed: readonly string[]): boolean {
  if (written === null) return true;
  const own = bareNumber(written);
  return pushed
    .map(bareNumber)
    .filter((name) => name !== '')
    .some((name) => own.startsWith(name) || name.startsWith(own));
}
