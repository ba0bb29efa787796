import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { allocate, type Shelf } from '../../domain/checkout.ts';
import { hasArrived, type IntentState, judgeCharge } from '../../domain/payments.ts';
import { Refusal } from '../../domain/refusal.ts';

const shelves: fc.Arbitrary<readonly Shelf[]> = fc
  .array(fc.integer({ min: -3, max: 20 }), { maxLength: 6 })
  .map((all) => all.map((sellable, n) => ({ warehouseId: String(n), warehouse: `W-${n}`, sellable })));
const sellableOf = (all: readonly Shelf[]) =>
  all.reduce((sum, { sellable }) => sum + Math.max(sellable, 0), 0);

describe('what a cart takes from which shelf', () => {
  it('adds up to what was asked, and is on the shelves, or nothing is taken', () => {
    fc.assert(
      fc.property(shelves, fc.integer({ min: 1, max: 60 }), (all, quantity) => {
        if (sellableOf(all) < quantity) {
          assert.throws(() => allocate('S', all, quantity), Refusal);
          return;
        }
        const taken = allocate('S', all, quantity);
        assert.equal(
          taken.reduce((sum, one) => sum + one.quantity, 0),
          quantity,
        );
        for (const { warehouseId, quantity: units } of taken)
          assert.ok(
            units > 0 && units <= (all.find((one) => one.warehouseId === warehouseId)?.sellable ?? 0),
          );
      }),
    );
  });

  it('comes from one warehouse whenever one has it all', () => {
    fc.assert(
      fc.property(shelves, fc.integer({ min: 1, max: 20 }), (all, quantity) => {
        fc.pre(all.some(({ sellable }) => sellable >= quantity));
        assert.equal(allocate('S', all, quantity).length, 1);
      }),
    );
  });
});

describe('what a provider says, whatever it said before', () => {
  const outcomes = fc.constantFrom('succeeded', 'declined', 'pending');

  it('never leaves money with us that belongs to a cancelled order', () => {
    fc.assert(
      fc.property(
        fc.array(outcomes, { maxLength: 8 }),
        fc.array(fc.boolean(), { maxLength: 8 }),
        (said, over) => {
          let state: IntentState = 'charging';
          let isOver = false;
          for (const [n, outcome] of said.entries()) {
            isOver ||= over[n] === true;
            const before = state;
            ({ to: state } = judgeCharge(before, isOver, outcome));
            if (isOver && hasArrived(before, state)) assert.equal(state, 'refund_due');
          }
        },
      ),
    );
  });

  it('never forgets money that it took, nor takes it twice', () => {
    fc.assert(
      fc.property(fc.array(outcomes, { maxLength: 12 }), (said) => {
        let state: IntentState = 'charging';
        let arrivals = 0;
        for (const outcome of said) {
          const { to } = judgeCharge(state, false, outcome);
          if (hasArrived(state, to)) arrivals += 1;
          state = to;
        }
        assert.equal(arrivals, said.includes('succeeded') ? 1 : 0);
        assert.equal(state === 'succeeded' || state === 'refund_due', said.includes('succeeded'));
      }),
    );
  });
});
