import assert from 'node:assert/strict';
import { z } from 'zod';
import { createUpsClient } from '../../../adapters/carriers/ups/client.ts';
import type { OneCarrier } from '../../../adapters/carriers/one-carrier.ts';
import type { Address } from '../../../domain/carriers.ts';
import {
  CREDENTIALS,
  NUMBER,
  problem,
  type Reply,
  send,
  type TestCarrier,
  testCarrier,
  upsAnswer,
} from './support.ts';

const TOKYO: Address = { line1: '1-1 Otemachi', city: 'Tokyo', postalCode: '1000004', country: 'JP' };
const MUNICH: Address = {
  name: 'Anna Huber',
  line1: 'Rosenheimer Str. 1',
  city: 'Munich',
  postalCode: '81667',
  country: 'DE',
};
const PARCEL = { weightGrams: 1_340, pieces: 2 };
const SHIPPER = { name: 'Countersign Manga', phone: '+81 3 1234 5678' };

type Rated = {
  code: string;
  value: string;
  currency?: string;
  negotiated?: string;
  date?: string;
  time?: string;
};
const rated = ({ code, value, currency = 'USD', negotiated, date = '20261125', time = '103000' }: Rated) => ({
  Service: { Code: code, Description: '' },
  TotalCharges: { CurrencyCode: currency, MonetaryValue: value },
  ...(negotiated === undefined
    ? {}
    : { NegotiatedRateCharges: { TotalCharge: { CurrencyCode: currency, MonetaryValue: negotiated } } }),
  TimeInTransit: { ServiceSummary: { EstimatedArrival: { Arrival: { Date: date, Time: time } } } },
});
const rates =
  (...all: readonly unknown[]): Reply =>
  (_, response) =>
    send(response, 200, { RateResponse: { RatedShipment: all } });
const refusal =
  (status: number, code: string): Reply =>
  (_, response) =>
    send(response, status, { response: { errors: [{ code, message: 'a reason' }] } });
const booked = {
  ShipmentResponse: {
    ShipmentResults: {
      ShipmentCharges: { TotalCharges: { CurrencyCode: 'USD', MonetaryValue: '27.05' } },
      ShipmentIdentificationNumber: NUMBER,
      PackageResults: [{ TrackingNumber: NUMBER, ShippingLabel: { GraphicImage: 'R0lGOD' } }],
    },
  },
};

