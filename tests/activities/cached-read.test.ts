import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createCache, type CacheOptions } from '../../activities/cached-read.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { openRedisCache } from '../../adapters/redis/redis-cache.ts';
import type { CacheEvent, CacheKey, CacheStore, LoadHint } from '../../domain/cache.ts';
import { redisUrl } from '../support/skip.ts';

const STORES: Record<string, (context: Mocha.Context) => Promise<CacheStore>> = {
  'in process': async () => createInProcessCache(),
  Redis: async (context) => openRedisCache({ url: redisUrl(context) }),
};

function freshKey(): CacheKey {
  return { tenant: `test-${randomUUID()}`, kind: 'stock_level', parts: ['BER42', 42] };
}

/** A source of truth that counts its readers and can be made to wait. */
function createSource(value = 'old') {
  const source = {
    value,
    loads: 0,
    hints: new Array<boolean | undefined>(),
    /** What a load waits for after it has read. */
    gate: Promise.resolve(),
    load: async (hint?: LoadHint) => {
      source.loads += 1;
      source.hints.push(hint?.preferPrimary);
      const { value } = source;
      await source.gate;
      return value;
    },
  };
  return source;
}

function createGate() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open: () => open() };
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error('It did not come true within 5 s.');
    await pause(2);
  }
}

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

/** A toss on which nobody refreshes early. */
const CALM = () => 0;

