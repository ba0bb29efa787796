import { z } from 'zod';
import { bareNumber } from '../../../domain/carrier-push.ts';
import { CarrierError, type ParcelEvent, type Tracking } from '../../../domain/carriers.ts';
import { CarrierFault } from '../faults.ts';
import { listOf, part, text } from '../loose.ts';
import { parcelState } from '../normalise.ts';
import { newestFirst, timeOf } from '../times.ts';
import { tellsNoState } from './status.ts';

const STATUS = part({ type: text, code: text, statusCode: text });

const ACTIVITY = z.object({
  date: text,
  time: text,
  gmtDate: text,
  gmtTime: text,
  gmtOffset: text,
  status: STATUS,
  location: part({ address: part({ city: text, country: text, countryCode: text }) }),
});

const PACKAGE = z.object({
  trackingNumber: text,
  alternateTrackingNumber: listOf(z.object({ number: text })),
  activity: listOf(ACTIVITY),
  currentStatus: STATUS,
  deliveryDate: listOf(z.object({ type: text, date: text })),
  deliveryTime: part({ type: text, startTime: text, endTime: text }),
});

const SHIPMENT = z.object({
  inquiryNumber: text,
  package: listOf(PACKAGE),
  warnings: listOf(z.object({ code: text })),
});

const ANSWER = z.object({ trackResponse: z.object({ shipment: z.array(z.unknown()).min(1) }) });

type Package = z.output<typeof PACKAGE>;
type Activity = z.output<typeof ACTIVITY>;
type Status = Activity['status'];

/**
 * UPS's tracking answer about the parcel that was asked for. What the format does not need is overlooked;
 * an answer about another parcel, or none, is not one.
 *
 * @throws {CarrierError} unknown_number, garbled
 */
export function parseUpsTracking(answer: unknown, asked: string): Tracking {
  const parsed = ANSWER.safeParse(answer);
  if (!parsed.success) throw new CarrierFault('garbled', 'UPS’s tracking answer has no shipment.');
  const shipments = listOf(SHIPMENT).parse(parsed.data.trackResponse.shipment);
  const found = packageOf(shipments, asked);
  if (found) return trackingOf(found, asked);
  // TW0001 "Tracking Information Not Found" comes with status 200 and a shipment without a package.
  if (shipments.some((one) => one.package.length === 0 && one.warnings.length > 0))
    throw new CarrierError('unknown_number', 'UPS does not know this tracking number.');
  throw new CarrierFault('garbled', 'UPS’s tracking answer is about another parcel.');
}

function packageOf(shipments: readonly z.output<typeof SHIPMENT>[], asked: string): Package | undefined {
  const all = shipments.flatMap((shipment) =>
    shipment.package.map((item) => ({ item, inquired: same(shipment.inquiryNumber, asked) })),
  );
  const named = all.find(
    ({ item }) =>
      same(item.trackingNumber, asked) || item.alternateTrackingNumber.some((one) => same(one.number, asked)),
  );
  return (named ?? all.find(({ inquired }) => inquired))?.item;
}

function same(given: string | undefined, asked: string): boolean {
  return given !== undefined && bareNumber(given) === bareNumber(asked);
}

function trackingOf(item: Package, asked: string): Tracking {
  const events = newestFirst(item.activity.map(eventOf));
  const telling = [item.currentStatus, ...item.activity.map(({ status }) => status)].find(
    (status) => status !== undefined && !tellsNoState(status.type, status.statusCode),
  );
  const state = stateOf(telling);
  return {
    carrier: 'UPS',
    trackingNumber: asked,
    state,
    estimatedDelivery: state === 'delivered' ? null : promised(item),
    deliveredAt: state === 'delivered' ? delivered(item, events) : null,
    events,
  };
}

function stateOf(status: Status): ParcelEvent['state'] {
  return parcelState({ family: 'ups', type: status?.type, statusCode: status?.statusCode });
}

function eventOf(activity: Activity): ParcelEvent {
  const { status, location } = activity;
  return {
    state: stateOf(status),
    code: status?.code ?? status?.statusCode ?? null,
    ...when(activity),
    city: location?.address?.city || null,
    country: location?.address?.countryCode || location?.address?.country || null,
  };
}

/** Local time with its offset; else UTC; else local time of nobody knows where. */
function when({ date, time, gmtDate, gmtTime, gmtOffset }: Activity) {
  const local = timeOf(date, time, gmtOffset);
  if (local.zoneKnown) return local;
  const utc = timeOf(gmtDate, gmtTime, '+00:00');
  return utc.at === null ? local : utc;
}

/** The rescheduled date counts before the scheduled one. */
function promised({ deliveryDate, deliveryTime }: Package): string | null {
  const date =
    deliveryDate.find(({ type }) => type === 'RDD') ?? deliveryDate.find(({ type }) => type === 'SDD');
  return date === undefined
    ? null
    : (timeOf(date.date, deliveryTime?.endTime).at ?? timeOf(date.date, '').at);
}

function delivered({ deliveryDate, deliveryTime }: Package, events: readonly ParcelEvent[]): string | null {
  const scanned = events.find(({ state }) => state === 'delivered')?.at;
  if (scanned) return scanned;
  const date = deliveryDate.find(({ type }) => type === 'DEL');
  return date === undefined ? null : timeOf(date.date, deliveryTime?.endTime).at;
}
