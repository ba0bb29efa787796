/** The simulated carrier as its callers meet it: over HTTP. */
import assert from 'node:assert/strict';
import { openCarriers } from '../../adapters/carriers/router.ts';
import { loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import type { Control } from '../../simulator/carriers/control.ts';
import { ARRIVES, ask, basic, type Carrier, CREDENTIALS, NUMBER, openCarrier, part } from './carrier.ts';

const TRACK = `/api/track/v1/details/${NUMBER}`;
const PACKAGE = ['trackResponse', 'shipment', 0, 'package', 0] as const;
const DAY_S = 86_400;

const address = (country: string, postalCode: string, city = 'Somewhere') => ({
  Address: { AddressLine: ['1 Street'], City: city, PostalCode: postalCode, CountryCode: country },
});
const rateTo = (to: object, kilograms = '1.00') => ({
  RateRequest: {
    Shipment: {
      ShipFrom: address('US', '07114'),
      ShipTo: to,
      Package: { PackageWeight: { UnitOfMeasurement: { Code: 'KGS' }, Weight: kilograms } },
    },
  },
});
const RATE = '/api/rating/v2409/Shoptimeintransit';

describe('the carrier simulator', () => {
  let carrier: Carrier;
  beforeEach(async () => {
    carrier = await openCarrier();
  });
  afterEach(() => carrier.simulator.stop());

  const stateNow = async () => part(await carrier.get(TRACK), ...PACKAGE, 'currentStatus', 'description');
  const advance = (seconds: number) => carrier.control({ clock: { advance_s: seconds } });
  describe('asked as UPS', () => {
    it('gives no token for wrong credentials', async () => {
      const { status } = await carrier.token(basic({ ...CREDENTIALS, clientSecret: 'another' }));
      assert.equal(status, 401);
    });

    it('answers nobody without a token', async () => {
      const { status } = await ask(`${carrier.simulator.url}${TRACK}`, {
        headers: { transId: 'x', transactionSrc: 'x' },
      });
      assert.equal(status, 401);
    });

    it('takes no token that has been revoked', async () => {
      await carrier.control({ revoke_tokens: true });
      assert.equal((await carrier.get(TRACK)).status, 401);
    });

    it('wants to know who asks', async () => {
      const token = part(await carrier.token(), 'access_token');
      const { status } = await ask(`${carrier.simulator.url}${TRACK}`, {
        headers: { authorization: `Bearer ${String(token)}` },
      });
      assert.equal(status, 400);
    });

    for (const number of ['short', '..%2f..%2f_control', 'x'.repeat(35), '1z5r89390357567127'])
      it(`refuses ${number.slice(0, 20)} as a number`, async () => {
        assert.equal((await carrier.get(`/api/track/v1/details/${number}`)).status, 400);
      });

    for (const [what, to] of [
      ['a country that is none', address('ZZ', '12345')],
      ['a country of three letters', address('USA', '12345')],
      ['a country that it does not serve', address('KP', '12345')],
      ['a postal code of another country', address('US', '100-0005')],
      ['no city', address('US', '07102', ' ')],
    ] as const)
      it(`quotes nothing to ${what}`, async () => {
        const answer = await carrier.post(RATE, rateTo(to));
        assert.match(String(part(answer, 'response', 'errors', 0, 'code')), /^11\d{4}$/);
      });

    it('quotes nothing for what is too heavy', async () => {
      assert.equal((await carrier.post(RATE, rateTo(address('US', '07102'), '70.01'))).status, 400);
    });

    it('asks more for a heavier parcel', async () => {
      const costOf = async (kilograms: string) =>
        Number(
          part(
            await carrier.post(RATE, rateTo(address('US', '07102'), kilograms)),
            'RateResponse',
            'RatedShipment',
            0,
            'TotalCharges',
            'MonetaryValue',
          ),
        );
      assert.ok((await costOf('20.00')) > (await costOf('1.00')));
    });

    for (const [what, body] of [
      ['nothing', {}],
      ['a list', []],
      ['a shipment without a package', { RateRequest: { Shipment: { ShipFrom: address('US', '07114') } } }],
    ] as const)
      it(`refuses ${what} as a request for rates`, async () => {
        assert.equal((await carrier.post(RATE, body)).status, 400);
      });
  });

  describe('with a clock', () => {
    it('moves a parcel along its way', async () => {
      const seen = [await stateNow()];
      for (const hours of [4, 8, 30, 5]) {
        await advance(hours * 3_600);
        seen.push(await stateNow());
      }
      await advance(2 * 3_600);
      seen.push(await stateNow());
      assert.deepEqual(seen, [
        'Shipment Ready for UPS',
        'Picked Up by UPS',
        'On the Way',
        'On the Way',
        'Out for Delivery',
        'Delivered',
      ]);
    });

    it('moves it back again', async () => {
      await advance(3 * DAY_S);
      await carrier.control({ clock: { now: '2026-11-20T13:00:00Z' } });
      assert.equal(await stateNow(), 'Shipment Ready for UPS');
    });

    it('reschedules a parcel whose arrival is moved', async () => {
      await carrier.control({
        etas: [{ tracking_number: NUMBER, estimated_delivery: '2026-11-25T09:30:00Z' }],
      });
      assert.deepEqual(part(await carrier.get(TRACK), ...PACKAGE, 'deliveryDate'), [
        { type: 'SDD', date: '20261122' },
        { type: 'RDD', date: '20261125' },
      ]);
    });

    it('follows its plan no longer once a parcel goes back', async () => {
      await advance(DAY_S);
      await carrier.control({ scans: [{ tracking_number: NUMBER, state: 'return_to_sender' }] });
      await advance(3 * DAY_S);
      assert.equal(await stateNow(), 'Returning to Sender');
    });

    it('delivers after a failed attempt', async () => {
      await advance(DAY_S);
      await carrier.control({ scans: [{ tracking_number: NUMBER, state: 'delivery_failed' }] });
      const failed = await stateNow();
      await advance(3 * DAY_S);
      assert.deepEqual([failed, await stateNow()], ['First Attempt Made', 'Delivered']);
    });
  });

  describe('with faults', () => {
    const faulty = async (wanted: Control) => {
      await carrier.control(wanted);
      return carrier.get(TRACK, { signal: AbortSignal.timeout(400), headers: await namedHeaders() }).then(
        ({ status, headers }) =>
          `${status}${headers.has('retry-after') ? ` ${headers.get('retry-after')}` : ''}`,
        (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
      );
    };
    const namedHeaders = async () => ({
      authorization: `Bearer ${String(part(await carrier.token(), 'access_token'))}`,
      transId: 'x',
      transactionSrc: 'x',
    });

    for (const [name, wanted, expected] of [
      ['hangs', { fault: 'hang' }, 'TimeoutError'],
      ['drips its answer', { fault: 'slow_body' }, 'TimeoutError'],
      ['breaks the connection', { fault: 'reset' }, 'TypeError'],
      ['breaks it after it has done what it was asked', { fault: 'lost' }, 'TypeError'],
      ['ends its JSON in the middle', { fault: 'garbage' }, 'SyntaxError'],
      ['asks for patience', { fault: 'rate_limited' }, '429'],
      ['says for how long', { fault: 'rate_limited', retry_after_s: 7 }, '429 7'],
      ['is down', { fault: 'down' }, '503'],
      ['says until when it is down', { fault: 'down', retry_after_s: 9 }, '503 9'],
      ['answers late', { latency_ms: 1_000 }, 'TimeoutError'],
      ['fails always', { error_rate: 1 }, '500'],
      ['fails never', { error_rate: 0 }, '200'],
    ] as const)
      it(name, async () => {
        assert.equal(await faulty(wanted), expected);
      });

    it('answers with a proxy’s page', async () => {
      await carrier.control({ fault: 'html' });
      const { status, json } = await carrier.get(TRACK);
      assert.deepEqual([status, json], [200, null]);
    });

    it('is well again after as many requests as the fault was for', async () => {
      await carrier.control({ fault: 'down', times: 2 });
      const statuses = [];
      for (let n = 0; n < 3; n += 1) statuses.push((await carrier.get(TRACK)).status);
      assert.deepEqual(statuses, [503, 503, 200]);
    });

    it('spares what the fault is not for', async () => {
      await carrier.control({ fault: 'down', only: ['rate'] });
      const rate = await carrier.post(RATE, rateTo(address('US', '07102')));
      assert.deepEqual([(await carrier.get(TRACK)).status, rate.status], [200, 503]);
    });

    it('gives tokens unless the fault is for them', async () => {
      await carrier.control({ fault: 'down' });
      const spared = (await carrier.token()).status;
      await carrier.control({ fault: 'down', only: ['token'] });
      assert.deepEqual([spared, (await carrier.token()).status], [200, 503]);
    });

    it('books the parcel whose label it does not hand over', async () => {
      await carrier.control({ fault: 'lost', only: ['ship'] });
      const before = carrier.simulator.state().total;
      const shipment = { ...rateTo(address('US', '07102')).RateRequest.Shipment, Service: { Code: '03' } };
      await assert.rejects(
        carrier.post('/api/shipments/v2409/ship', { ShipmentRequest: { Shipment: shipment } }),
      );
      assert.equal(carrier.simulator.state().total, before + 1);
    });

    it('hits with its error rate whom chance says', async () => {
      const draws = [0.2, 0.6, 0.4, 0.9];
      const chancy = await openCarrier(() => draws.shift() ?? 1);
      // One draw was the token's.
      await chancy.control({ error_rate: 0.5 });
      const statuses = [];
      for (let n = 0; n < 3; n += 1) statuses.push((await chancy.get(TRACK)).status);
      await chancy.simulator.stop();
      assert.deepEqual(statuses, [200, 500, 200]);
    });
  });

  describe('with scans that make no sense', () => {
    const tracked = async () => {
      const client = openCarriers(
        loadSettings({
          COUNTERSIGN_PROFILE: 'development',
          CARRIER_UPS_URL: carrier.simulator.url,
          CARRIER_UPS_CLIENT_ID: CREDENTIALS.clientId,
          CARRIER_UPS_CLIENT_SECRET: CREDENTIALS.clientSecret,
        }),
        createLog({ level: 'silent' }),
      );
      return client.track('UPS', NUMBER, { deadlineMs: 4_000 });
    };

    it('is read as the same parcel when every scan comes twice', async () => {
      await advance(DAY_S);
      const before = await tracked();
      await carrier.control({ fault: 'duplicates' });
      const after = await tracked();
      assert.deepEqual([after.state, after.events.length], [before.state, before.events.length * 2]);
    });

    it('is read in the right order when scans come in none', async () => {
      await advance(DAY_S);
      const before = await tracked();
      await carrier.control({ fault: 'out_of_order' });
      assert.deepEqual(await tracked(), before);
    });

    it('is read as unknown when type and code contradict each other', async () => {
      await advance(DAY_S);
      await carrier.control({ fault: 'contradictory' });
      assert.equal((await tracked()).state, 'unknown');
    });

    it('names the arrival to the second', async () => {
      assert.equal((await tracked()).estimatedDelivery, ARRIVES);
    });
  });

  describe('being controlled', () => {
    for (const [what, wanted] of [
      ['a field that is none', { falut: 'hang' }],
      ['a fault that is none', { fault: 'explode' }],
      ['an error rate above one', { error_rate: 1.1 }],
      ['a latency below nothing', { latency_ms: -1 }],
      ['a clock that names no time', { clock: { now: 'tomorrow' } }],
      ['a webhook that is no address', { webhooks: [{ url: 'file:///etc/passwd', secret: 'x' }] }],
      [
        'an arrival of no parcel',
        { etas: [{ tracking_number: '1Z9999999999999999', estimated_delivery: ARRIVES }] },
      ],
      ['a list', []],
    ] as const)
      it(`refuses ${what}, and changes nothing`, async () => {
        const before = carrier.simulator.state();
        const answer = await ask(`${carrier.simulator.url}/_control`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(wanted),
        });
        const { clock: _before, ...rest } = before;
        const { clock: _after, ...after } = carrier.simulator.state();
        assert.equal(answer.status, 400);
        assert.deepEqual(after, rest);
      });

    it('refuses what is no JSON', async () => {
      const answer = await ask(`${carrier.simulator.url}/_control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"fault":',
      });
      assert.equal(answer.status, 400);
    });

    it('obeys no page in a browser', async () => {
      const answer = await ask(`${carrier.simulator.url}/_control`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'http://evil.example' },
        body: '{"fault":"hang"}',
      });
      assert.deepEqual([answer.status, carrier.simulator.state().fault], [403, 'none']);
    });

    it('forgets all with a reset', async () => {
      await carrier.control({ fault: 'hang', latency_ms: 5, clock: { advance_s: DAY_S } });
      const { json } = await carrier.control({ reset: true });
      assert.deepEqual(
        ['fault', 'latency_ms', 'total'].map((name) => part({ json }, name)),
        ['none', 0, 0],
      );
    });

    it('shows no secret', async () => {
      const answer = await carrier.control({
        webhooks: [{ url: 'http://127.0.0.1:1/', secret: 'a-webhook-secret' }],
      });
      assert.doesNotMatch(JSON.stringify(answer.json), /secret/);
    });

    it('is well, whatever fault it has', async () => {
      await carrier.control({ fault: 'hang', only: ['token', 'track', 'rate', 'ship', 'intercept'] });
      const { json } = await ask(`${carrier.simulator.url}/health`, {});
      assert.equal(part({ json }, 'status'), 'ok');
    });
  });
});
