/** What the simulated carrier pushes, to whom, and how it is signed. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { z } from 'zod';
import { TIMESTAMP_HEADER, verifyWebhook } from '../../platform/webhook-signature.ts';
import { closed, listening } from '../adapters/carriers/support.ts';
import { until } from '../support/until.ts';
import { type Carrier, NUMBER, openCarrier } from './carrier.ts';

const SECRET = 'a-sécret-of-the-shop';
const DAY_S = 86_400;
const PUSHED = z.object({
  trackingNumber: z.string(),
  activityStatus: z.object({ description: z.string() }),
});

type Got = {
  readonly body: Buffer;
  readonly signature: string | undefined;
  readonly timestamp: string | undefined;
};

describe('the scans that the carrier simulator pushes', () => {
  let carrier: Carrier;
  let server: Server;
  let url: string;
  let got: Got[];
  let answer: number;
  beforeEach(async () => {
    got = [];
    answer = 202;
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { 'x-hmac-signature': signature } = request.headers;
        got.push({
          body: Buffer.concat(chunks),
          signature: typeof signature === 'string' ? signature : undefined,
          timestamp: String(request.headers[TIMESTAMP_HEADER.toLowerCase()]),
        });
        response.writeHead(answer).end();
      });
    });
    url = await listening(server);
    carrier = await openCarrier();
  });
  afterEach(async () => {
    await carrier.simulator.stop();
    await closed(server);
  });

  const said = () =>
    got.map(({ body }) => PUSHED.parse(JSON.parse(body.toString('utf8'))).activityStatus.description);
  const listen = (shop?: string) =>
    carrier.control({ webhooks: [{ url, secret: SECRET, ...(shop === undefined ? {} : { shop }) }] });
  const advance = (seconds: number) => carrier.control({ clock: { advance_s: seconds } });

  it('come when the clock comes to them, oldest first', async () => {
    await listen();
    await advance(3 * DAY_S);
    assert.deepEqual(said(), [
      'Picked Up by UPS',
      'On the Way',
      'On the Way',
      'Out for Delivery',
      'Delivered',
    ]);
  });

  it('come once', async () => {
    await listen();
    await advance(3 * DAY_S);
    const first = got.length;
    await advance(DAY_S);
    assert.equal(got.length, first);
  });

  it('do not tell what was before the parcel was registered', async () => {
    await listen();
    await carrier.control({
      parcels: [
        {
          tracking_number: '1Z5R89390300000044',
          booked_at: '2026-11-01T00:00:00Z',
          estimated_delivery: '2026-11-20T18:00:00Z',
        },
      ],
    });
    assert.deepEqual(said(), []);
  });

  it('are signed as carriers sign, the secret normalised', async () => {
    await listen();
    await advance(6 * 3_600);
    const [first] = got;
    assert.ok(first);
    const verdict = verifyWebhook(first, [SECRET.normalize('NFC')], { nowMs: Date.now() });
    assert.equal(verdict, 'valid');
  });

  it('go to nobody but the parcel’s own shop', async () => {
    await listen('another');
    await carrier.control({
      parcels: [{ tracking_number: NUMBER, shop: 'manga', estimated_delivery: '2026-11-22T12:00:00Z' }],
    });
    await advance(3 * DAY_S);
    assert.deepEqual(said(), []);
  });

  it('come again until they are taken', async () => {
    await listen();
    answer = 503;
    await advance(6 * 3_600);
    answer = 202;
    await until(() => Promise.resolve(carrier.simulator.state().pushed === 1), 'the scan');
    assert.deepEqual(new Set(said()), new Set(['Picked Up by UPS']));
  });

  it('come twice when the fault says so', async () => {
    await listen();
    await carrier.control({ fault: 'duplicates' });
    await advance(6 * 3_600);
    assert.deepEqual(said(), ['Picked Up by UPS', 'Picked Up by UPS']);
  });

  it('come newest first when the fault says so', async () => {
    await listen();
    await carrier.control({ fault: 'out_of_order' });
    await advance(3 * DAY_S);
    assert.deepEqual([said().at(0), said().at(-1)], ['Delivered', 'Picked Up by UPS']);
  });

  it('tell of what happens unforeseen', async () => {
    await listen();
    await advance(6 * 3_600);
    await carrier.control({ scans: [{ tracking_number: NUMBER, state: 'delivery_failed' }] });
    assert.equal(said().at(-1), 'First Attempt Made');
  });

  it('stop no simulator whose receiver is gone', async () => {
    await closed(server);
    await listen();
    const { status } = await advance(6 * 3_600);
    assert.deepEqual([status, carrier.simulator.state().pushed], [200, 0]);
  });
});
