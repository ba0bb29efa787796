import { CarrierError, type Tracking } from '../../domain/carriers.ts';
import { parseEasyPostEvent } from './easypost.ts';
import { parseUpsAlert } from './ups/alert.ts';

/** What was pushed to a carrier's address, in whichever form; undefined when it is none that we know. */
export function parsePush(carrier: string, body: string): Tracking | undefined {
  const json: unknown = JSON.parse(body);
  const forms = carrier === 'ups' ? [upsAlert, parseEasyPostEvent] : [parseEasyPostEvent];
  for (const parse of forms) {
    try {
      return parse(json);
    } catch (error) {
      if (!(error instanceof CarrierError)) throw error;
    }
  }
  return undefined;
}

function upsAlert(json: unknown): Tracking {
  const { trackingNumber, event, estimatedDelivery } = parseUpsAlert(json);
  return {
    carrier: 'UPS',
    trackingNumber,
    state: event.state,
    estimatedDelivery,
    deliveredAt: event.state === 'delivered' ? event.at : null,
    events: [event],
  };
}
