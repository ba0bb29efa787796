import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { broadcasting } from '../../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { postgresInvalidationBus } from '../../adapters/postgres/invalidation-bus.ts';
import { redisInvalidationBus } from '../../adapters/redis/invalidation-bus.ts';
import { openRedisCache } from '../../adapters/redis/redis-cache.ts';
import { TICKET_MS, type CacheEntry, type CacheStore } from '../../domain/cache.ts';
import { adminUrl } from '../support/database.ts';
import { redisUrl } from '../support/skip.ts';

const STORES: Record<string, (context: Mocha.Context) => Promise<CacheStore>> = {
  'in process': async () => createInProcessCache(),
  'in process, on the Postgres bus': async () =>
    broadcasting(() => createInProcessCache(), postgresInvalidationBus({ url: adminUrl() })),
  'in process, on the Redis bus': async (context) => {
    const bus = redisInvalidationBus({ url: redisUrl(context), channel: `test-${randomUUID()}` });
    return broadcasting(() => createInProcessCache(), bus);
  },
  Redis: async (context) => openRedisCache({ url: redisUrl(context) }),
};

function entry(changes: Partial<CacheEntry> = {}): CacheEntry {
  return { value: { quantity: 14 }, loadedAtMs: 1_763_690_000_000, ttlMs: 10_000, deltaMs: 3, ...changes };
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error('It did not come true within 5 s.');
    await pause(5);
  }
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`a cache store: ${name}`, () => {
    let store: CacheStore;
    let key: string;

    before(async function () {
      store = await open(this);
    });
    beforeEach(() => {
      key = `test-${randomUUID()}:stock:BER42:42`;
    });
    after(() => store?.close());

    const fill = async (changes: Partial<CacheEntry> = {}) => {
      const { ticket } = await store.get(key);
      return store.put(key, entry(changes), ticket);
    };
    const valueOf = async () => (await store.get(key)).entry?.value;

    it('finds nothing under a key that nobody filled', async () => {
      assert.equal(await valueOf(), undefined);
    });

    it('gives back what was put, with its age', async () => {
      await fill();
      const { entry: found } = await store.get(key);
      const { ageMs, atMs: _at, ...kept } = found ?? assert.fail('no entry');
      assert.deepEqual(kept, entry());
      assert.ok(ageMs >= 0 && ageMs < 5000, `${ageMs}`);
    });

    for (const value of [null, 0, '', false, [], {}, 'ü\u0000\ud83d\ude00', { a: [1, { b: null }] }]) {
      it(`keeps ${JSON.stringify(value)} as it is`, async () => {
        await fill({ value });
        assert.deepEqual(await valueOf(), value);
      });
    }

    it('hands out a copy, so that a reader cannot change what others read', async () => {
      await fill();
      const { entry: found } = await store.get(key);
      if (found) Object.assign(Object(found.value), { quantity: 0 });
      assert.deepEqual(await valueOf(), { quantity: 14 });
    });

    it('forgets an entry when its life ends', async () => {
      await fill({ ttlMs: 60 });
      await until(async () => (await valueOf()) === undefined);
    });

    it('counts the life of an entry from its ticket, not from its put', async () => {
      const { ticket } = await store.get(key);
      await until(async () => (await store.get(key)).ticket.atMs - ticket.atMs >= 40);
      await store.put(key, entry(), ticket);
      const { entry: found } = await store.get(key);
      assert.ok((found?.ageMs ?? 0) >= 40);
    });

    it('refuses an entry whose life ended during the load', async () => {
      const { ticket } = await store.get(key);
      await until(async () => (await store.get(key)).ticket.atMs - ticket.atMs >= 30);
      assert.equal(await store.put(key, entry({ ttlMs: 30 }), ticket), false);
    });

    it('refuses a ticket that is too old', async () => {
      const { ticket } = await store.get(key);
      const old = { ...ticket, atMs: ticket.atMs - TICKET_MS };
      assert.equal(await store.put(key, entry(), old), false);
    });

    it('drops the entry at an invalidation', async () => {
      await fill();
      await store.invalidate(key, 0);
      assert.equal(await valueOf(), undefined);
    });

    it('refuses what was loaded before an invalidation', async () => {
      const { ticket } = await store.get(key);
      await store.invalidate(key, 0);
      assert.equal(await store.put(key, entry(), ticket), false);
      assert.equal(await valueOf(), undefined);
    });

    it('refuses it also when others have read and filled the key since', async () => {
      const { ticket } = await store.get(key);
      await store.invalidate(key, 0);
      await fill({ value: 'new' });
      assert.equal(await store.put(key, entry({ value: 'old' }), ticket), false);
      assert.equal(await valueOf(), 'new');
    });

    it('refuses a ticket of another key', async () => {
      const { ticket } = await store.get(`${key}:other`);
      assert.equal(await store.put(key, entry(), ticket), false);
    });

    it('refuses a ticket that nobody handed out', async () => {
      const { ticket } = await store.get(key);
      assert.equal(await store.put(key, entry(), { ...ticket, generation: 'forged' }), false);
    });

    it('lets no slow loader replace a younger entry of the same generation', async () => {
      const { ticket: slow } = await store.get(key);
      await until(async () => (await store.get(key)).ticket.atMs > slow.atMs);
      await fill({ value: 'younger' });
      assert.equal(await store.put(key, entry({ value: 'older' }), slow), false);
      assert.equal(await valueOf(), 'younger');
    });

    it('says for a while that a key was invalidated, and no longer', async () => {
      await store.invalidate(key, 60);
      assert.equal((await store.get(key)).recentlyInvalidated, true);
      await until(async () => !(await store.get(key)).recentlyInvalidated);
    });

    it('takes an invalidation of a key that it does not hold, and one right after another', async () => {
      await store.invalidate(key, 0);
      await store.invalidate(key, 0);
      assert.equal(await fill(), true);
    });

    it('gives a lease to one of twenty rivals', async () => {
      const owners = Array.from({ length: 20 }, (_, i) => `owner-${i}`);
      const won = await Promise.all(owners.map((owner) => store.lease(key, owner, 5000)));
      assert.equal(won.filter(Boolean).length, 1);
    });

    it('lets the holder of a lease extend it', async () => {
      await store.lease(key, 'a', 5000);
      assert.equal(await store.lease(key, 'a', 5000), true);
    });

    it('passes a lease on when it is given back', async () => {
      await store.lease(key, 'a', 5000);
      await store.release(key, 'a');
      assert.equal(await store.lease(key, 'b', 5000), true);
    });

    it('lets nobody give back the lease of another', async () => {
      await store.lease(key, 'a', 5000);
      await store.release(key, 'b');
      assert.equal(await store.lease(key, 'b', 5000), false);
    });

    it('passes a lease on when its holder has died', async () => {
      await store.lease(key, 'dead', 50);
      await until(() => store.lease(key, 'b', 5000));
    });

    it('gives no lease to one who missed an entry that is there by now', async () => {
      await fill();
      assert.equal(await store.lease(key, 'late', 5000), false);
    });

    it('gives a lease to one who saw the entry that is still there', async () => {
      await fill();
      const { entry: seen } = await store.get(key);
      assert.equal(await store.lease(key, 'early', 5000, seen?.atMs), true);
    });

    it('gives no lease to one whose entry has been replaced or dropped', async () => {
      await fill();
      const { entry: seen } = await store.get(key);
      await store.invalidate(key, 0);
      assert.equal(await store.lease(key, 'early', 5000, seen?.atMs), false);
    });

    it('ends a lease at an invalidation, so that the next reader need not wait', async () => {
      await store.lease(key, 'a', 5000);
      await store.invalidate(key, 0);
      assert.equal(await store.lease(key, 'b', 5000), true);
    });

    it('keeps keys apart', async () => {
      await fill();
      await store.invalidate(`${key}:1`, 1000);
      assert.deepEqual(
        [await valueOf(), (await store.get(key)).recentlyInvalidated],
        [{ quantity: 14 }, false],
      );
    });
  });
}

