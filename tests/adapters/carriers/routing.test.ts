import assert from 'node:assert/strict';
import { createGuard, RESILIENCE } from '../../../adapters/carriers/resilient.ts';
import type { OneCarrier } from '../../../adapters/carriers/one-carrier.ts';
import { CarrierFault } from '../../../adapters/carriers/faults.ts';
import { openCarriers, routeCarriers } from '../../../adapters/carriers/router.ts';
import type {
  Address,
  CarrierClient,
  CarrierMetrics,
  RateQuote,
  Tracking,
} from '../../../domain/carriers.ts';
import { ConfigError, loadSettings } from '../../../platform/config.ts';
import { createLog } from '../../../platform/log.ts';
import { NUMBER, problem, send, type TestCarrier, testCarrier, upsAnswer } from './support.ts';

const PATIENCE = { deadlineMs: 1_000 };
const LIMITS = { deadlineMs: 4_000, requestsPerSecond: 100, firstBackoffMs: 1, hedgeAfterMs: undefined };
const HERE: Address = { line1: '1-1 Otemachi', city: 'Tokyo', postalCode: '1000004', country: 'JP' };
const PARCEL = { weightGrams: 500, pieces: 1 };
const LABEL = { from: HERE, to: HERE, parcel: PARCEL, service: 'UPS Worldwide Saver' };

const quote = (carrier: string): RateQuote => ({
  carrier,
  service: `${carrier} Ground`,
  cost: { amountMinor: 1_000, currency: 'USD' },
  estimatedDelivery: '2026-11-25T00:00:00.000Z',
});
const tracked = (carrier: string): Tracking => ({
  carrier,
  trackingNumber: NUMBER,
  state: 'in_transit',
  estimatedDelivery: null,
  deliveredAt: null,
  events: [],
});

/** A carrier whose answers the test gives. */
function carrierOf(name: string, answers: Partial<OneCarrier> = {}): OneCarrier {
  return {
    name,
    track: async () => tracked(name),
    rate: async () => [quote(name)],
    label: async () => ({
      carrier: name,
      trackingNumber: NUMBER,
      cost: { amountMinor: 1_000, currency: 'USD' },
    }),
    intercept: async () => ({ accepted: true, reference: name }),
    ...answers,
  };
}

const routed = (carriers: readonly OneCarrier[], settings = {}, metrics?: CarrierMetrics): CarrierClient =>
  routeCarriers(
    carriers.map((client) => ({
      client,
      guard: createGuard(client.name, { ...RESILIENCE, ...LIMITS, ...settings }, metrics),
    })),
  );

const fault =
  (name: 'down' | 'rate_limited' | 'undeliverable' | 'unsupported', untouched = false) =>
  async () => {
    throw new CarrierFault(name, 'as the test says', { untouched });
  };

describe('Parcels and carriers', () => {
  const both = routed([carrierOf('UPS'), carrierOf('FedEx')]);

  for (const [name, number, expected] of [
    ['UPS', NUMBER, 'UPS'],
    ['fedex', '986578788855', 'FedEx'],
    ['', NUMBER, 'UPS'],
    ['', '986578788855', 'FedEx'],
    ['Pigeon Post', NUMBER, 'UPS'],
    // The name says more than the number, which looks like several couriers'.
    ['FedEx', '444413758703', 'FedEx'],
  ] as const)
    it(`find each other: ${JSON.stringify(name)} ${number}`, async () => {
      assert.equal((await both.track(name, number, PATIENCE)).carrier, expected);
    });

  for (const [name, number] of [
    ['Yamato', '444413758703'],
    ['ヤマト運輸', '444413758703'],
    ['', 'RB123456785GB'],
    ['', 'nothing'],
  ] as const)
    it(`have no interface: ${JSON.stringify(name)} ${number}`, async () => {
      await assert.rejects(both.track(name, number, PATIENCE), problem('unsupported'));
    });

  it('are not asked about a number whose check digit is wrong', async () => {
    await assert.rejects(both.track('UPS', '1Z5R89390357567128', PATIENCE), problem('unknown_number'));
  });

  it('are found for an intercept, too', async () => {
    const request = { carrier: 'UPS', trackingNumber: NUMBER, what: { kind: 'return_to_sender' } } as const;
    assert.equal((await both.intercept(request, 'key', PATIENCE)).reference, 'UPS');
  });

  it('are chosen for a label by the name of the service', async () => {
    const { carrier } = await both.label({ ...LABEL, service: 'FedEx Ground' }, 'key', PATIENCE);
    assert.equal(carrier, 'FedEx');
  });

  it('are none without configuration', async () => {
    const none = routed([]);
    await assert.rejects(none.track('UPS', NUMBER, PATIENCE), problem('unsupported'));
    await assert.rejects(none.rate(HERE, HERE, PARCEL, PATIENCE), problem('unsupported'));
    await assert.rejects(none.label(LABEL, 'key', PATIENCE), problem('unsupported'));
  });
});

