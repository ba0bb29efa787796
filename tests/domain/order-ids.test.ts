import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { meant, spellingsOf } from '../../domain/order-ids.ts';

describe('the spellings of an order number', () => {
  it('begin with the one that was asked for', () => {
    fc.assert(fc.property(fc.string(), (asked) => spellingsOf(asked)[0] === asked));
  });

  it('are the same set, whichever of them is asked for', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{1,9}$/), (bare) => {
        fc.pre(!bare.startsWith('ord_'));
        const sets = [bare, `#${bare}`, `ord_${bare}`].map((each) => [...spellingsOf(each)].sort());
        assert.deepEqual(sets[0], sets[1]);
        assert.deepEqual(sets[0], sets[2]);
      }),
    );
  });

  it('are one alone for a prefix without a number', () => {
    assert.deepEqual(spellingsOf('#'), ['#']);
  });

  it('prefer the exact order', () => {
    assert.deepEqual(meant('7', [{ orderId: '#7' }, { orderId: '7' }]), { orderId: '7' });
  });

  it('guess nothing between two', () => {
    assert.equal(meant('7', [{ orderId: '#7' }, { orderId: 'ord_7' }]), undefined);
  });
});
