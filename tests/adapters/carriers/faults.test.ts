/** Defects of the class "a carrier's fault becomes ours": a caller that waits, crashes or believes nonsense. */
import assert from 'node:assert/strict';
import { openCarriers } from '../../../adapters/carriers/router.ts';
import type { CarrierClient, CarrierProblem } from '../../../domain/carriers.ts';
import { loadSettings } from '../../../platform/config.ts';
import { createLog } from '../../../platform/log.ts';
import { NUMBER, problem, type Reply, send, type TestCarrier, testCarrier, upsAnswer } from './support.ts';

const DEADLINE_MS = 1_000;
/** How much of the deadline the answer may come late, on a busy machine. */
const SLACK = 0.25;

const answer: Reply = (_, response) => send(response, 200, upsAnswer());
const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (_, response) =>
    send(response, code, { response: { errors: [{ code: '10004', message: 'x' }] } }, headers);
const text =
  (body: string, type = 'application/json', headers: Record<string, string> = {}): Reply =>
  (_, response) => {
    response.writeHead(200, { 'content-type': type, ...headers });
    response.end(body);
  };

const FAULTS: readonly (readonly [string, Reply, CarrierProblem])[] = [
  ['hangs before its headers', () => undefined, 'timeout'],
  [
    'hangs within its body',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"trackResponse":');
    },
    'timeout',
  ],
  [
    'sends its body one byte at a time',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    },
    'timeout',
  ],
  ['wants fewer requests', status(429), 'rate_limited'],
  ['wants to be left alone for a minute', status(429, { 'retry-after': '60' }), 'rate_limited'],
  [
    'wants to be left alone until a date',
    (_, response) =>
      send(response, 429, {}, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }),
    'rate_limited',
  ],
  ['fails', status(500), 'down'],
  ['is not available', status(503), 'down'],
  ['breaks the connection', (_, response) => void response.socket?.destroy(), 'down'],
  [
    'resets the connection within the body',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{', () => response.socket?.resetAndDestroy());
    },
    'down',
  ],
  ['sends broken JSON', text('{"trackResponse":{'), 'garbled'],
  ['sends JSON that is not its interface’s', text('{"hello":"world"}'), 'garbled'],
  ['sends a page', text('<html>maintenance</html>', 'text/html'), 'garbled'],
  ['sends JSON as text', text(JSON.stringify(upsAnswer()), 'text/plain'), 'garbled'],
  ['sends nothing', text(''), 'garbled'],
  ['sends three megabytes', text(JSON.stringify(' '.repeat(3 << 20))), 'garbled'],
  [
    'says that it will send a terabyte',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(2 ** 40) });
      response.write('{');
    },
    'garbled',
  ],
  [
    'sends without end',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = ' '.repeat(65_536);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    },
    'garbled',
  ],
  [
    'sends elsewhere',
    (_, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:9/' });
      response.end();
    },
    'garbled',
  ],
  ['refuses the account', status(403), 'unauthorised'],
  ['refuses every token', status(401), 'unauthorised'],
  ['does not know the number', status(404), 'unknown_number'],
  [
    'calls the number invalid',
    (_, response) => send(response, 400, { response: { errors: [{ code: 'TV1002', message: 'x' }] } }),
    'unknown_number',
  ],
];

const TOKEN_FAULTS: readonly (readonly [string, Reply, CarrierProblem])[] = [
  ['hangs', () => undefined, 'timeout'],
  ['refuses our credentials', status(401), 'unauthorised'],
  ['calls the request bad', status(400), 'unauthorised'],
  ['fails', status(500), 'down'],
  ['wants fewer requests', status(429), 'rate_limited'],
  ['sends no token', (_, response) => send(response, 200, { token_type: 'Bearer' }), 'garbled'],
  ['sends a token without a life', (_, response) => send(response, 200, { access_token: 'x' }), 'garbled'],
];

const PATIENCE = { deadlineMs: DEADLINE_MS };

/** The problem, with the time it took as a part of the deadline. */
async function timed(client: CarrierClient, expected: CarrierProblem): Promise<number> {
  const start = performance.now();
  await assert.rejects(client.track('UPS', NUMBER, PATIENCE), problem(expected));
  return (performance.now() - start) / DEADLINE_MS;
}