describe('Rates', () => {
  const rate = (...carriers: readonly OneCarrier[]) => routed(carriers).rate(HERE, HERE, PARCEL, PATIENCE);
  const carriers = async (quotes: Promise<readonly RateQuote[]>) =>
    (await quotes).map(({ carrier }) => carrier);

  it('are the first carrier’s', async () => {
    assert.deepEqual(await carriers(rate(carrierOf('UPS'), carrierOf('FedEx'))), ['UPS']);
  });

  for (const [what, answer] of [
    ['is down', fault('down')],
    ['does not serve the address', fault('undeliverable')],
    ['has no rates', fault('unsupported')],
    ['hangs', () => new Promise<never>(() => undefined)],
  ] as const)
    it(`are another’s when the first ${what}`, async () => {
      const quotes = rate(carrierOf('UPS', { rate: answer }), carrierOf('FedEx'));
      assert.deepEqual(await carriers(quotes), ['FedEx']);
    });

  it('are refused for the reason of a carrier that has rates', async () => {
    const refused = rate(
      carrierOf('FedEx', { rate: fault('unsupported') }),
      carrierOf('UPS', { rate: fault('undeliverable') }),
    );
    await assert.rejects(refused, problem('undeliverable'));
  });

  it('are answered for in time when every carrier hangs', async () => {
    const hangs = { rate: () => new Promise<never>(() => undefined) };
    const start = performance.now();
    await assert.rejects(rate(carrierOf('UPS', hangs), carrierOf('FedEx', hangs)), problem('timeout'));
    assert.ok(performance.now() - start < PATIENCE.deadlineMs * 1.25);
  });
});

describe('A booking', () => {
  const book = async (answer: () => Promise<never>) => {
    let attempts = 0;
    const client = routed([
      carrierOf('UPS', {
        label: () => {
          attempts++;
          return answer();
        },
      }),
    ]);
    await assert.rejects(client.label(LABEL, 'key', PATIENCE));
    return attempts;
  };

  it('is not sent again when its answer is lost', async () => {
    assert.equal(await book(fault('down')), 1);
  });

  it('is sent again when the carrier certainly did nothing', async () => {
    assert.equal(await book(fault('down', true)), 4);
  });
});

