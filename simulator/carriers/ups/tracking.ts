import { isDelivered, type Scan, scansUntil, type SimulatedParcel } from '../parcels.ts';
import { CONTRADICTION, statusOf, type UpsStatus } from './status.ts';
import { dayAndTime, upsTime } from './times.ts';

/** What may be wrong with an answer that is otherwise in good form. */
export type Distortion = 'contradictory' | 'duplicates' | 'out_of_order';

/** Tracking.yaml's `TrackApiResponse` about one parcel. */
export function trackResponse(parcel: SimulatedParcel, now: Date, distortion: Distortion | undefined) {
  const scans = scansUntil(parcel, now);
  const currentStatus =
    distortion === 'contradictory' ? CONTRADICTION : statusOf(scans[0]?.state ?? 'pending');
  const activity = distorted(scans.map(activityOf), distortion);
  return {
    trackResponse: {
      shipment: [
        {
          inquiryNumber: parcel.trackingNumber,
          package: [
            {
              trackingNumber: parcel.trackingNumber,
              ...arrivalOf(parcel, scans, now),
              activity,
              currentStatus,
              packageCount: 1,
              service: { code: parcel.service },
              referenceNumber:
                parcel.reference === undefined ? [] : [{ type: 'SHIPMENT', number: parcel.reference }],
            },
          ],
          userRelation: ['MYCHOICE'],
        },
      ],
    },
  };
}

/** What UPS answers, with status 200, about a number that it has never seen. */
export function notFoundResponse(trackingNumber: string) {
  return {
    trackResponse: {
      shipment: [
        {
          inquiryNumber: trackingNumber,
          warnings: [{ code: 'TW0001', message: 'Tracking Information Not Found' }],
        },
      ],
    },
  };
}

function activityOf({ state, at, place }: Scan) {
  return {
    location: { address: { city: place.city, countryCode: place.country, country: place.country } },
    status: statusOf(state),
    ...upsTime(at, place.country),
  };
}

function distorted<T extends { readonly status: UpsStatus }>(
  activity: readonly T[],
  distortion: Distortion | undefined,
): readonly T[] {
  if (distortion === 'duplicates') return activity.flatMap((one) => [one, one]);
  if (distortion === 'contradictory')
    return activity.map((one, i) => (i === 0 ? { ...one, status: CONTRADICTION } : one));
  // Each second one first, so that it is neither newest nor oldest first.
  const [even, odd] = [0, 1].map((rest) => activity.filter((_, i) => i % 2 === rest));
  return distortion === undefined ? activity : [...(odd ?? []), ...(even ?? [])];
}

function arrivalOf(parcel: SimulatedParcel, scans: readonly Scan[], now: Date) {
  const delivered = isDelivered(parcel, now) ? scans[0] : undefined;
  if (delivered) {
    const { date, time } = dayAndTime(delivered.at);
    return { deliveryDate: [{ type: 'DEL', date }], deliveryTime: { type: 'DEL', endTime: time } };
  }
  const scheduled = { type: 'SDD', date: dayAndTime(parcel.promisedAt).date };
  const { date, time } = dayAndTime(parcel.arrivesAt);
  const isMoved = parcel.arrivesAt.getTime() !== parcel.promisedAt.getTime();
  return {
    deliveryDate: isMoved ? [scheduled, { type: 'RDD', date }] : [scheduled],
    deliveryTime: { type: 'EDW', startTime: '080000', endTime: time },
  };
}
