import { z } from 'zod';
import { bareNumber } from '../../../domain/carrier-push.ts';
import { CarrierError, type ParcelEvent, type Tracking } from '../../../domain/carriers.ts';
import { CarrierFault } from '../faults.ts';
import { listOf, part, text } from '../loose.ts';
import { parcelState } from '../normalise.ts';
import { isoTime, newestFirst } from '../times.ts';

const SCAN = z.object({
  date: text,
  eventType: text,
  derivedStatusCode: text,
  scanLocation: part({ city: text, countryCode: text }),
});

const RESULT = z.object({
  error: part({ code: text }),
  latestStatusDetail: part({ code: text, derivedCode: text }),
  scanEvents: listOf(SCAN),
  dateAndTimes: listOf(z.object({ type: text, dateTime: text })),
  estimatedDeliveryTimeWindow: part({ window: part({ begins: text, ends: text }) }),
  standardTransitTimeWindow: part({ window: part({ begins: text, ends: text }) }),
});

const COMPLETE = z.object({ trackingNumber: text, trackResults: listOf(RESULT) });
const ANSWER = z.object({ output: z.object({ completeTrackResults: z.array(z.unknown()) }) });

type Result = z.output<typeof RESULT>;

/**
 * FedEx's tracking answer about the parcel that was asked for. FedEx reuses numbers: of several parcels the one
 * with the newest scan is meant.
 *
 * @throws {CarrierError} unknown_number, garbled
 */
export function parseFedexTracking(answer: unknown, asked: string): Tracking {
  const parsed = ANSWER.safeParse(answer);
  if (!parsed.success) throw new CarrierFault('garbled', 'FedEx’s tracking answer has no results.');
  const ours = listOf(COMPLETE)
    .parse(parsed.data.output.completeTrackResults)
    .find(({ trackingNumber }) => bareNumber(trackingNumber ?? '') === bareNumber(asked));
  if (ours === undefined)
    throw new CarrierFault('garbled', 'FedEx’s tracking answer is about another parcel.');
  const results = ours.trackResults.map((result) => ({ result, events: eventsOf(result) }));
  const newest = results.toSorted((a, b) => newestAt(b.events).localeCompare(newestAt(a.events)))[0];
  if (newest === undefined) throw new CarrierFault('garbled', 'FedEx’s tracking answer is empty.');
  // Its own example has an error beside the scans; without scans the error is the answer.
  if (newest.events.length === 0 && newest.result.error !== undefined)
    throw problemOf(newest.result.error.code);
  return trackingOf(newest.result, newest.events, asked);
}

/** Whether this code of FedEx's says that it does not know the number. */
export function fedexKnowsNot(code: string | undefined): boolean {
  return /^TRACKING\.(TRACKINGNUMBER|DATA|REFERENCE\w*)\./.test(code ?? '');
}

function problemOf(code: string | undefined): CarrierError {
  return fedexKnowsNot(code)
    ? new CarrierError('unknown_number', 'FedEx does not know this tracking number.')
    : new CarrierFault('garbled', 'FedEx answered with an error of its own.');
}

const newestAt = (events: readonly ParcelEvent[]) => events.find(({ at }) => at !== null)?.at ?? '';

function eventsOf({ scanEvents }: Result): readonly ParcelEvent[] {
  return newestFirst(
    scanEvents.map((scan): ParcelEvent => ({
      state: parcelState({
        family: 'fedex',
        eventType: scan.eventType,
        derivedCode: scan.derivedStatusCode,
      }),
      code: scan.eventType ?? null,
      ...isoTime(scan.date),
      city: scan.scanLocation?.city || null,
      country: scan.scanLocation?.countryCode || null,
    })),
  );
}

function trackingOf(result: Result, events: readonly ParcelEvent[], asked: string): Tracking {
  const { latestStatusDetail: latest } = result;
  const told = parcelState({ family: 'fedex', eventType: latest?.code, derivedCode: latest?.derivedCode });
  const state =
    latest === undefined ? (events.find((event) => event.state !== 'unknown')?.state ?? 'unknown') : told;
  return {
    carrier: 'FedEx',
    trackingNumber: asked,
    state,
    estimatedDelivery: state === 'delivered' ? null : promised(result),
    deliveredAt: state === 'delivered' ? delivered(result, events) : null,
    events,
  };
}

/** A point in time first; of a window its beginning, as FedEx's own page shows it. */
function promised(result: Result): string | null {
  const { estimatedDeliveryTimeWindow: estimated, standardTransitTimeWindow: standard } = result;
  return (
    [
      dated(result, 'ESTIMATED_DELIVERY'),
      estimated?.window?.begins,
      estimated?.window?.ends,
      standard?.window?.begins,
      standard?.window?.ends,
    ]
      .map((text) => isoTime(text).at)
      .find((at) => at !== null) ?? null
  );
}

function delivered(result: Result, events: readonly ParcelEvent[]): string | null {
  return (
    events.find(({ state }) => state === 'delivered')?.at ?? isoTime(dated(result, 'ACTUAL_DELIVERY')).at
  );
}

function dated({ dateAndTimes }: Result, type: string): string | undefined {
  return dateAndTimes.find((one) => one.type === type)?.dateTime;
}
