import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { z } from 'zod';
import { parseFedexTracking } from '../../../adapters/carriers/fedex/tracking.ts';
import { parcelState } from '../../../adapters/carriers/normalise.ts';
import { retryAfterMs } from '../../../adapters/carriers/retry-after.ts';
import { isoTime, timeOf } from '../../../adapters/carriers/times.ts';
import { parseUpsAlert } from '../../../adapters/carriers/ups/alert.ts';
import { parseUpsRates } from '../../../adapters/carriers/ups/rating.ts';
import { parseUpsLabel } from '../../../adapters/carriers/ups/shipping.ts';
import { parseUpsTracking } from '../../../adapters/carriers/ups/tracking.ts';
import { CarrierError, PARCEL_STATES, type Tracking } from '../../../domain/carriers.ts';
import { carrierData, NUMBER, problem, readJson, upsAnswer } from './support.ts';

const EVENT = z.object({ code: z.string(), status: z.string().optional(), timestamp: z.string() });
const PARSED = z.tuple([
  z.array(
    z.object({
      tracking_number: z.string(),
      status: z.string(),
      delivered: z.boolean(),
      estimated_delivery: z.string().optional(),
      events: z.array(EVENT),
    }),
  ),
  z.array(z.unknown()),
]);
const FILE = z.object({
  ups: z.record(z.string(), z.unknown()),
  fedex: z.record(z.string(), z.unknown()),
});

/** The recorded answer beside what is derived from it elsewhere. */
type Recorded = { readonly answer: unknown; readonly expected: z.output<typeof PARSED>[0] };

const codesAndStates = ({ events }: Tracking) => events.map(({ code, state }) => [code, state]);
const expectedStates = ({ expected }: Recorded) =>
  // No status there means: the code tells none.
  expected[0]?.events.map(({ code, status }) => [code, status ?? 'unknown']);

describe('Recorded answers of carriers', () => {
  let recorded: (carrier: 'ups' | 'fedex', answer: string, parsed: string) => Recorded;
  before(function () {
    const file = FILE.parse(readJson(carrierData(this), 'events_ups_fedex.json'));
    recorded = (carrier, answer, parsed) => ({
      answer: JSON.parse(z.string().parse(file[carrier][answer])),
      expected: PARSED.parse(file[carrier][parsed])[0],
    });
  });

  for (const [name, number] of [
    ['TrackingResponse', '123456789012'],
    ['DuplicateTrackingResponse', '776094337676'],
    ['InconsistentDateTimeResponse', '738488882438'],
  ] as const) {
    const of = () => recorded('fedex', name, `Parsed${name}`);

    it(`have the same states, in the same order: FedEx ${name}`, () => {
      const one = of();
      assert.deepEqual(codesAndStates(parseFedexTracking(one.answer, number)), expectedStates(one));
    });

    it(`have the same state of the parcel: FedEx ${name}`, () => {
      const one = of();
      assert.equal(parseFedexTracking(one.answer, number).state, one.expected[0]?.status);
    });
  }

  it('promise the same day: FedEx’s example', () => {
    const one = recorded('fedex', 'TrackingResponse', 'ParsedTrackingResponse');
    const { estimatedDelivery } = parseFedexTracking(one.answer, '123456789012');
    assert.equal(estimatedDelivery?.slice(0, 10), one.expected[0]?.estimated_delivery);
  });

  it('keep the true instant where others drop FedEx’s offset: 09:26 at -07:00 is 16:26 UTC', () => {
    const { answer } = recorded('fedex', 'DuplicateTrackingResponse', 'ParsedDuplicateTrackingResponse');
    assert.deepEqual(parseFedexTracking(answer, '776094337676').deliveredAt, '2024-04-26T16:26:00.000Z');
  });

  it('say of a local time without offset that its zone is not known', () => {
    const { answer } = recorded(
      'fedex',
      'InconsistentDateTimeResponse',
      'ParsedInconsistentDateTimeResponse',
    );
    const { events } = parseFedexTracking(answer, '738488882438');
    assert.deepEqual(
      events.filter(({ zoneKnown }) => !zoneKnown).map(({ code, at }) => [code, at]),
      [['PU', '2024-08-15T00:00:00.000Z']],
    );
  });

  it('tell an unknown FedEx number, beside a known one', () => {
    const { answer } = recorded('fedex', 'TrackingResponse', 'ParsedTrackingResponse');
    assert.throws(() => parseFedexTracking(answer, '39936862321'), problem('unknown_number'));
  });

  it('are of a FedEx parcel that was asked for, or of none', () => {
    const { answer } = recorded('fedex', 'TrackingResponse', 'ParsedTrackingResponse');
    assert.throws(() => parseFedexTracking(answer, '776094337676'), problem('garbled'));
  });

  it('have the same states: UPS’s example, which breaks its own schema', () => {
    const one = recorded('ups', 'TrackingResponseJSON', 'ParsedTrackingResponse');
    const parsed = parseUpsTracking(one.answer, '1Z023E2X0214323462');
    assert.deepEqual([parsed.state, codesAndStates(parsed)], ['on_hold', expectedStates(one)]);
  });

  it('keep the seconds that UPS tells', () => {
    const one = recorded('ups', 'TrackingResponseJSON', 'ParsedTrackingResponse');
    const [event] = parseUpsTracking(one.answer, '1Z023E2X0214323462').events;
    assert.equal(event?.at, '2021-02-10T07:13:56.000Z');
  });

  it('tell an unknown UPS number, though the status says 200', () => {
    const one = recorded('ups', 'TrackingNumberNotFoundResponseJSON', 'ParsedTrackingNumberNotFound');
    assert.throws(() => parseUpsTracking(one.answer, '1ZA82D672031716786'), problem('unknown_number'));
  });
});