describe('The guard of a carrier', () => {
  const ask = (client: CarrierClient) => client.track('UPS', NUMBER, PATIENCE);

  it('tries again after the circuit was open, and closes it with the first success', async () => {
    const states: string[] = [];
    let isDown = true;
    const track = async () => (isDown ? fault('down')() : tracked('UPS'));
    const client = routed(
      [carrierOf('UPS', { track })],
      { circuit: { failures: 2, openMs: 1 }, attempts: 1 },
      { attempt: () => undefined, circuit: (_, state) => states.push(state) },
    );
    await assert.rejects(ask(client), problem('down'));
    await assert.rejects(ask(client), problem('down'));
    isDown = false;
    // Refused while the circuit is open; after that one is let through.
    while (states.at(-1) !== 'closed') await ask(client).catch(problem('down'));
    assert.deepEqual(states, ['open', 'half-open', 'closed']);
  });

  it('lets no more through at once than it may; the others wait', async () => {
    let open = 0;
    let most = 0;
    const track = () => {
      most = Math.max(most, ++open);
      return new Promise<Tracking>((resolve) =>
        setImmediate(() => {
          open--;
          resolve(tracked('UPS'));
        }),
      );
    };
    const client = routed([carrierOf('UPS', { track })], { concurrency: 3, requestsPerSecond: 1_000 });
    const ends = await Promise.allSettled(Array.from({ length: 15 }, () => ask(client)));
    assert.deepEqual([most, ends.filter(({ status }) => status === 'fulfilled').length], [3, 15]);
  });

  it('says what each attempt came to', async () => {
    const told: string[] = [];
    let attempts = 0;
    const track = async () => (++attempts === 1 ? fault('down')() : tracked('UPS'));
    const metrics: CarrierMetrics = {
      attempt: (carrier, operation, outcome) => told.push(`${carrier} ${operation} ${outcome}`),
      circuit: () => undefined,
    };
    await ask(routed([carrierOf('UPS', { track })], {}, metrics));
    assert.deepEqual(told, ['UPS track down', 'UPS track ok']);
  });

  it('calls a defect of ours garbled, and not a crash', async () => {
    const track = async () => {
      throw new TypeError('undefined is not a function');
    };
    await assert.rejects(ask(routed([carrierOf('UPS', { track })])), problem('garbled'));
  });

  it('takes no caller who gives up for a sign that the carrier is down', async () => {
    const hangs = (_: string, signal: AbortSignal) =>
      new Promise<Tracking>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new CarrierFault('timeout', 'as exchange says it'))),
      );
    let track: OneCarrier['track'] = hangs;
    const client = routed([carrierOf('UPS', { track: (number, signal) => track(number, signal) })]);
    for (let i = 0; i < 6; i++) {
      const caller = new AbortController();
      const asked = client.track('UPS', NUMBER, { ...PATIENCE, signal: caller.signal });
      setImmediate(() => caller.abort());
      await assert.rejects(asked, problem('timeout'));
    }
    track = async () => tracked('UPS');
    assert.equal((await ask(client)).carrier, 'UPS');
  });

  it('takes no slower of two answers for one either', async () => {
    const track = (_: string, signal: AbortSignal) =>
      new Promise<Tracking>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new CarrierFault('timeout', 'as exchange says it')));
        if (++asked % 2 === 0) resolve(tracked('UPS'));
      });
    let asked = 0;
    const states: string[] = [];
    const client = routed(
      [carrierOf('UPS', { track })],
      { hedgeAfterMs: 1, circuit: { failures: 1, openMs: 60_000 } },
      { attempt: () => undefined, circuit: (_, state) => states.push(state) },
    );
    for (let i = 0; i < 3; i++) await ask(client);
    assert.deepEqual(states, []);
  });

  it('is one carrier’s: a circuit that is open stops no other', async () => {
    const client = routed([carrierOf('UPS', { track: fault('down') }), carrierOf('FedEx')], {
      circuit: { failures: 1, openMs: 60_000 },
    });
    await assert.rejects(ask(client), problem('down'));
    assert.equal((await client.track('FedEx', '986578788855', PATIENCE)).carrier, 'FedEx');
  });
});