describe('the in-process store', () => {
  it('stays within its bounds and refuses tickets of keys it forgot', async () => {
    const store = createInProcessCache({ maxKeys: 10 });
    const { ticket } = await store.get('first');
    for (let i = 0; i < 100; i += 1) await store.put(`${i}`, entry(), (await store.get(`${i}`)).ticket);
    assert.equal(await store.put('first', entry(), ticket), false);
    const found = await Promise.all(Array.from({ length: 100 }, (_, i) => store.get(`${i}`)));
    assert.equal(found.filter((lookup) => lookup.entry).length, 10);
  });

  it('keeps values within a size, however few they are', async () => {
    const store = createInProcessCache({ maxSize: 1000 });
    await store.put('huge', entry({ value: 'x'.repeat(2000) }), (await store.get('huge')).ticket);
    assert.equal((await store.get('huge')).entry, undefined);
  });

  const clocks = { wall: 1e12, monotonic: 0 };
  const filled = async () => {
    const store = createInProcessCache({ wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic });
    await store.put('key', entry(), (await store.get('key')).ticket);
    return store;
  };

  it('forgets in time when the wall clock is set back', async () => {
    const store = await filled();
    clocks.wall -= 3_600_000;
    clocks.monotonic += 10_000;
    assert.equal((await store.get('key')).entry, undefined);
  });

  it('forgets in time when the machine slept and the monotonic clock stood still', async () => {
    const store = await filled();
    clocks.wall += 10_000;
    assert.equal((await store.get('key')).entry, undefined);
  });
});