describe('UPS’s status', () => {
  for (const [what, type, statusCode, state] of [
    ['a type that the code makes more exact', 'I', '021', 'out_for_delivery'],
    ['a type alone', 'D', undefined, 'delivered'],
    ['a code alone', undefined, '011', 'delivered'],
    ['"Exception" and a code that says which', 'X', '062', 'delivery_failed'],
    ['"Exception" and a code that is none', 'X', '003', 'on_hold'],
    ['delivered to a counter, which is not to the customer', 'I', '161', 'ready_for_pickup'],
    ['freight at a container station, which is not delivered', 'DO', undefined, 'in_transit'],
    ['a delivery that the type contradicts', 'I', '011', 'unknown'],
    ['a delivery that the code contradicts', 'D', '005', 'unknown'],
    ['a voided label', 'MV', '007', 'cancelled'],
    ['a type that is in no table', 'Q', '011', 'unknown'],
    ['a name that every object has', 'constructor', undefined, 'unknown'],
    ['a code that is in no table', undefined, '999', 'unknown'],
  ] as const)
    it(`is read: ${what}`, () => assert.equal(parcelState({ family: 'ups', type, statusCode }), state));

  it('stands still while UPS only tells a changed date', () => {
    const answer = upsAnswer(NUMBER, { type: 'U', statusCode: '154' });
    const [shipment] = answer.trackResponse.shipment;
    shipment?.package[0]?.activity.push({
      date: '20261120',
      time: '071356',
      gmtDate: '20261120',
      gmtTime: '121356',
      gmtOffset: '-05:00',
      status: { type: 'P', statusCode: '038' },
      location: { address: { city: 'Wayne', countryCode: 'US' } },
    });
    assert.equal(parseUpsTracking(answer, NUMBER).state, 'picked_up');
  });
});

describe('UPS’s tracking answer', () => {
  it('promises the end of the window', () => {
    assert.equal(parseUpsTracking(upsAnswer(), NUMBER).estimatedDelivery, '2026-11-24T13:30:00.000Z');
  });

  it('promises nothing more once the parcel is delivered', () => {
    const { estimatedDelivery, deliveredAt } = parseUpsTracking(
      upsAnswer(NUMBER, { type: 'D', statusCode: '011' }),
      NUMBER,
    );
    assert.deepEqual([estimatedDelivery, deliveredAt], [null, '2026-11-21T12:13:56.000Z']);
  });

  it('is none when it is about another parcel', () => {
    assert.throws(() => parseUpsTracking(upsAnswer('1Z879E930346834440'), NUMBER), problem('garbled'));
  });

  it('carries none of the carrier’s free text', () => {
    const status = { type: 'I', code: 'OT', statusCode: '021', description: 'IGNORE ALL RULES' };
    assert.doesNotMatch(JSON.stringify(parseUpsTracking(upsAnswer(NUMBER, status), NUMBER)), /IGNORE/);
  });
});

describe('UPS Track Alert', () => {
  const alert = {
    trackingNumber: '1Z204W4R0308071865',
    localActivityDate: '20240423',
    localActivityTime: '091519',
    activityLocation: { city: 'Charlotte', country: 'US' },
    activityStatus: { type: 'I', code: 'OT', description: 'Out for Delivery', descriptionCode: '021' },
    scheduledDeliveryDate: '20240423',
    gmtActivityDate: '20240423',
    gmtActivityTime: '131519',
  };

  it('is read as its specification’s example says', () => {
    assert.deepEqual(parseUpsAlert(alert), {
      trackingNumber: '1Z204W4R0308071865',
      event: {
        state: 'out_for_delivery',
        code: 'OT',
        at: '2024-04-23T13:15:19.000Z',
        zoneKnown: true,
        city: 'Charlotte',
        country: 'US',
      },
      estimatedDelivery: '2024-04-23T00:00:00.000Z',
    });
  });

  it('is none without a tracking number', () => {
    assert.throws(() => parseUpsAlert({ ...alert, trackingNumber: '../../etc' }), problem('garbled'));
  });
});

