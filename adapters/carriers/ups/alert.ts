import { z } from 'zod';
import type { ParcelEvent } from '../../../domain/carriers.ts';
import { CarrierFault } from '../faults.ts';
import { part, text } from '../loose.ts';
import { parcelState } from '../normalise.ts';
import { timeOf } from '../times.ts';

const ALERT = z.object({
  trackingNumber: z.string().regex(/^[0-9A-Za-z]{7,34}$/),
  localActivityDate: text,
  localActivityTime: text,
  gmtActivityDate: text,
  gmtActivityTime: text,
  gmtOffset: text,
  activityLocation: part({ city: text, country: text }),
  activityStatus: part({ type: text, code: text, descriptionCode: text }),
  scheduledDeliveryDate: text,
  deliveryEndTime: text,
});

export type CarrierPush = {
  readonly trackingNumber: string;
  readonly event: ParcelEvent;
  /** ISO 8601. */
  readonly estimatedDelivery: string | null;
};

/**
 * What UPS Track Alert posts to a webhook.
 *
 * @throws {CarrierError} garbled
 */
export function parseUpsAlert(body: unknown): CarrierPush {
  const parsed = ALERT.safeParse(body);
  if (!parsed.success) throw new CarrierFault('garbled', 'This is not a UPS tracking event.');
  const alert = parsed.data;
  return {
    trackingNumber: alert.trackingNumber,
    event: {
      state: parcelState({
        family: 'ups',
        type: alert.activityStatus?.type,
        statusCode: alert.activityStatus?.descriptionCode,
      }),
      code: alert.activityStatus?.code ?? null,
      ...when(alert),
      city: alert.activityLocation?.city || null,
      country: alert.activityLocation?.country || null,
    },
    estimatedDelivery: timeOf(alert.scheduledDeliveryDate, alert.deliveryEndTime).at,
  };
}

function when(alert: z.output<typeof ALERT>) {
  const utc = timeOf(alert.gmtActivityDate, alert.gmtActivityTime, '+00:00');
  return utc.at === null ? timeOf(alert.localActivityDate, alert.localActivityTime, alert.gmtOffset) : utc;
}
