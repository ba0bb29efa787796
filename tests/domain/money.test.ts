import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { majorUnits, minorUnits } from '../../domain/money.ts';

describe('money', () => {
  for (const [decimal, currency, minor] of [
    ['12.99', 'USD', 1299],
    ['1.005', 'USD', 101],
    ['0.00', 'USD', 0],
    ['1299.00', 'JPY', 1299],
    ['1.234', 'KWD', 1234],
    ['999999999999.99', 'USD', 99999999999999],
  ] as const) {
    it(`reads ${decimal} ${currency} as ${minor} minor units`, () => {
      assert.equal(minorUnits(decimal, currency), minor);
    });
  }

  it('comes back from major units unchanged', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 ** 13 }),
        fc.constantFrom('USD', 'JPY', 'KWD'),
        (amountMinor, currency) => {
          assert.equal(minorUnits(String(majorUnits({ amountMinor, currency })), currency), amountMinor);
        },
      ),
    );
  });
});