for (const [name, open] of Object.entries(STORES)) {
  describe(`cached reads over a store ${name}`, () => {
    let store: CacheStore;
    let key: CacheKey;
    before(async function () {
      store = await open(this);
    });
    beforeEach(() => {
      key = freshKey();
    });
    after(() => store?.close());

    const engine = (options: Partial<CacheOptions> = {}) => createCache({ store, random: CALM, ...options });

    it('loads a missing value and says so', async () => {
      const { value, cache } = await engine().read(key, createSource().load);
      assert.deepEqual({ value, cache }, { value: 'old', cache: { hit: false, age_s: 0, ttl_s: 10 } });
    });

    it('answers the second read from the store, with the instant of the load', async () => {
      const [cache, source] = [engine(), createSource()];
      const first = await cache.read(key, source.load);
      const second = await cache.read(key, source.load);
      assert.deepEqual(second, { ...first, cache: { hit: true, age_s: 0, ttl_s: 10 } });
      assert.equal(source.loads, 1);
    });

    it('loads at most twice for 10,000 concurrent callers of one expired key', async () => {
      const [cache, source] = [engine(), createSource()];
      await cache.read(key, source.load, { maxAgeSeconds: () => 0.05 });
      await pause(60);
      source.loads = 0;
      const answers = await Promise.all(times(10_000, () => cache.read(key, source.load)));
      assert.ok(source.loads >= 1 && source.loads <= 2, `${source.loads} loads`);
      assert.equal(answers.length, 10_000);
    });

    it('loads at most twice for 10,000 callers over two processes', async () => {
      const [one, other, source] = [engine(), engine(), createSource()];
      await Promise.all(times(10_000, (i) => (i % 2 ? one : other).read(key, source.load)));
      assert.ok(source.loads <= 2, `${source.loads} loads`);
    });

    it('loads at most twice in each life of an entry, over two processes that read on and on', async () => {
      const [one, other, source] = [
        engine({ random: Math.random }),
        engine({ random: Math.random }),
        createSource(),
      ];
      const limits = { maxAgeSeconds: () => 0.1 };
      const start = performance.now();
      while (performance.now() - start < 800) {
        await Promise.all(times(40, (i) => (i % 2 ? one : other).read(key, source.load, limits)));
      }
      const lives = Math.ceil((performance.now() - start) / 90);
      assert.ok(source.loads <= 2 * lives, `${source.loads} loads in ${lives} lives`);
    });

    it('holds one timer for thousands of waiting callers', async () => {
      const [cache, source, { gate, open }] = [engine(), createSource(), createGate()];
      source.gate = gate;
      const before = timers();
      const answers = times(5000, () => cache.read(key, source.load));
      await until(() => source.loads > 0);
      await pause(20);
      assert.ok(timers() - before < 10, `${timers() - before} timers`);
      open();
      await Promise.all(answers);
    });

    it('keeps what was not found as well, no longer than anything else', async () => {
      const [cache, loads] = [engine(), { count: 0 }];
      const load = async () => {
        loads.count += 1;
        return null;
      };
      await cache.read(key, load);
      const { value, cache: facts } = await cache.read(key, load);
      assert.deepEqual(
        { value, facts, loads: loads.count },
        { value: null, facts: { hit: true, age_s: 0, ttl_s: 10 }, loads: 1 },
      );
    });

    it('keeps nothing whose life is capped at zero', async () => {
      const [cache, source] = [engine(), createSource()];
      const limits = { maxAgeSeconds: () => 0 };
      await cache.read(key, source.load, limits);
      const { cache: facts } = await cache.read(key, source.load, limits);
      assert.deepEqual([facts, source.loads], [{ hit: false, age_s: 0, ttl_s: 0 }, 2]);
    });

    it('loads anew after an invalidation', async () => {
      const [cache, source] = [engine(), createSource()];
      await cache.read(key, source.load);
      source.value = 'new';
      await cache.invalidate(key);
      assert.equal((await cache.read(key, source.load)).value, 'new');
    });

    it('loads anew after an invalidation by another process', async () => {
      const [cache, source] = [engine(), createSource()];
      await cache.read(key, source.load);
      source.value = 'new';
      await engine().invalidate(key);
      assert.equal((await cache.read(key, source.load)).value, 'new');
    });

    for (const [who, other] of [
      ['this process', false],
      ['another process', true],
    ] as const) {
      it(`neither joins nor keeps a load that read before an invalidation by ${who}`, async () => {
        const [cache, source, { gate, open }] = [engine(), createSource(), createGate()];
        source.gate = gate;
        const early = cache.read(key, source.load);
        await until(() => source.loads === 1);
        source.value = 'new';
        source.gate = Promise.resolve();
        await (other ? engine() : cache).invalidate(key);
        // Without waiting for the load under way, which nobody lets end yet.
        const later = cache.read(key, source.load).then(pick);
        assert.deepEqual(await Promise.race([later, pause(700, 'waited')]), ['new', false]);
        open();
        assert.equal((await early).value, 'new');
        assert.deepEqual(pick(await cache.read(key, source.load)), ['new', true]);
      });
    }

    it('tells loads to prefer the primary for a while after an invalidation', async () => {
      const [cache, source] = [engine({ primaryForSeconds: 0.1 }), createSource()];
      const limits = { maxAgeSeconds: () => 0 };
      await cache.read(key, source.load, limits);
      await cache.invalidate(key);
      await cache.read(key, source.load, limits);
      await until(async () => {
        await cache.read(key, source.load, limits);
        return source.hints.at(-1) === false;
      });
      assert.deepEqual(source.hints.slice(0, 2), [false, true]);
    });

    it('keeps no error', async () => {
      const [cache, source] = [engine(), createSource()];
      await assert.rejects(
        cache.read(key, () => Promise.reject(new Error('down'))),
        /down/,
      );
      assert.deepEqual(pick(await cache.read(key, source.load)), ['old', false]);
    });

    it('answers the followers of leaders that were called off', async () => {
      const cache = engine();
      const source = createSource();
      const off = () => Promise.reject(Object.assign(new Error('called off'), { name: 'AbortError' }));
      const leaders = times(3, () => cache.read(key, off));
      const followers = times(100, () => cache.read(key, source.load));
      const ends = await Promise.allSettled([...leaders, ...followers]);
      assert.ok(ends.slice(3).every((end) => end.status === 'fulfilled' && end.value.value === 'old'));
      assert.ok(source.loads <= 2, `${source.loads} loads`);
    });

    it('answers the followers of one leader that failed', async () => {
      const [cache, source] = [engine(), createSource()];
      const leader = cache.read(key, () => Promise.reject(new Error('mine alone')));
      const followers = times(100, () => cache.read(key, source.load));
      await assert.rejects(leader, /mine alone/);
      assert.deepEqual(new Set((await Promise.all(followers)).map(({ value }) => value)), new Set(['old']));
    });

    it('tells all callers of a source that is down, without asking it for each of them', async () => {
      const [cache, loads] = [engine(), { count: 0 }];
      const load = async () => {
        loads.count += 1;
        await pause(5);
        throw new Error('down');
      };
      const ends = await Promise.allSettled(times(1000, () => cache.read(key, load)));
      assert.ok(ends.every((end) => end.status === 'rejected'));
      assert.ok(loads.count <= 4, `${loads.count} loads`);
    });

    it('lets followers load when their leader hangs, and does not wait for it', async () => {
      const [cache, source] = [engine(), createSource()];
      const { gate, open } = createGate();
      const leader = cache.read(key, () => gate.then(() => 'late'));
      const answers = await Promise.all(times(200, () => cache.read(key, source.load)));
      assert.deepEqual([new Set(answers.map(({ value }) => value)), source.loads], [new Set(['old']), 1]);
      open();
      await leader;
      // What the leader read is older than what is kept.
      assert.deepEqual(pick(await cache.read(key, source.load)), ['old', true]);
    });

    it('loads by itself when a leader in another process died', async () => {
      const [cache, source] = [engine(), createSource()];
      await store.lease(`${key.tenant}:stock:BER42:42`, 'dead', 60_000);
      const answers = await Promise.all(times(100, () => cache.read(key, source.load)));
      assert.deepEqual([new Set(answers.map(({ value }) => value)), source.loads], [new Set(['old']), 1]);
    });

    it('takes the entry of another process that loads at the same time', async () => {
      const [one, other, source, { gate, open }] = [engine(), engine(), createSource(), createGate()];
      source.gate = gate;
      const answers = [one.read(key, source.load)];
      await until(() => source.loads === 1);
      answers.push(other.read(key, source.load));
      await pause(30);
      open();
      await Promise.all(answers);
      assert.equal(source.loads, 1);
    });

    it('judges age alike in processes whose clocks are an hour apart', async () => {
      const source = createSource();
      const clocks = [-3_600_000, 0, 3_600_000].map((skew) => engine({ clock: () => Date.now() + skew }));
      const answers = [];
      for (const cache of clocks) answers.push(await cache.read(key, source.load));
      assert.deepEqual(
        answers.map(({ cache }) => [cache.hit, cache.age_s]),
        [
          [false, 0],
          [true, 0],
          [true, 0],
        ],
      );
    });

    it('dates no answer in the future of the one who reads it', async () => {
      await engine({ clock: () => Date.now() + 3_600_000 }).read(key, createSource().load);
      const { asOf } = await engine().read(key, createSource().load);
      assert.ok(Date.parse(asOf) <= Date.now());
    });

    it('shares nothing that a caller could change', async () => {
      const { value } = await engine().read(key, async () => ({ volumes: [{ quantity: 14 }] }));
      assert.throws(() => Object.assign(Object(value.volumes[0]), { quantity: 0 }), TypeError);
    });

    it('answers a miss with what a hit would answer', async () => {
      const cache = engine();
      const load = async () => ({ quantity: -0, at: 'x', ...Object({ left: undefined }) });
      const miss = await cache.read(key, load);
      const hit = await cache.read(key, load);
      assert.deepEqual([Object.keys(miss.value), hit.value], [['quantity', 'at'], miss.value]);
    });

    it('counts each read once as hit or miss', async () => {
      const counts = new Array<string>();
      const metrics = { count: (event: CacheEvent, kind: string) => counts.push(`${kind} ${event}`) };
      const [cache, source] = [engine({ metrics }), createSource()];
      await Promise.all([cache.read(key, source.load), cache.read(key, source.load)]);
      await cache.read(key, source.load);
      assert.deepEqual(counts, ['stock_level miss', 'stock_level miss', 'stock_level hit']);
    });
  });
}

