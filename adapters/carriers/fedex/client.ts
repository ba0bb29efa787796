import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CarrierError, type Tracking } from '../../../domain/carriers.ts';
import { CarrierFault, unsupported } from '../faults.ts';
import { exchange } from '../http.ts';
import { listOf, text } from '../loose.ts';
import { type Credentials, tokenSource } from '../oauth.ts';
import type { OneCarrier } from '../one-carrier.ts';
import { fedexKnowsNot, parseFedexTracking } from './tracking.ts';

export type FedexSettings = Credentials & { readonly url: string };

const ERRORS = z.object({ errors: listOf(z.object({ code: text })) });

/** FedEx's Track API v1. Rates, labels and intercepts are not asked of FedEx. */
export function createFedexClient({ url, clientId, clientSecret }: FedexSettings): OneCarrier {
  const base = url.replace(/\/+$/, '');
  const tokens = tokenSource({
    method: 'POST',
    url: `${base}/oauth/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }).toString(),
  });
  const post = (body: unknown, signal: AbortSignal) =>
    tokens.with(signal, async (token) => {
      const answer = await exchange(
        {
          method: 'POST',
          url: `${base}/track/v1/trackingnumbers`,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'x-customer-transaction-id': randomUUID(),
            'x-locale': 'en_US',
          },
          body: JSON.stringify(body),
        },
        signal,
      );
      if (answer.status === 401 || answer.status === 403)
        throw new CarrierFault('unauthorised', 'FedEx refused our token.', {
          isTokenRefused: answer.status === 401,
        });
      return answer;
    });
  return {
    name: 'FedEx',
    track: (trackingNumber, signal) => track(post, trackingNumber, signal),
    rate: async () => unsupported('FedEx', 'rating'),
    label: async () => unsupported('FedEx', 'shipping'),
    intercept: async () => unsupported('FedEx', 'intercept'),
  };
}

async function track(
  post: (body: unknown, signal: AbortSignal) => Promise<{ status: number; json: unknown }>,
  trackingNumber: string,
  signal: AbortSignal,
): Promise<Tracking> {
  const asked = trackingNumber.replaceAll(/[\s-]/g, '').toUpperCase();
  if (!/^[0-9A-Z]{7,34}$/.test(asked))
    throw new CarrierError('unknown_number', 'This is not a number that FedEx gives.');
  const { status, json } = await post(
    {
      includeDetailedScans: true,
      trackingInfo: [{ trackingNumberInfo: { trackingNumber: asked } }],
    },
    signal,
  );
  if (status < 400) return parseFedexTracking(json, asked);
  const codes = ERRORS.safeParse(json).data?.errors.map(({ code }) => code) ?? [];
  throw codes.some(fedexKnowsNot)
    ? new CarrierError('unknown_number', 'FedEx does not know this tracking number.')
    : new CarrierFault('garbled', `FedEx refused the request (${status}).`);
}
