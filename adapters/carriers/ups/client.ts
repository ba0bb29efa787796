import { type CarrierClient, CarrierError, type Tracking } from '../../../domain/carriers.ts';
import { unsupported } from '../faults.ts';
import type { OneCarrier } from '../one-carrier.ts';
import { upsIntercept } from './intercept.ts';
import { errorCodes, refused, type UpsSettings, type UpsWire, upsWire } from './interface.ts';
import { upsRates } from './rating.ts';
import { upsLabel } from './shipping.ts';
import { parseUpsTracking } from './tracking.ts';

/** UPS as its published specifications describe it, without retries: those are wrapped around it. */
export function createUpsClient(settings: UpsSettings): OneCarrier {
  const wire = upsWire(settings);
  const wantsAccount = () => settings.account ?? unsupported('UPS', 'rating and shipping');
  return {
    name: 'UPS',
    track: (trackingNumber, signal) => track(wire, trackingNumber, signal),
    rate: async (from, to, parcel, signal) => {
      wantsAccount();
      return upsRates(wire, settings, { from, to, parcel }, signal);
    },
    label: async (request, key, signal) => {
      wantsAccount();
      return upsLabel(wire, settings, request, key, signal);
    },
    intercept: (request: Parameters<CarrierClient['intercept']>[0], key, signal) =>
      upsIntercept(wire, settings, request, key, signal),
  };
}

/** UPS's own words for "there is no such parcel". */
const UNKNOWN_NUMBER = /^(TV1002|TV1003|TW0001|151018|151044)$/;

async function track(wire: UpsWire, trackingNumber: string, signal: AbortSignal): Promise<Tracking> {
  // The specification's bounds. They also keep a path separator out of the address.
  const asked = trackingNumber.replaceAll(/[\s-]/g, '').toUpperCase();
  if (!/^[0-9A-Z]{7,34}$/.test(asked))
    throw new CarrierError('unknown_number', 'This is not a number that UPS gives.');
  const answer = await wire.get(`/track/v1/details/${asked}`, signal);
  if (answer.status === 404 || errorCodes(answer.json).some((code) => UNKNOWN_NUMBER.test(code)))
    throw refused('unknown_number', answer);
  if (answer.status >= 400) throw refused('garbled', answer);
  return parseUpsTracking(answer.json, asked);
}
