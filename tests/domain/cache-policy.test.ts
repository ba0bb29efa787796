import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  cacheFacts,
  cacheKey,
  createAgeClock,
  isDueEarly,
  isServable,
  lifeMs,
} from '../../domain/cache-policy.ts';
import { CACHE_TTL, type CacheKey, type CacheKind } from '../../domain/cache.ts';

const kinds = Object.keys(CACHE_TTL).filter((name): name is CacheKind => name in CACHE_TTL);
const kind = fc.constantFrom(...kinds);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom(':', '%3A', '{a}', '\ud800', '\udfff'),
);
const parts = fc.array(fc.oneof(text, fc.integer(), fc.constant('')), { maxLength: 4 });
const key: fc.Arbitrary<CacheKey> = fc.record({ tenant: text, kind, parts });

describe('cache policy', () => {
  it('keeps the TTLs of the sources', () => {
    assert.deepEqual(CACHE_TTL, {
      order_status: 30,
      stock_level: 10,
      price: 300,
      shipping_eta: 120,
      policy: 300,
    });
  });

  it('only ever shortens a TTL, and by a tenth at most', () => {
    fc.assert(
      fc.property(kind, random, (kind, random) => {
        const ttlMs = CACHE_TTL[kind] * 1000;
        const life = lifeMs(kind, random);
        assert.ok(life <= ttlMs && life >= Math.floor(ttlMs * 0.9), `${life}`);
      }),
    );
  });

  it('gives two keys filled together different lives', () => {
    assert.notEqual(lifeMs('stock_level', 0.1), lifeMs('stock_level', 0.8));
  });

  it('never lets a cap lengthen a life, whatever number the cap is', () => {
    fc.assert(
      fc.property(kind, random, fc.double(), (kind, random, cap) => {
        const life = lifeMs(kind, random, cap);
        assert.ok(Number.isInteger(life) && life >= 0 && life <= lifeMs(kind, random), `${life}`);
        if (cap > 0) assert.ok(life <= cap * 1000);
      }),
    );
  });

  it('keeps nothing for a cap that is no number or lies in the past', () => {
    assert.deepEqual(
      [NaN, -1, 0].map((cap) => lifeMs('price', 0.5, cap)),
      [0, 0, 0],
    );
  });

  it('serves nothing as old as its TTL, whatever the entry claims', () => {
    fc.assert(
      fc.property(kind, fc.double({ min: 0, noNaN: true }), (kind, ttlMs) => {
        assert.equal(isServable(kind, { ageMs: CACHE_TTL[kind] * 1000, ttlMs }), false);
      }),
    );
  });

  it('serves nothing from the future', () => {
    assert.equal(isServable('price', { ageMs: -1, ttlMs: 1000 }), false);
  });

  it('refreshes no fresh entry early for any ordinary toss', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.99, noNaN: true }), (random) => {
        assert.equal(isDueEarly({ ageMs: 0, ttlMs: 10_000, deltaMs: 5 }, random), false);
      }),
    );
  });

  it('refreshes every entry that has reached its end', () => {
    fc.assert(
      fc.property(random, (random) => {
        assert.equal(isDueEarly({ ageMs: 10_000, ttlMs: 10_000, deltaMs: 0 }, random), true);
      }),
    );
  });

  it('counts a load faster than a hundredth of the TTL as that slow', () => {
    // -ln(1 - 0.9) is 2.3, so the window opens 230 ms before the end of a 10 s life.
    const entry = { ttlMs: 10_000, deltaMs: 0 };
    assert.deepEqual(
      [9760, 9780].map((ageMs) => isDueEarly({ ...entry, ageMs }, 0.9)),
      [false, true],
    );
  });

  it('opens the window earlier for a load that is slower', () => {
    const at = (deltaMs: number) => isDueEarly({ ageMs: 8000, ttlMs: 10_000, deltaMs }, 0.9);
    assert.deepEqual([at(100), at(1000)], [false, true]);
  });

  it('writes the key of the sources', () => {
    assert.equal(
      cacheKey({ tenant: 'manga', kind: 'stock_level', parts: ['BER42', 42] }),
      'manga:stock:BER42:42',
    );
  });

  it('gives different keys different texts', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const same = JSON.stringify(plain(one)) === JSON.stringify(plain(other));
        assert.equal(cacheKey(one) === cacheKey(other), same);
      }),
    );
  });

  it('lets no part forge a separator, a hash tag or a pattern', () => {
    fc.assert(
      fc.property(key, (key) => {
        assert.match(cacheKey(key), /^[\w.~%-]+(:[\w.~%-]*)+$/);
        assert.equal(cacheKey(key).split(':').length, 2 + key.parts.length);
      }),
    );
  });

  it('tells lone surrogates and the replacement character apart', () => {
    const keys = ['\ud800', '\ud801', '\ufffd', '%uD800'].map((part) =>
      cacheKey({ tenant: 't', kind: 'price', parts: [part] }),
    );
    assert.equal(new Set(keys).size, 4);
  });

  it('makes no key without a tenant', () => {
    assert.throws(() => cacheKey({ tenant: '', kind: 'price', parts: ['x'] }), TypeError);
  });

  it('shows whole seconds, and an answer served never as expired', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 299_999, noNaN: true }),
        fc.integer({ min: 1, max: 300_000 }),
        (age, ttl) => {
          fc.pre(age < ttl);
          const facts = cacheFacts(true, age, ttl);
          assert.ok(
            Number.isInteger(facts.age_s) && Number.isInteger(facts.ttl_s) && facts.age_s < facts.ttl_s,
          );
        },
      ),
    );
  });
});

describe('age clock', () => {
  it('never goes back and runs at least as fast as either clock', () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: 0, max: 5000 })),
    );
    fc.assert(
      fc.property(steps, (steps) => {
        let [wall, monotonic] = [1e12, 0];
        const age = createAgeClock(
          () => wall,
          () => monotonic,
        );
        for (const [byWall, byMonotonic] of steps) {
          const before = age();
          wall += byWall;
          monotonic += byMonotonic;
          assert.ok(age() - before >= Math.max(byWall, byMonotonic, 0));
        }
      }),
    );
  });
});

function plain({ tenant, kind, parts }: CacheKey) {
  return [tenant, kind, parts.map(String)];
}
