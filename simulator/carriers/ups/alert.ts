import type { Scan, SimulatedParcel } from '../parcels.ts';
import { statusOf, type UpsStatus } from './status.ts';
import { dayAndTime, upsTime } from './times.ts';

/** Alerts know fewer types than tracking. */
const TYPE_IN_ALERTS: Readonly<Record<string, string>> = { P: 'I', RS: 'X' };

/** UPSTrackAlert.yaml's `TrackingEventRequest`: one scan, as it is pushed. */
export function alertOf(
  parcel: SimulatedParcel,
  { state, at, place }: Scan,
  status: UpsStatus = statusOf(state),
) {
  const { date, time, gmtDate, gmtTime, gmtOffset } = upsTime(at, place.country, '.');
  const delivered = state === 'delivered' ? dayAndTime(at) : undefined;
  return {
    trackingNumber: parcel.trackingNumber,
    localActivityDate: date,
    localActivityTime: time,
    activityLocation: { city: place.city, country: place.country },
    activityStatus: {
      type: TYPE_IN_ALERTS[status.type] ?? status.type,
      code: status.code,
      description: status.description,
      // In the specification's examples, and not in its schema.
      descriptionCode: status.statusCode,
    },
    scheduledDeliveryDate: dayAndTime(parcel.arrivesAt).date,
    deliveryEndTime: dayAndTime(parcel.arrivesAt).time,
    ...(delivered && { actualDeliveryDate: delivered.date, actualDeliveryTime: delivered.time }),
    gmtActivityDate: gmtDate,
    gmtActivityTime: gmtTime,
    gmtOffset,
  };
}
