import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { storable, storableJson } from '../../domain/storable.ts';

describe('text that can be stored', () => {
  it('is left as it is when nothing is wrong with it', () => {
    assert.equal(storable('ヴィンランド・サガ 🚢 #88213'), 'ヴィンランド・サガ 🚢 #88213');
  });

  it('never holds a NUL, half of a pair, or more than was allowed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const kept = storable(`\0${text}\ud83d`, 20);
        assert.ok(kept.length <= 20 && !/[\0\p{Surrogate}]/u.test(kept));
      }),
    );
  });

  it('is made of every text inside JSON, and of nothing else', () => {
    assert.deepEqual(storableJson({ a: ['x\0y', 1, null, { b: '\ud800' }] }), {
      a: ['xy', 1, null, { b: '\uFFFD' }],
    });
  });
});
