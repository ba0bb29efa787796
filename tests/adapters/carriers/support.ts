import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { CarrierError, type CarrierProblem } from '../../../domain/carriers.ts';
import { skip } from '../../support/skip.ts';

/** The folder of carriers' own formats; without it the caller is skipped. */
export function carrierData(context: Mocha.Context): string {
  const folder = resolve(process.env['COUNTERSIGN_SHARED'] ?? '../shared', 'data/carriers');
  return existsSync(folder)
    ? folder
    : skip(context, 'no carriers below COUNTERSIGN_SHARED (default ../shared)');
}

export function readJson(folder: string, file: string): unknown {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

export type Seen = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};
export type Reply = (request: Seen, response: ServerResponse) => void;

export type TestCarrier = {
  readonly url: string;
  /** Requests that are no token's, oldest first. */
  readonly seen: Seen[];
  readonly tokensAsked: () => number;
  /** What the next requests get; the last one stays. */
  script(...replies: readonly Reply[]): void;
  /** What requests for a token get. */
  tokens(reply: Reply): void;
  close(): Promise<void>;
};

export const CREDENTIALS = { clientId: 'an-id', clientSecret: 'a-secret' };

/** A carrier on a free port of this machine that does what the test says. */
export async function testCarrier(): Promise<TestCarrier> {
  let script: Reply[] = [];
  let asked = 0;
  let onToken: Reply = (_, response) =>
    send(response, 200, { access_token: `token-${asked}`, expires_in: '14399' });
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const one = { path: request.url ?? '', headers: request.headers, body };
      if (one.path.includes('oauth')) {
        asked++;
        return onToken(one, response);
      }
      seen.push(one);
      const reply = script.length > 1 ? script.shift() : script[0];
      return reply?.(one, response);
    });
  });
  return {
    url: await listening(server),
    seen,
    tokensAsked: () => asked,
    script: (...replies) => (script = [...replies]),
    tokens: (reply) => (onToken = reply),
    close: () => closed(server),
  };
}

export function send(
  response: ServerResponse,
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(json));
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

export function closed(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** A delivered UPS parcel. */
export const NUMBER = '1Z5R89390357567127';

export function upsAnswer(number = NUMBER, status: unknown = { type: 'I', code: 'OT', statusCode: '021' }) {
  return {
    trackResponse: {
      shipment: [
        {
          inquiryNumber: number,
          package: [
            {
              trackingNumber: number,
              currentStatus: status,
              deliveryDate: [{ type: 'SDD', date: '20261124' }],
              deliveryTime: { type: 'EDW', startTime: '093000', endTime: '133000' },
              activity: [
                {
                  date: '20261121',
                  time: '071356',
                  gmtDate: '20261121',
                  gmtTime: '121356',
                  gmtOffset: '-05:00',
                  status,
                  location: { address: { city: 'Wayne', countryCode: 'US' } },
                },
              ],
            },
          ],
        },
      ],
    },
  };
}

/** Whether a promise fails for this reason. */
export function problem(name: CarrierProblem) {
  return (error: unknown) => {
    assert.ok(error instanceof CarrierError, String(error));
    assert.equal(error.problem, name, error.message);
    return true;
  };
}