describe('What is asked of UPS', () => {
  let carrier: TestCarrier;
  const client = (account: string | undefined = 'A1B2C3'): OneCarrier =>
    createUpsClient({ url: `${carrier.url}/`, ...CREDENTIALS, account, shipper: SHIPPER });
  const signal = () => AbortSignal.timeout(5_000);
  const rate = (one = client()) => one.rate(TOKYO, MUNICH, PARCEL, signal());
  const label = () =>
    client().label(
      { from: TOKYO, to: MUNICH, parcel: PARCEL, service: 'UPS Worldwide Saver' },
      'action-7',
      signal(),
    );
  const sent = (i = 0): unknown => JSON.parse(carrier.seen[i]?.body ?? 'null');
  beforeEach(async () => {
    carrier = await testCarrier();
  });
  afterEach(() => carrier.close());

  describe('to track', () => {
    it('has the headers that the specification requires', async () => {
      carrier.script((_, response) => send(response, 200, upsAnswer()));
      await client().track(' 1z5r 8939 0357 5671 27 ', signal());
      const [asked] = carrier.seen;
      assert.equal(asked?.path, `/api/track/v1/details/${NUMBER}`);
      assert.match(String(asked?.headers['transid']), /^[0-9a-f]{32}$/);
      assert.equal(asked?.headers['transactionsrc'], 'countersign');
    });

    for (const number of [
      '',
      '1Z',
      '../../../admin',
      '1Z5R89390357567127/../x',
      'x'.repeat(35),
      '１２３４５６７８',
    ])
      it(`leaves out what is no number: ${number.slice(0, 24)}`, async () => {
        await assert.rejects(client().track(number, signal()), problem('unknown_number'));
        assert.equal(carrier.seen.length, 0);
      });
  });

  describe('to rate', () => {
    it('names the places, the weight in kilograms and who pays', async () => {
      carrier.script(rates(rated({ code: '65', value: '30.10' })));
      await rate();
      const { RateRequest: asked } = z.object({ RateRequest: z.unknown() }).parse(sent());
      assert.ok(
        contains(asked, {
          Shipment: {
            Shipper: { ShipperNumber: 'A1B2C3' },
            ShipTo: { Name: 'Anna Huber', Address: { City: 'Munich', CountryCode: 'DE' } },
            Package: { PackageWeight: { UnitOfMeasurement: { Code: 'KGS' }, Weight: '1.34' } },
          },
        }),
      );
      assert.equal(carrier.seen[0]?.path, '/api/rating/v2409/Shoptimeintransit');
    });

    it('gets quotes, cheapest first, with what the account pays', async () => {
      carrier.script(
        rates(
          rated({ code: '07', value: '80.00', negotiated: '61.25' }),
          rated({ code: '65', value: '30.10' }),
          rated({ code: '99', value: '45.00', time: '' }),
        ),
      );
      assert.deepEqual(await rate(), [
        {
          carrier: 'UPS',
          service: 'UPS Worldwide Saver',
          cost: { amountMinor: 3010, currency: 'USD' },
          estimatedDelivery: '2026-11-25T10:30:00.000Z',
        },
        {
          carrier: 'UPS',
          service: '99',
          cost: { amountMinor: 4500, currency: 'USD' },
          estimatedDelivery: '2026-11-25T00:00:00.000Z',
        },
        {
          carrier: 'UPS',
          service: 'UPS Worldwide Express',
          cost: { amountMinor: 6125, currency: 'USD' },
          estimatedDelivery: '2026-11-25T10:30:00.000Z',
        },
      ]);
    });

    it('gets yen without decimals', async () => {
      carrier.script(rates(rated({ code: '65', value: '3010', currency: 'JPY' })));
      assert.deepEqual((await rate())[0]?.cost, { amountMinor: 3010, currency: 'JPY' });
    });

    for (const [what, one] of [
      ['a price that is none', { code: '65', value: '-1' }],
      ['a currency that is none', { code: '65', value: '1', currency: 'dollars' }],
      ['no day of arrival', { code: '65', value: '1', date: '' }],
    ] as const)
      it(`never takes a quote with ${what}`, async () => {
        carrier.script(rates(rated(one)));
        await assert.rejects(rate(), problem('garbled'));
      });

    it('learns that an address is not served', async () => {
      carrier.script(refusal(400, '111210'));
      await assert.rejects(rate(), problem('undeliverable'));
    });

    it('does not blame the address for a refusal of another kind', async () => {
      carrier.script(refusal(400, '250050'));
      await assert.rejects(rate(), problem('garbled'));
    });

    it('needs the account that pays', async () => {
      const withoutAccount = createUpsClient({ url: carrier.url, ...CREDENTIALS, shipper: SHIPPER });
      await assert.rejects(rate(withoutAccount), problem('unsupported'));
    });
  });

  describe('to ship', () => {
    const unknownReference = refusal(404, 'TW0001');
    const bookedUnderReference: Reply = (_, response) =>
      send(response, 200, { trackResponse: { shipment: [{ package: [{ trackingNumber: NUMBER }] }] } });

    it('books under a reference made of the key', async () => {
      carrier.script(unknownReference, (_, response) => send(response, 200, booked));
      assert.deepEqual(await label(), {
        carrier: 'UPS',
        trackingNumber: NUMBER,
        cost: { amountMinor: 2705, currency: 'USD' },
      });
      const [looked, asked] = carrier.seen;
      const reference = looked?.path.split('/').at(-1) ?? '';
      assert.match(reference, /^[0-9a-f]{14}$/);
      assert.ok(asked?.body.includes(`"ReferenceNumber":[{"Value":"${reference}"}]`));
      assert.equal(asked?.headers['transid'], reference);
    });

    it('books nothing when the reference is there: the first answer was lost', async () => {
      carrier.script(bookedUnderReference, rates(rated({ code: '65', value: '30.10' })));
      assert.deepEqual(await label(), {
        carrier: 'UPS',
        trackingNumber: NUMBER,
        cost: { amountMinor: 3010, currency: 'USD' },
      });
      assert.deepEqual(
        carrier.seen.filter(({ path }) => path.includes('/ship')),
        [],
      );
    });

    it('books nothing when it cannot be told whether the reference is there', async () => {
      carrier.script((_, response) => send(response, 200, { trackResponse: 'soon' }));
      await assert.rejects(label(), problem('garbled'));
      assert.equal(carrier.seen.length, 1);
    });

    it('learns that an address is not served', async () => {
      carrier.script(unknownReference, refusal(400, '120802'));
      await assert.rejects(label(), problem('undeliverable'));
    });

    it('never takes a label without a price', async () => {
      carrier.script(unknownReference, (_, response) =>
        send(response, 200, {
          ShipmentResponse: { ShipmentResults: { PackageResults: { TrackingNumber: NUMBER } } },
        }),
      );
      await assert.rejects(label(), problem('garbled'));
    });
  });

  describe('to intercept', () => {
    const intercept = (trackingNumber = NUMBER) =>
      client().intercept(
        { carrier: 'UPS', trackingNumber, what: { kind: 'return_to_sender' } },
        'action-8',
        signal(),
      );
    const eligible =
      (cancelEligibility: string): Reply =>
      (_, response) =>
        send(response, 200, {
          response: {
            commonEligibilityMap: [{ interceptFeature: 'RTS', eligibilityValue: { cancelEligibility } }],
          },
        });

    it('has a name that UPS takes, the same for the same key', async () => {
      carrier.script((_, response) =>
        send(response, 200, { transactionId: 't', statusCode: '000', success: true }),
      );
      await intercept();
      await intercept();
      const names = carrier.seen.map(({ headers }) => String(headers['transid']));
      assert.equal(new Set(names).size, 1);
      assert.match(names[0] ?? '', /^[a-zA-Z0-9-.]{3,14}$/);
    });

    it('is accepted when the refused request is there already: the first answer was lost', async () => {
      carrier.script(refusal(400, '0716'), eligible('ELIGIBLE'));
      assert.equal((await intercept()).accepted, true);
    });

    it('is refused when there is none', async () => {
      carrier.script(refusal(400, '0716'), eligible('NOT_ELIGIBLE'));
      assert.deepEqual(await intercept(), { accepted: false, reference: '0716' });
    });

    it('is not for numbers of another kind', async () => {
      await assert.rejects(intercept('K1506235620'), problem('unsupported'));
      assert.equal(carrier.seen.length, 0);
    });
  });
});

/** Whether everything in `part` is in `whole`, in the same place. */
function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null) return false;
  return Object.entries(part).every(([key, value]) => contains(Reflect.get(whole, key), value));
}
