import assert from 'node:assert/strict';
import {
  type Address,
  type CarrierClient,
  CarrierError,
  PARCEL_STATES,
  type Patience,
} from '../../domain/carriers.ts';

/** A carrier behind the client, as the suite needs to know it. */
export type CarrierUnderTest = {
  readonly client: CarrierClient;
  readonly carrier: string;
  readonly known: string;
  /** A number of good form that the carrier never gave. */
  readonly unknown?: string;
  /** Places between which it ships and rates. */
  readonly route?: { readonly from: Address; readonly to: Address };
  close(): Promise<void>;
};

const PATIENCE: Patience = { deadlineMs: 4_000 };
const PARCEL = { weightGrams: 900, pieces: 1 };
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** `mock`: it answers with one example, whatever it is asked. `carrier`: it keeps parcels, ships and rates. */
type Kind = 'mock' | 'carrier';

/** What every carrier client promises, whatever stands behind it. */
export function carrierContract(
  name: string,
  kind: Kind,
  open: (context: Mocha.Context) => Promise<CarrierUnderTest>,
) {
  describe(`A carrier client over ${name}`, () => {
    let tested: CarrierUnderTest;
    before(async function () {
      this.timeout(180_000);
      tested = await open(this);
    });
    after(() => tested?.close());

    const track = (number: string, patience = PATIENCE) =>
      tested.client.track(tested.carrier, number, patience);
    const route = () => {
      assert.ok(tested.route, 'a carrier has a route');
      return tested.route;
    };
    const rejection = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => undefined,
        (error: unknown) => error,
      );

    it('tells where a known parcel is, in our states', async () => {
      const { carrier, trackingNumber, state, events } = await track(tested.known);
      assert.deepEqual([carrier, trackingNumber], [tested.carrier, tested.known]);
      for (const one of [state, ...events.map((event) => event.state)])
        assert.ok(PARCEL_STATES.includes(one), one);
    });

    it('dates events by ISO 8601, newest first', async () => {
      const { events, estimatedDelivery, deliveredAt } = await track(tested.known);
      const times = events.flatMap(({ at }) => at ?? []);
      for (const one of [...times, estimatedDelivery, deliveredAt]) if (one !== null) assert.match(one, ISO);
      assert.deepEqual(times, times.toSorted().toReversed());
    });

    it('promises no arrival of a parcel that has arrived', async () => {
      const { state, estimatedDelivery } = await track(tested.known);
      assert.ok(state !== 'delivered' || estimatedDelivery === null);
    });

    it('says of a number with a wrong check digit that it is unknown', async () => {
      const error = await rejection(track('1Z5R89390357567128'));
      assert.equal(error instanceof CarrierError && error.problem, 'unknown_number');
    });

    for (const [what, patience] of [
      ['has no time', { deadlineMs: 0 }],
      ['has a millisecond', { deadlineMs: 1 }],
      ['has given up', { deadlineMs: 4_000, signal: AbortSignal.abort() }],
    ] as const)
      it(`never fails but for a reason that is named, when the caller ${what}`, async () => {
        const error = await rejection(track(tested.known, patience));
        assert.ok(error === undefined || error instanceof CarrierError, String(error));
      });

    if (kind === 'mock') return;

    it('says of an unknown number that it is unknown', async () => {
      assert.ok(tested.unknown, 'a carrier does not know every number');
      const error = await rejection(track(tested.unknown));
      assert.equal(error instanceof CarrierError && error.problem, 'unknown_number');
    });

    it('quotes at least one price with a day of arrival, cheapest first', async () => {
      const { from, to } = route();
      const quotes = await tested.client.rate(from, to, PARCEL, PATIENCE);
      const amounts = quotes.map(({ cost }) => cost.amountMinor);
      assert.ok(quotes.length > 0);
      assert.deepEqual(
        amounts,
        amounts.toSorted((a, b) => a - b),
      );
      for (const { estimatedDelivery } of quotes) assert.match(estimatedDelivery, ISO);
    });

    it('gives one label for one key, and another for another', async () => {
      const { from, to } = route();
      const [quote] = await tested.client.rate(from, to, PARCEL, PATIENCE);
      const request = { from, to, parcel: PARCEL, service: quote?.service ?? '' };
      const label = (key: string) => tested.client.label(request, key, PATIENCE);
      const [first, again, other] = [await label('key-1'), await label('key-1'), await label('key-2')];
      assert.equal(again.trackingNumber, first.trackingNumber);
      assert.notEqual(other.trackingNumber, first.trackingNumber);
    });

    it('tracks what it has labelled, and takes it back once for one key', async () => {
      const { from, to } = route();
      const [quote] = await tested.client.rate(from, to, PARCEL, PATIENCE);
      const request = { from, to, parcel: PARCEL, service: quote?.service ?? '' };
      const { carrier, trackingNumber } = await tested.client.label(request, 'key-3', PATIENCE);
      assert.equal((await track(trackingNumber)).trackingNumber, trackingNumber);
      const back = () =>
        tested.client.intercept(
          { carrier, trackingNumber, what: { kind: 'return_to_sender' } },
          'key-4',
          PATIENCE,
        );
      const [first, again] = [await back(), await back()];
      assert.deepEqual([first.accepted, again.accepted], [true, true]);
    });
  });
}
