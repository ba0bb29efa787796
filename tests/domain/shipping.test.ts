import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { RateQuote } from '../../domain/carriers.ts';
import {
  ASSUMED_WEIGHT_GRAMS,
  type Good,
  type Origin,
  planParcels,
  quotesForAll,
} from '../../domain/shipping.ts';

const good = (
  sku: string,
  quantity: number,
  shelves: Good['shelves'],
  weightGrams: number | null = 200,
): Good => ({
  mangaId: sku,
  volumeNumber: 1,
  sku,
  title: sku,
  quantity,
  weightGrams,
  shelves,
});
const origin = (code: string, country = 'JP'): Origin => ({
  code,
  address: { line1: '1', city: 'X', postalCode: '1', country },
});
const quote = (service: string, amountMinor: number, day: number, currency = 'USD'): RateQuote => ({
  carrier: 'UPS',
  service,
  cost: { amountMinor, currency },
  estimatedDelivery: `2026-11-${day}T12:00:00.000Z`,
});
const plan = (goods: readonly Good[], origins: readonly Origin[], country = 'US') => {
  const { parcels, missing } = planParcels(goods, origins, country);
  return [parcels.map((one) => [one.origin.code, one.weightGrams]), missing.map(({ sku }) => sku)];
};

describe('where parcels start', () => {
  it('is one warehouse, when one has it all', () => {
    const goods = [good('A', 1, { W1: 1, W2: 1 }), good('B', 1, { W2: 1 })];
    assert.deepEqual(plan(goods, [origin('W1'), origin('W2')]), [[['W2', 400]], []]);
  });

  it('is the one in the destination’s country, between equals', () => {
    const goods = [good('A', 1, { W1: 5, W2: 5 })];
    assert.deepEqual(plan(goods, [origin('W1'), origin('W2', 'US')]), [[['W2', 200]], []]);
  });

  it('is several, when no single one has enough', () => {
    const goods = [good('A', 5, { W1: 3, W2: 2 })];
    assert.deepEqual(plan(goods, [origin('W1'), origin('W2')]), [
      [
        ['W1', 600],
        ['W2', 400],
      ],
      [],
    ]);
  });

  it('never is a warehouse without an address, and what only that has is missing', () => {
    assert.deepEqual(plan([good('A', 1, { GONE: 9 })], [origin('W1')]), [[], ['A']]);
  });

  it('takes a usual weight where none is on file', () => {
    assert.deepEqual(plan([good('A', 2, { W1: 2 }, null)], [origin('W1')]), [
      [['W1', 2 * ASSUMED_WEIGHT_GRAMS]],
      [],
    ]);
  });

  it('sends exactly what was asked for, or names what is missing', () => {
    const stock = fc.record({ W1: fc.nat(5), W2: fc.nat(5), W3: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), stock), { maxLength: 6 }), (wanted) => {
        const goods = wanted.map(([quantity, shelves], i) => good(`G${i}`, quantity, shelves, 1));
        const { parcels, missing } = planParcels(
          goods,
          ['W1', 'W2', 'W3'].map((w) => origin(w)),
          'JP',
        );
        const short = goods.filter(
          ({ quantity, shelves }) => Object.values(shelves).reduce((a, b) => a + b, 0) < quantity,
        );
        assert.deepEqual(missing, short);
        const units = goods.reduce(
          (sum, { quantity, shelves }) =>
            sum +
            Math.min(
              quantity,
              Object.values(shelves).reduce((a, b) => a + b, 0),
            ),
          0,
        );
        assert.equal(
          parcels.reduce((sum, { weightGrams }) => sum + weightGrams, 0),
          units,
        );
      }),
    );
  });
});

describe('quotes for all parcels', () => {
  it('are those of the only parcel, cheapest first', () => {
    const all = quotesForAll([[quote('B', 900, 22), quote('A', 500, 24)]]);
    assert.deepEqual(
      all.map(({ service }) => service),
      ['A', 'B'],
    );
  });

  it('cost the sum and arrive with the last', () => {
    assert.deepEqual(quotesForAll([[quote('A', 500, 24)], [quote('A', 700, 22)]]), [quote('A', 1200, 24)]);
  });

  it('leave out a service that does not take every parcel', () => {
    assert.deepEqual(quotesForAll([[quote('A', 500, 24), quote('B', 900, 22)], [quote('B', 900, 23)]]), [
      quote('B', 1800, 23),
    ]);
  });

  it('never add one currency to another, nor compare them', () => {
    assert.deepEqual(quotesForAll([[quote('A', 500, 24)], [quote('A', 500, 24, 'JPY')]]), []);
    assert.deepEqual(quotesForAll([[quote('A', 500, 24), quote('B', 1, 22, 'JPY')]]), [quote('A', 500, 24)]);
  });

  it('are none, when there are none', () => {
    assert.deepEqual([quotesForAll([]), quotesForAll([[]])], [[], []]);
  });
});