describe('FedEx', () => {
  let carrier: TestCarrier;
  const client = () =>
    openCarriers(
      loadSettings({
        COUNTERSIGN_PROFILE: 'development',
        CARRIER_FEDEX_URL: carrier.url,
        CARRIER_FEDEX_CLIENT_ID: 'an-id',
        CARRIER_FEDEX_CLIENT_SECRET: 'a-secret',
      }),
      createLog({ level: 'silent' }),
    );
  const known = {
    output: {
      completeTrackResults: [
        {
          trackingNumber: '986578788855',
          trackResults: [
            { latestStatusDetail: { code: 'OD', derivedCode: 'IT' }, scanEvents: [{ eventType: 'OD' }] },
          ],
        },
      ],
    },
  };
  beforeEach(async () => {
    carrier = await testCarrier();
  });
  afterEach(() => carrier.close());

  it('is asked for one number, with every scan', async () => {
    carrier.script((_, response) => send(response, 200, known));
    assert.equal((await client().track('FedEx', '9865 7878 8855', PATIENCE)).state, 'out_for_delivery');
    assert.deepEqual(JSON.parse(carrier.seen[0]?.body ?? ''), {
      includeDetailedScans: true,
      trackingInfo: [{ trackingNumberInfo: { trackingNumber: '986578788855' } }],
    });
  });

  it('says that it does not know a number with status 400', async () => {
    carrier.script((_, response) =>
      send(response, 400, { errors: [{ code: 'TRACKING.TRACKINGNUMBER.NOTFOUND', message: 'x' }] }),
    );
    await assert.rejects(client().track('FedEx', '986578788855', PATIENCE), problem('unknown_number'));
  });

  it('gets a new token when it refuses one', async () => {
    carrier.script(
      (_, response) => send(response, 401, {}),
      (_, response) => send(response, 200, known),
    );
    await client().track('FedEx', '986578788855', PATIENCE);
    assert.equal(carrier.tokensAsked(), 2);
  });

  it('has neither rates nor labels here', async () => {
    await assert.rejects(client().rate(HERE, HERE, PARCEL, PATIENCE), problem('unsupported'));
    await assert.rejects(client().label(LABEL, 'key', PATIENCE), problem('unsupported'));
  });
});

describe('The configuration of carriers', () => {
  const env = { CARRIER_UPS_URL: 'https://onlinetools.ups.com', CARRIER_UPS_CLIENT_ID: 'an-id' };

  it('is whole or absent', () => {
    assert.throws(
      () => loadSettings(env),
      (error) => error instanceof ConfigError && /CARRIER_UPS_CLIENT_SECRET/.test(error.message),
    );
  });

  it('sends no secret over an open line in production', () => {
    const open = { ...env, CARRIER_UPS_URL: 'http://onlinetools.ups.com', CARRIER_UPS_CLIENT_SECRET: 'hush' };
    assert.throws(
      () => loadSettings(open),
      (error) => error instanceof ConfigError && /https/.test(error.message) && !/hush/.test(error.message),
    );
  });

  it('may be given to a carrier on this machine', () => {
    const local = { ...env, CARRIER_UPS_URL: 'http://127.0.0.1:8080', CARRIER_UPS_CLIENT_SECRET: 'hush' };
    assert.equal(loadSettings(local).carriers.ups?.url, 'http://127.0.0.1:8080');
  });

  it('bounds what a caller may wait', async () => {
    const carrier = await testCarrier();
    carrier.script(() => undefined);
    const client = openCarriers(
      loadSettings({
        COUNTERSIGN_PROFILE: 'development',
        ...env,
        CARRIER_UPS_URL: carrier.url,
        CARRIER_UPS_CLIENT_SECRET: 'hush',
        CARRIER_DEADLINE_MS: '200',
      }),
      createLog({ level: 'silent' }),
    );
    const start = performance.now();
    await assert.rejects(client.track('UPS', NUMBER, { deadlineMs: 60_000 }), problem('timeout'));
    assert.ok(performance.now() - start < 1_000);
    carrier.script((_, response) => send(response, 200, upsAnswer()));
    await client.track('UPS', NUMBER, { deadlineMs: 60_000 });
    await carrier.close();
  });
});
