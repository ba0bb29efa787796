import { openCarriers } from '../../adapters/carriers/router.ts';
import type { CarrierClient } from '../../domain/carriers.ts';
import { loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import {
  CREDENTIALS,
  type Reply,
  send,
  type TestCarrier,
  testCarrier,
  upsAnswer,
} from '../adapters/carriers/support.ts';

/** Two services: the cheaper one takes three days longer. */
export const RATES = {
  RateResponse: {
    RatedShipment: [rated('03', '8.50', '20261127'), rated('01', '31.20', '20261124')],
  },
};
/** What the parcels of these tests are said to arrive at. */
export const ARRIVES = '2026-11-24';

function rated(code: string, cost: string, day: string) {
  return {
    Service: { Code: code },
    TotalCharges: { CurrencyCode: 'USD', MonetaryValue: cost },
    TimeInTransit: { ServiceSummary: { EstimatedArrival: { Arrival: { Date: day, Time: '230000' } } } },
  };
}

/** UPS as it answers when all is well: quotes to who asks for rates, a parcel under way to who tracks one. */
export const well: Reply = (request, response) => {
  if (request.path.includes('/rating/')) return send(response, 200, RATES);
  const number = request.path.split('?')[0]?.split('/').at(-1) ?? '';
  return send(response, 200, upsAnswer(number));
};

export const hang: Reply = () => undefined;
export const broken: Reply = (_, response) => send(response, 503, {});

export type Ups = TestCarrier & { readonly env: Readonly<Record<string, string>> };

export async function startUps(): Promise<Ups> {
  const carrier = await testCarrier();
  carrier.script(well);
  return {
    ...carrier,
    env: {
      CARRIER_UPS_URL: carrier.url,
      CARRIER_UPS_CLIENT_ID: CREDENTIALS.clientId,
      CARRIER_UPS_CLIENT_SECRET: CREDENTIALS.clientSecret,
      CARRIER_UPS_ACCOUNT: 'A1B2C3',
    },
  };
}

/** A client whose circuit knows nothing of what other tests did. */
export function clientOf({ env }: Ups, deadlineMs = 1_000): CarrierClient {
  const settings = loadSettings({ ...env, CARRIER_DEADLINE_MS: String(deadlineMs) });
  return openCarriers(settings, createLog({ level: 'silent' }));
}