describe('the Redis store', () => {
  let redis: Redis;
  let store: CacheStore;
  let key: string;
  before(async function () {
    const url = redisUrl(this);
    redis = new Redis(url);
    store = await openRedisCache({ url });
  });
  beforeEach(() => {
    key = `test-${randomUUID()}:stock:BER42:42`;
  });
  after(async () => {
    redis?.disconnect();
    await store?.close();
  });

  const fill = async () => store.put(key, entry(), (await store.get(key)).ticket);

  it('keeps the entry under the plain key with a TTL of 1 to 10 seconds', async () => {
    await fill();
    const ttl = await redis.ttl(key);
    assert.ok(ttl >= 1 && ttl <= 10, `${ttl}`);
  });

  it('leaves no key without an end', async () => {
    await fill();
    await store.invalidate(`${key}:2`, 60_000);
    await store.lease(`${key}:2`, 'a', 900);
    const keys = await redis.keys(`*${key}*`);
    const ttls = await Promise.all(keys.map((name) => redis.pttl(name)));
    assert.ok(keys.length >= 4 && ttls.every((ttl) => ttl > 0 && ttl <= 60_000), ttls.join());
  });

  it('asks for the key with GET', async () => {
    const monitor = await redis.monitor();
    const seen = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, args: readonly string[]) => {
        if (args[0]?.toUpperCase() === 'GET' && args[1] === key) resolve();
      });
    });
    await store.get(key);
    await seen;
    monitor.disconnect();
  });

  it('stands all guards of a key in the slot of its entry', async () => {
    await fill();
    await store.lease(key, 'a', 900, (await store.get(key)).entry?.atMs);
    const slots = (await redis.keys(`*${key}*`)).map((name) => name.replace(/^\{(.*)\}:\w+$/, '$1'));
    assert.deepEqual([...new Set(slots)], [key]);
  });

  const poison: Record<string, () => Promise<unknown>> = {
    'no JSON': () => redis.set(key, 'not json'),
    'JSON of another shape': () => redis.set(key, '{"quantity":14}'),
    'the head of an entry only': () => redis.set(key, '{"at":1,'),
    'an entry from the future': () =>
      redis.set(key, '{"at":99999999999999,"ttl_ms":1,"delta_ms":1,"loaded_at":1,"value":1}'),
    'a list': () => redis.rpush(key, 'a'),
    'a hash as generation': () => redis.hset(`{${key}}:generation`, 'a', '1'),
    'a list as lease': () => redis.rpush(`{${key}}:lease`, 'a'),
  };
  for (const [what, plant] of Object.entries(poison)) {
    it(`reads ${what} as a miss and fills over it`, async () => {
      await plant();
      const { entry: found, ticket } = await store.get(key);
      assert.equal(found, undefined);
      assert.equal(await store.lease(key, 'a', 900), true);
      assert.equal(await store.put(key, entry(), ticket), true);
      assert.deepEqual((await store.get(key)).entry?.value, { quantity: 14 });
    });
  }

  it('refuses every open ticket after Redis has lost its memory', async () => {
    const { ticket } = await store.get(key);
    await redis.del(`{${key}}:generation`);
    assert.equal(await store.put(key, entry(), ticket), false);
  });

  it('works on after its scripts were flushed', async () => {
    await redis.script('FLUSH');
    assert.equal(await fill(), true);
  });

  it('never hands out a generation twice, over processes', async function () {
    const other = await openRedisCache({ url: redisUrl(this) });
    const generations = [];
    for (const one of [store, other, store, other]) {
      await one.invalidate(key, 0);
      generations.push((await one.get(key)).ticket.generation);
    }
    await other.close();
    assert.equal(new Set(generations).size, 4);
  });
});
