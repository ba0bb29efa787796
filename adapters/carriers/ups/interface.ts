import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Address, CarrierProblem } from '../../../domain/carriers.ts';
import { CarrierFault } from '../faults.ts';
import { type CarrierAnswer, exchange } from '../http.ts';
import { listOf, text } from '../loose.ts';
import { type TokenSource, tokenSource } from '../oauth.ts';

export type UpsSettings = {
  /** `https://onlinetools.ups.com`, or `https://wwwcie.ups.com` to try things out. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The shipper's six-digit account, which pays. Without it there are no rates and labels. */
  readonly account?: string | undefined;
  /** Who ships, as labels and intercepts name them. */
  readonly shipper: { readonly name: string; readonly phone: string };
};

/** Sends requests to UPS with a token and the headers that every one of its interfaces wants. */
export type UpsWire = {
  get(path: string, signal: AbortSignal, headers?: Readonly<Record<string, string>>): Promise<CarrierAnswer>;
  post(path: string, body: unknown, signal: AbortSignal, more?: PostOptions): Promise<CarrierAnswer>;
};

type PostOptions = {
  /** A repeat of the same request carries the same one. */
  readonly transId?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const SOURCE = 'countersign';

export function upsWire(settings: UpsSettings): UpsWire {
  const base = settings.url.replace(/\/+$/, '');
  const tokens = tokensOf(base, settings);
  const send = (
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    options: PostOptions,
    body?: string,
  ) =>
    tokens.with(signal, async (token) => {
      const headers = {
        authorization: `Bearer ${token}`,
        transId: options.transId ?? randomUUID().replaceAll('-', ''),
        transactionSrc: SOURCE,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      };
      const request = { method, url: `${base}/api${path}`, headers };
      return admitted(await exchange(body === undefined ? request : { ...request, body }, signal));
    });
  return {
    get: (path, signal, headers = {}) => send('GET', path, signal, { headers }),
    post: (path, body, signal, more = {}) => send('POST', path, signal, more, JSON.stringify(body)),
  };
}

function tokensOf(base: string, { clientId, clientSecret }: UpsSettings): TokenSource {
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  return tokenSource({
    method: 'POST',
    url: `${base}/security/v1/oauth/token`,
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
}

/** @throws {CarrierFault} unauthorised */
function admitted(answer: CarrierAnswer): CarrierAnswer {
  if (answer.status === 401)
    throw new CarrierFault('unauthorised', 'UPS refused our token.', {
      isTokenRefused: true,
      untouched: true,
    });
  if (answer.status === 403)
    throw new CarrierFault('unauthorised', 'UPS does not let our account in.', { untouched: true });
  return answer;
}

const ERRORS = z.object({ response: z.object({ errors: listOf(z.object({ code: text })) }) });

/** The codes of UPS's error answer, in its order. */
export function errorCodes(json: unknown): readonly string[] {
  const parsed = ERRORS.safeParse(json);
  return parsed.success ? parsed.data.response.errors.flatMap(({ code }) => (code ? [code] : [])) : [];
}

/** A refusal whose meaning depends on what was asked. */
export function refused(problem: CarrierProblem, { status, json }: CarrierAnswer): CarrierFault {
  const code = errorCodes(json).find((one) => /^\w{1,12}$/.test(one));
  return new CarrierFault(problem, `UPS refused the request (${code ?? status}).`, { untouched: true });
}

/** Rating's and Shipping's refusals (11xxxx, 12xxxx) are about where the parcel is to go; others are about us. */
export function refusedAddress(answer: CarrierAnswer): CarrierFault {
  const isAboutAddress = errorCodes(answer.json).some((code) => /^1[12]\d{4}$/.test(code));
  return refused(isAboutAddress ? 'undeliverable' : 'garbled', answer);
}

/** UPS names each request; a key of ours becomes a name that it takes (3 to 14 characters, also for references). */
export function transIdOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 14);
}

export function upsAddress({ line1, line2, city, region, postalCode, country }: Address) {
  return {
    AddressLine: [line1, ...(line2 === undefined ? [] : [line2])].map((line) => line.slice(0, 35)),
    City: city.slice(0, 30),
    ...(region === undefined ? {} : { StateProvinceCode: region }),
    PostalCode: postalCode,
    CountryCode: country,
  };
}

/** Kilograms with two decimals, at least ten grams: UPS refuses a weight of zero. */
export function upsWeight(grams: number) {
  return { UnitOfMeasurement: { Code: 'KGS' }, Weight: (Math.max(grams, 10) / 1000).toFixed(2) };
}