describe('A carrier', () => {
  let carrier: TestCarrier;
  const open = (other: Record<string, string> = {}): CarrierClient => {
    const env = {
      COUNTERSIGN_PROFILE: 'development',
      CARRIER_UPS_URL: carrier.url,
      CARRIER_UPS_CLIENT_ID: 'an-id',
      CARRIER_UPS_CLIENT_SECRET: 'a-secret',
      CARRIER_UPS_ACCOUNT: 'A1B2C3',
    };
    return openCarriers(loadSettings({ ...env, ...other }), createLog({ level: 'silent' }));
  };
  beforeEach(async () => {
    carrier = await testCarrier();
  });
  afterEach(() => carrier.close());

  for (const [what, reply, expected] of FAULTS)
    it(`that ${what} is answered for in time: ${expected}`, async () => {
      carrier.script(reply);
      const ratio = await timed(open(), expected);
      assert.ok(ratio <= 1 + SLACK, `took ${ratio.toFixed(2)} of the deadline`);
    });

  for (const [what, reply, expected] of TOKEN_FAULTS)
    it(`whose token endpoint ${what} is answered for in time: ${expected}`, async () => {
      carrier.tokens(reply);
      const ratio = await timed(open(), expected);
      assert.ok(ratio <= 1 + SLACK, `took ${ratio.toFixed(2)} of the deadline`);
    });

  for (const [what, reply] of FAULTS.filter(([, , found]) => ['timeout', 'down', 'garbled'].includes(found)))
    it(`that ${what} once is asked again`, async () => {
      carrier.script(reply, answer);
      const { state } = await open().track('UPS', NUMBER, PATIENCE);
      assert.equal(state, 'out_for_delivery');
    });

  it('that fails twice is asked a third time', async () => {
    carrier.script(status(500), status(500), answer);
    await open().track('UPS', NUMBER, PATIENCE);
    assert.equal(carrier.seen.length, 3);
  });

  it('is asked at each attempt after a heartbeat', async () => {
    carrier.script(status(500), status(500), answer);
    let beats = 0;
    await open().track('UPS', NUMBER, { ...PATIENCE, heartbeat: () => beats++ });
    assert.equal(beats, 3);
  });

  it('is left alone as long as it asks, when that fits into the deadline', async () => {
    carrier.script(status(429, { 'retry-after': '1' }), answer);
    const start = performance.now();
    await open().track('UPS', NUMBER, { deadlineMs: 3_000 });
    assert.ok(performance.now() - start >= 1_000);
  });

  it('is not waited for when what it asks does not fit', async () => {
    carrier.script(status(429, { 'retry-after': '60' }), answer);
    const ratio = await timed(open(), 'rate_limited');
    assert.deepEqual([ratio < 0.5, carrier.seen.length], [true, 1]);
  });

  it('that does not answer is let go: its connection ends with the deadline', async () => {
    const ended = new Promise<void>((done) =>
      carrier.script((_, response) => response.on('close', () => done())),
    );
    await timed(open(), 'timeout');
    await ended;
  });

  it('is given up when the caller gives up', async () => {
    carrier.script(() => undefined);
    const caller = new AbortController();
    const asked = open().track('UPS', NUMBER, { deadlineMs: 60_000, signal: caller.signal });
    const start = performance.now();
    caller.abort();
    await assert.rejects(asked, problem('timeout'));
    assert.ok(performance.now() - start < 1_000);
  });

  it('is not asked at all by a caller who has given up already', async () => {
    carrier.script(answer);
    const asked = open().track('UPS', NUMBER, { ...PATIENCE, signal: AbortSignal.abort() });
    await assert.rejects(asked, problem('timeout'));
    assert.equal(carrier.seen.length, 0);
  });

  it('that is not there is down', async () => {
    const client = open({ CARRIER_UPS_URL: 'http://127.0.0.1:9' });
    assert.ok((await timed(client, 'down')) <= 1 + SLACK);
  });

  it('that fails five times in a row is left alone', async () => {
    carrier.script(status(500));
    const client = open();
    await timed(client, 'down');
    await timed(client, 'down');
    const before = carrier.seen.length;
    await timed(client, 'down');
    assert.deepEqual([before, carrier.seen.length], [5, 5]);
  });

  it('whose answers are refusals in good order is never taken for down', async () => {
    carrier.script(status(404));
    const client = open();
    for (let i = 0; i < 12; i++) await timed(client, 'unknown_number');
    assert.equal(carrier.seen.length, 12);
  });

  it('gets no more requests in a second than configured; what does not fit is told so', async () => {
    carrier.script(answer);
    const client = open({ CARRIER_REQUESTS_PER_SECOND: '3' });
    const ask = () => client.track('UPS', NUMBER, { deadlineMs: 500 });
    const ends = await Promise.allSettled([ask(), ask(), ask(), ask(), ask()]);
    assert.deepEqual(
      [ends.filter(({ status: end }) => end === 'fulfilled').length, carrier.seen.length],
      [3, 3],
    );
  });

  it('that is slow is asked a second time beside the first, and the faster answer counts', async () => {
    carrier.script(() => undefined, answer);
    const client = open({ CARRIER_HEDGE_MS: '50' });
    const start = performance.now();
    await client.track('UPS', NUMBER, PATIENCE);
    assert.ok(performance.now() - start < DEADLINE_MS * 0.4);
  });

  it('that answers quickly is asked once, hedged or not', async () => {
    carrier.script(answer);
    await open({ CARRIER_HEDGE_MS: '500' }).track('UPS', NUMBER, PATIENCE);
    assert.equal(carrier.seen.length, 1);
  });

  describe('and its token', () => {
    it('is asked for once, however many requests want it', async () => {
      carrier.script(answer);
      const client = open();
      await Promise.all(Array.from({ length: 10 }, () => client.track('UPS', NUMBER, PATIENCE)));
      assert.equal(carrier.tokensAsked(), 1);
    });

    it('is asked for with our credentials, as the specification says', async () => {
      let authorization: string | undefined;
      let form = '';
      carrier.tokens((request, response) => {
        ({ authorization } = request.headers);
        form = request.body;
        send(response, 200, { access_token: 't', expires_in: '14399' });
      });
      carrier.script(answer);
      await open().track('UPS', NUMBER, PATIENCE);
      assert.deepEqual(
        [authorization, form],
        [`Basic ${Buffer.from('an-id:a-secret').toString('base64')}`, 'grant_type=client_credentials'],
      );
    });

    it('is renewed once when it is refused', async () => {
      carrier.script(status(401), answer);
      await open().track('UPS', NUMBER, PATIENCE);
      assert.deepEqual(
        [carrier.tokensAsked(), ...carrier.seen.map(({ headers }) => headers.authorization)],
        [2, 'Bearer token-1', 'Bearer token-2'],
      );
    });

    it('is not renewed for ever', async () => {
      carrier.script(status(401));
      await timed(open(), 'unauthorised');
      assert.deepEqual([carrier.tokensAsked(), carrier.seen.length], [2, 2]);
    });

    it('is renewed before it ends', async () => {
      carrier.tokens((_, response) => send(response, 200, { access_token: 't', expires_in: 0.001 }));
      carrier.script(answer);
      const client = open();
      await client.track('UPS', NUMBER, PATIENCE);
      await client.track('UPS', NUMBER, PATIENCE);
      assert.equal(carrier.tokensAsked(), 2);
    });

    it('stays out of every message, as do our credentials', async () => {
      const messages: string[] = [];
      for (const [, reply] of FAULTS.slice(3)) {
        carrier.script(reply);
        await open()
          .track('UPS', NUMBER, PATIENCE)
          .catch((error: unknown) => messages.push(errorText(error)));
      }
      assert.ok(messages.length > 10);
      assert.deepEqual(
        messages.filter((message) => /token-\d|a-secret|Basic /.test(message)),
        [],
      );
    });
  });
});

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.message, error.stack, error.cause === undefined ? '' : errorText(error.cause)].join('\n');
}
