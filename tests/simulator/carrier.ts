import assert from 'node:assert/strict';
import { type CarrierSimulator, startCarrierSimulator } from '../../simulator/carriers/server.ts';
import type { Control } from '../../simulator/carriers/control.ts';

export const CREDENTIALS = { clientId: 'an-id', clientSecret: 'a-secret' };
export const NUMBER = '1Z5R89390357567127';
/** When the simulated carrier's clock starts. */
export const START = new Date('2026-11-20T12:00:00Z');
export const ARRIVES = '2026-11-22T12:00:00.000Z';

export type Asked = { readonly status: number; readonly json: unknown; readonly headers: Headers };

/** A simulator with one parcel, and somebody who asks it as UPS is asked. */
export type Carrier = {
  readonly simulator: CarrierSimulator;
  /** With a token and the headers that UPS wants. */
  get(path: string, init?: RequestInit): Promise<Asked>;
  post(path: string, body: unknown): Promise<Asked>;
  /** `POST /_control`, over HTTP. */
  control(wanted: Control): Promise<Asked>;
  token(authorization?: string): Promise<Asked>;
};

export async function openCarrier(random?: () => number): Promise<Carrier> {
  const began = Date.now();
  const simulator = await startCarrierSimulator({
    port: 0,
    ...CREDENTIALS,
    clock: () => new Date(START.getTime() + Date.now() - began),
    ...(random === undefined ? {} : { random }),
  });
  const { url } = simulator;
  const token = (authorization = basic(CREDENTIALS)) =>
    ask(`${url}/security/v1/oauth/token`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    });
  const bearer = `Bearer ${String(part(await token(), 'access_token'))}`;
  const headers = { authorization: bearer, transId: 'a-test', transactionSrc: 'tests' };
  const carrier: Carrier = {
    simulator,
    token,
    get: (path, init = {}) => ask(`${url}${path}`, { headers, ...init }),
    post: (path, body) =>
      ask(`${url}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    control: (wanted) =>
      ask(`${url}/_control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(wanted),
      }),
  };
  await simulator.control({
    parcels: [
      {
        tracking_number: NUMBER,
        booked_at: new Date(START.getTime() - 1).toISOString(),
        estimated_delivery: ARRIVES,
      },
    ],
  });
  return carrier;
}

export function basic({ clientId, clientSecret }: typeof CREDENTIALS): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

/** JSON, or null for what is none. */
export async function ask(url: string, init: RequestInit): Promise<Asked> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, json: isJson ? JSON.parse(text) : null, headers: response.headers };
}

/** What is at the end of the path. */
export function part({ json }: Pick<Asked, 'json'>, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, name) => {
    assert.ok(typeof value === 'object' && value !== null, `nothing at ${path.join('.')}`);
    return Object.entries(value).find(([key]) => key === String(name))?.[1];
  }, json);
}