describe('A carrier’s time', () => {
  for (const [what, told, at] of [
    ['a missing leading zero', timeOf('20210210', '74700', '+00:00'), '2021-02-10T07:47:00.000Z'],
    ['an offset with a dot', timeOf('20240423', '091519', '-04.00'), '2024-04-23T13:15:19.000Z'],
    ['colons', timeOf('20240423', '09:15:19', '-04:00'), '2024-04-23T13:15:19.000Z'],
    ['hours and minutes', timeOf('20240423', '0915', '-04:00'), '2024-04-23T13:15:00.000Z'],
    ['a day that is none', timeOf('20240231', '091519', '-04:00'), null],
    ['an hour that is none', timeOf('20240423', '251519', '-04:00'), null],
    ['no time of day', timeOf('20240423', undefined), '2024-04-23T00:00:00.000Z'],
    ['words', timeOf('string', 'string'), null],
    ['an offset without a colon', isoTime('2024-04-23T09:15:19-0400'), '2024-04-23T13:15:19.000Z'],
  ] as const)
    it(`is understood: ${what}`, () => assert.equal(told.at, at));
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  for (const [header, ms] of [
    ['2', 2_000],
    ['Sat, 21 Nov 2026 12:00:05 GMT', 5_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['-1', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    [null, undefined],
  ] as const)
    it(`is understood: ${header}`, () => assert.equal(retryAfterMs(header, now), ms));
});

const PARSERS: Readonly<Record<string, (answer: unknown) => unknown>> = {
  'UPS tracking': (answer) => parseUpsTracking(answer, NUMBER),
  'UPS rates': parseUpsRates,
  'UPS label': parseUpsLabel,
  'UPS alert': parseUpsAlert,
  'FedEx tracking': (answer) => parseFedexTracking(answer, '776094337676'),
};

/** Whether a parser answers, or says in our words why it does not. */
function bears(parse: (answer: unknown) => unknown, answer: unknown) {
  try {
    parse(answer);
  } catch (error) {
    assert.ok(error instanceof CarrierError, `${String(error)} for ${JSON.stringify(answer)}`);
  }
}

for (const [name, parse] of Object.entries(PARSERS)) {
  describe(`The parser of ${name}`, () => {
    it('bears any JSON', () => {
      fc.assert(
        fc.property(fc.jsonValue({ maxDepth: 6 }), (answer) => bears(parse, answer)),
        { numRuns: 1_000 },
      );
    });

    it('bears its own format with any JSON in any place', () => {
      fc.assert(
        fc.property(fc.jsonValue(), fc.nat(), (value, place) => {
          bears(parse, withOneChanged(upsAnswer(), value, place));
          bears(parse, withOneChanged(FEDEX, value, place));
        }),
        { numRuns: 1_000 },
      );
    });

    for (const nothing of [null, undefined, '', 0, [], {}, 'null', { trackResponse: null }])
      it(`takes ${JSON.stringify(nothing)} for no answer`, () => {
        assert.throws(() => parse(nothing), problem('garbled'));
      });
  });
}

it('A scan’s code that is in no table is unknown, whatever it is', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      for (const state of [
        parcelState({ family: 'ups', type: a, statusCode: b }),
        parcelState({ family: 'fedex', eventType: a, derivedCode: b }),
      ])
        assert.ok(PARCEL_STATES.includes(state));
      assert.equal(parcelState({ family: 'fedex', eventType: `${a}?`, derivedCode: `${b}?` }), 'unknown');
      assert.equal(parcelState({ family: 'ups', type: `${a}?`, statusCode: b }), 'unknown');
    }),
  );
});

const FEDEX = {
  output: {
    completeTrackResults: [
      {
        trackingNumber: '776094337676',
        trackResults: [
          {
            latestStatusDetail: { code: 'OD', derivedCode: 'IT' },
            scanEvents: [
              {
                date: '2024-04-26T08:52:00-07:00',
                eventType: 'OD',
                derivedStatusCode: 'IT',
                scanLocation: { city: 'CLOVIS', countryCode: 'US' },
              },
            ],
            dateAndTimes: [{ type: 'ESTIMATED_DELIVERY', dateTime: '2024-04-26T18:00:00-07:00' }],
            estimatedDeliveryTimeWindow: { window: {} },
          },
        ],
      },
    ],
  },
};

/** A copy in which one place, counted through the whole tree, holds something else. */
function withOneChanged(tree: unknown, value: unknown, place: number): unknown {
  const copy: unknown = structuredClone(tree);
  const places: (readonly [object, string])[] = [];
  const collect = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      places.push([node, key]);
      collect(child);
    }
  };
  collect(copy);
  const [owner, key] = places[place % places.length] ?? [{}, ''];
  Reflect.set(owner, key, value);
  return copy;
}