describe('cached reads as time goes by', () => {
  /** Starts real enough for an ISO date; moved by the test alone. */
  function rig(random: () => number) {
    const time = { ms: Date.UTC(2026, 10, 21) };
    const counts = new Map<CacheEvent, number>();
    const clock = () => time.ms;
    const cache = createCache({
      store: createInProcessCache({ wallMs: clock, monotonicMs: clock }),
      clock,
      monotonic: clock,
      random,
      metrics: { count: (event) => counts.set(event, (counts.get(event) ?? 0) + 1) },
    });
    return { cache, time, counts, key: freshKey(), source: createSource() };
  }
  /** Heavy enough to refresh 1.2 s before the end of a life of 9 s. */
  const EAGER = () => 0.999_999;

  it('tells the age of an answer', async () => {
    const { cache, time, key, source } = rig(CALM);
    await cache.read(key, source.load);
    time.ms += 3999;
    const { asOf, cache: facts } = await cache.read(key, source.load);
    assert.deepEqual([asOf, facts], ['2026-11-21T00:00:00.000Z', { hit: true, age_s: 3, ttl_s: 10 }]);
  });

  it('serves nothing as old as its TTL', async () => {
    const { cache, time, key, source } = rig(CALM);
    await cache.read(key, source.load);
    time.ms += 10_000;
    assert.equal((await cache.read(key, source.load)).cache.hit, false);
  });

  it('serves nothing past the cap of its life', async () => {
    const { cache, time, key, source } = rig(CALM);
    await cache.read(key, source.load, { maxAgeSeconds: () => 2 });
    time.ms += 2000;
    assert.equal((await cache.read(key, source.load)).cache.hit, false);
  });

  it('counts time that a store took to answer as age', async () => {
    const time = { ms: Date.UTC(2026, 10, 21) };
    const clock = () => time.ms;
    const store = createInProcessCache({ wallMs: clock, monotonicMs: clock });
    const slow: CacheStore = {
      ...store,
      get: async (id) => {
        const found = await store.get(id);
        if (found.entry) time.ms += 10_000;
        return found;
      },
    };
    const cache = createCache({ store: slow, clock, monotonic: clock, random: CALM });
    const [key, source] = [freshKey(), createSource()];
    await cache.read(key, source.load);
    assert.notEqual(await Promise.race([cache.read(key, source.load).then(pick), pause(2500, 'waits')]), [
      'old',
      true,
    ]);
    assert.ok(source.loads > 1);
  });

  it('refreshes a hot entry before its end, while it still answers', async () => {
    const { cache, time, key, source, counts } = rig(EAGER);
    await cache.read(key, source.load);
    time.ms += 8000;
    source.value = 'new';
    assert.deepEqual(pick(await cache.read(key, source.load)), ['old', true]);
    await until(async () => (await cache.read(key, source.load)).value === 'new');
    assert.deepEqual([source.loads, counts.get('early_refresh'), counts.get('miss')], [2, 1, 1]);
  });

  it('refreshes it once, however many read it meanwhile', async () => {
    const { cache, time, key, source } = rig(EAGER);
    await cache.read(key, source.load);
    time.ms += 8000;
    await Promise.all(times(1000, () => cache.read(key, source.load)));
    await until(async () => (await cache.read(key, source.load)).cache.age_s === 0);
    assert.equal(source.loads, 2);
  });

  it('keeps answering from the entry when the early refresh fails', async () => {
    const { cache, time, key, source } = rig(EAGER);
    await cache.read(key, source.load);
    time.ms += 8000;
    const down = () => Promise.reject(new Error('down'));
    for (let i = 0; i < 3; i += 1) assert.deepEqual(pick(await cache.read(key, down)), ['old', true]);
  });
});

function pick({ value, cache }: { readonly value: unknown; readonly cache: { readonly hit: boolean } }) {
  return [value, cache.hit];
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}
