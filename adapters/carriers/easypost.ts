import { z } from 'zod';
import type { ParcelEvent, ParcelState, Tracking } from '../../domain/carriers.ts';
import { CarrierFault } from './faults.ts';
import { listOf, part, text } from './loose.ts';
import { isoTime, newestFirst } from './times.ts';

const DETAIL = z.object({
  status: text,
  status_detail: text,
  datetime: text,
  carrier_code: text,
  tracking_location: part({ city: text, country: text }),
});

const EVENT = z.object({
  object: z.literal('Event'),
  result: z.object({
    object: z.literal('Tracker'),
    tracking_code: z.string().regex(/^[!-~]{1,64}$/),
    status: text,
    status_detail: text,
    carrier: text,
    updated_at: text,
    est_delivery_date: text,
    tracking_details: listOf(DETAIL),
  }),
});

/** EasyPost's own states; it maps those of every carrier to them. */
const STATES: Readonly<Record<string, ParcelState>> = {
  pre_transit: 'pending',
  in_transit: 'in_transit',
  out_for_delivery: 'out_for_delivery',
  available_for_pickup: 'ready_for_pickup',
  delivered: 'delivered',
  return_to_sender: 'return_to_sender',
  failure: 'delivery_failed',
  cancelled: 'cancelled',
};

/** What it says more precisely of a parcel in transit. */
const DETAILS: Readonly<Record<string, ParcelState>> = {
  delayed: 'delivery_delayed',
  weather_delay: 'delivery_delayed',
  held: 'on_hold',
};

/**
 * What EasyPost posts to a webhook about a parcel of any carrier: the whole tracker, with every scan so far.
 *
 * @throws {CarrierError} garbled
 */
export function parseEasyPostEvent(body: unknown): Tracking {
  const parsed = EVENT.safeParse(body);
  if (!parsed.success) throw new CarrierFault('garbled', 'This is not an EasyPost event about a tracker.');
  const { tracking_code, status, status_detail, carrier, updated_at, est_delivery_date, tracking_details } =
    parsed.data.result;
  const state = stateOf(status, status_detail);
  const scans = newestFirst(tracking_details.map(scanOf));
  // The tracker can be ahead of its scans: then its own state is the newest of them.
  const events =
    scans[0]?.state === state || state === 'unknown' ? scans : [ownScan(state, updated_at), ...scans];
  return {
    carrier: carrier ?? '',
    trackingNumber: tracking_code,
    state: state === 'unknown' ? (events[0]?.state ?? 'unknown') : state,
    estimatedDelivery: isoTime(est_delivery_date).at,
    deliveredAt: events.find((event) => event.state === 'delivered')?.at ?? null,
    events,
  };
}

function scanOf(detail: z.output<typeof DETAIL>): ParcelEvent {
  return {
    state: stateOf(detail.status, detail.status_detail),
    code: detail.carrier_code ?? null,
    ...isoTime(detail.datetime),
    city: detail.tracking_location?.city || null,
    country: detail.tracking_location?.country || null,
  };
}

function ownScan(state: ParcelState, updatedAt: string | undefined): ParcelEvent {
  return { state, code: null, ...isoTime(updatedAt), city: null, country: null };
}

function stateOf(status: string | undefined, detail: string | undefined): ParcelState {
  const state = own(STATES, status) ?? 'unknown';
  return state === 'in_transit' ? (own(DETAILS, detail) ?? state) : state;
}

function own(
  table: Readonly<Record<string, ParcelState>>,
  name: string | undefined,
): ParcelState | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}
