import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { broadcasting } from '../../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { postgresInvalidationBus } from '../../adapters/postgres/invalidation-bus.ts';
import { invalidationChannel, redisInvalidationBus } from '../../adapters/redis/invalidation-bus.ts';
import type { CacheStore } from '../../domain/cache.ts';
import type { InvalidationBus } from '../../domain/invalidation-bus.ts';
import { createLog } from '../../platform/log.ts';
import { openCacheStore } from '../../workers/cache-store.ts';
import { type OwnRedis, ownRedis } from '../chaos/servers.ts';
import { asAdmin, emptyDatabase } from '../support/database.ts';
import { skip } from '../support/skip.ts';
import { until } from '../support/until.ts';

const ENTRY = { value: 1, loadedAtMs: 0, ttlMs: 600_000, deltaMs: 1 };

/** A bus with its server, and what others can do to it. */
type Ground = {
  open(): InvalidationBus;
  /** Breaks every connection of the bus, from the server's side. */
  cut(): Promise<unknown>;
  /** As somebody else who can reach the server. */
  say(message: string): Promise<unknown>;
  close(): Promise<void>;
};

const GROUNDS: Readonly<Record<string, (context: Mocha.Context) => Promise<Ground>>> = {
  Postgres: async () => {
    const database = await emptyDatabase();
    const { url } = database;
    const query = (text: string, values: string[] = []) => asAdmin((admin) => admin.query(text, values), url);
    return {
      open: () => postgresInvalidationBus({ url }),
      cut: () =>
        query(`select pg_terminate_backend(pid) from pg_stat_activity
                where application_name = 'countersign cache' and datname = current_database()`),
      say: (message) => query('select pg_notify($1, $2)', ['countersign_cache', message]),
      close: () => database.drop(),
    };
  },
  Redis: async (context) => {
    const { redis: server, remove } = await redisOf(context);
    const channel = invalidationChannel(`test-${randomUUID()}`);
    const somebody = new Redis(server.url);
    return {
      open: () => redisInvalidationBus({ url: server.url, channel }),
      cut: () => somebody.client('KILL', 'TYPE', 'PUBSUB'),
      say: (message) => somebody.publish(channel, message),
      close: async () => {
        somebody.disconnect();
        await remove();
      },
    };
  },
};

async function redisOf(context: Mocha.Context): Promise<{ redis: OwnRedis; remove: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bus-'));
  const redis = (await ownRedis(folder)) ?? skip(context, 'no redis-server on the PATH');
  const remove = async () => {
    await redis.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return { redis, remove };
}

const over = (bus: InvalidationBus) => broadcasting(() => createInProcessCache(), bus);
const fill = async (store: CacheStore, key = 'k') => store.put(key, ENTRY, (await store.get(key)).ticket);
const holds = async (store: CacheStore, key = 'k') => (await store.get(key)).entry !== undefined;
const isDone = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => false,
  );

for (const [name, prepare] of Object.entries(GROUNDS)) {
  describe(`stores that void together: ${name}`, function () {
    this.timeout(120_000);
    let ground: Ground;
    let here: CacheStore;
    let there: CacheStore;

    before(async function () {
      ground = await prepare(this);
    });
    beforeEach(async () => {
      [here, there] = [await over(ground.open()), await over(ground.open())];
    });
    afterEach(() => Promise.all([here, there].map((store) => store.close())));
    after(() => ground?.close());

    /** What was said before it has been heard. */
    const heardAll = async (store: CacheStore) => {
      await fill(store, 'mark');
      await here.invalidate('mark', 0);
      await until(async () => !(await holds(store, 'mark')), 'a later message');
    };

    it('voids a key in the other process, too, and no other key', async () => {
      await fill(there);
      await fill(there, 'other');
      await here.invalidate('k', 0);
      await until(async () => !(await holds(there)), 'the key to be void');
      assert.equal(await holds(there, 'other'), true);
    });

    it('voids the ticket of a load that is under way in the other process', async () => {
      const { ticket } = await there.get('k');
      await fill(there);
      await here.invalidate('k', 0);
      await until(async () => !(await holds(there)), 'the key to be void');
      assert.equal(await there.put('k', ENTRY, ticket), false);
    });

    it('tells the other process to load from the primary for a while', async () => {
      await here.invalidate('k', 60_000);
      await until(async () => (await there.get('k')).recentlyInvalidated, 'the mark to be heard of');
    });

    it('keeps nothing of the time in which it could not hear', async () => {
      await fill(there);
      const { ticket } = await there.get('k');
      await ground.cut();
      await until(async () => !(await holds(there)), 'the store to be emptied');
      assert.equal(await there.put('k', ENTRY, ticket), false);
    });

    it('hears again after its connection broke', async () => {
      await ground.cut();
      await until(() => isDone(here.invalidate('x', 0)), 'the bus to be back');
      await until(async () => {
        await fill(there);
        await isDone(here.invalidate('k', 0));
        await new Promise((resolve) => setImmediate(resolve));
        return !(await holds(there));
      }, 'a key to be voided again');
    });

    it('says so when it cannot hand an invalidation over, having voided its own', async () => {
      const bus = ground.open();
      const alone = await over(bus);
      await fill(alone);
      await bus.close();
      await assert.rejects(alone.invalidate('k', 0), /not connected/);
      assert.equal(await holds(alone), false);
    });

    it('hands nothing over before it listens', async () => {
      await assert.rejects(ground.open().publish({ key: 'k', markMs: 0 }), /not connected/);
    });

    it('hears nothing any more once it is closed', async () => {
      const bus = ground.open();
      const heard: string[] = [];
      await bus.listen({ heard: ({ key }) => heard.push(key), missed: () => undefined });
      await bus.close();
      await here.invalidate('late', 0);
      await heardAll(there);
      assert.deepEqual(heard, []);
    });

    it('hands over thousands of keys, of which none is lost', async () => {
      const keys = Array.from({ length: 3_000 }, (_, i) => `manga:price:${'x'.repeat(40)}:${i}`);
      for (const key of keys) await fill(there, key);
      await Promise.all(keys.map((key) => here.invalidate(key, 0)));
      await until(async () => {
        const held = await Promise.all(keys.map((key) => holds(there, key)));
        return !held.includes(true);
      }, 'all keys to be void');
    });

    it('refuses a key that no message holds, and goes on with the next', async () => {
      await assert.rejects(here.invalidate('x'.repeat(8_000), 0), /too long/);
      await heardAll(there);
    });

    for (const [what, message] of [
      ['no JSON', 'boo'],
      ['nothing', ''],
      ['an object', '{}'],
      ['a list of nonsense', '[1, null, {"key": 1}, {"key": "k"}, []]'],
      ['a mark that is no number', '[{"key": "k", "markMs": "60000"}]'],
      ['a mark without end', '[{"key": "k", "markMs": 1e999}]'],
      ['other shapes of our own words', '{"key": "k", "markMs": 0}'],
    ] as const) {
      it(`is not disturbed by a message that holds ${what}`, async () => {
        await fill(there);
        await ground.say(message);
        await heardAll(there);
        assert.equal(await holds(there), true);
      });
    }
  });
}

describe('the Redis bus', function () {
  this.timeout(120_000);
  let redis: OwnRedis;
  let remove: () => Promise<void>;
  const channel = invalidationChannel('here');
  const opened: CacheStore[] = [];
  const open = async (of = channel) => {
    const store = await over(redisInvalidationBus({ url: redis.url, channel: of }));
    opened.push(store);
    return store;
  };
  const isBack = (store: CacheStore) => until(() => isDone(store.invalidate('x', 0)), 'the bus to be back');

  before(async function () {
    ({ redis, remove } = await redisOf(this));
  });
  beforeEach(() => redis.start());
  afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
  after(() => remove?.());

  it('fails an invalidation while Redis is dead, and has emptied the store when it is back', async () => {
    const [here, there] = [await open(), await open()];
    await fill(there);
    await redis.kill();
    await until(async () => !(await isDone(here.invalidate('k', 0))), 'the loss to be noticed');
    await redis.start();
    await until(async () => !(await holds(there)), 'the store to be emptied');
    await Promise.all([isBack(here), isBack(there)]);
    await fill(there);
    await here.invalidate('k', 0);
    await until(async () => !(await holds(there)), 'the key to be void');
  });

  it('serves nothing for long while Redis hangs, and hears again when it goes on', async () => {
    const [here, there] = [await open(), await open()];
    await fill(there);
    redis.freeze();
    const deadline = Date.now() + 60_000;
    while ((await holds(there)) && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100));
    assert.equal(await holds(there), false);
    redis.thaw();
    await Promise.all([isBack(here), isBack(there)]);
  });

  it('starts without a Redis, and hears once it is there', async () => {
    await redis.kill();
    const there = await open();
    await assert.rejects(there.invalidate('k', 0), /not connected/);
    await redis.start();
    const here = await open();
    await isBack(there);
    await fill(there);
    await here.invalidate('k', 0);
    await until(async () => !(await holds(there)), 'the key to be void');
  });

  it('leaves a message alone that is longer than any of its own', async () => {
    const [here, there] = [await open(), await open()];
    const somebody = new Redis(redis.url);
    await fill(there);
    await somebody.publish(channel, JSON.stringify([{ key: 'k', markMs: 0, x: 'x'.repeat(5_000_000) }]));
    somebody.disconnect();
    await fill(there, 'mark');
    await here.invalidate('mark', 0);
    await until(async () => !(await holds(there, 'mark')), 'a later message');
    assert.equal(await holds(there), true);
  });

  it('keeps two installations on one Redis apart', async () => {
    const [here, there, elsewhere] = [await open(), await open(), await open(invalidationChannel('there'))];
    await fill(elsewhere);
    await fill(there);
    await here.invalidate('k', 0);
    await until(async () => !(await holds(there)), 'the key to be void');
    assert.equal(await holds(elsewhere), true);
  });

  it('takes no mark for longer than an hour', async () => {
    const bus = redisInvalidationBus({ url: redis.url, channel });
    const heard: number[] = [];
    await bus.listen({ heard: ({ markMs }) => heard.push(markMs), missed: () => undefined });
    const somebody = new Redis(redis.url);
    await somebody.publish(channel, '[{"key": "k", "markMs": 1e15}]');
    somebody.disconnect();
    await until(async () => heard.length > 0, 'the message');
    await bus.close();
    assert.deepEqual(heard, [3_600_000]);
  });

  describe('as the product is configured', () => {
    const log = createLog({ level: 'silent' });
    const place = {
      temporal: { queuePrefix: 'here' },
      database: { writeUrl: 'postgres://127.0.0.1:1/none' },
    };
    const opens = async (urls: { redisUrl?: string; invalidationRedisUrl?: string }) => {
      const none = { redisUrl: undefined, invalidationRedisUrl: undefined };
      const store = await openCacheStore({ ...none, ...place, ...urls }, log);
      opened.push(store);
      return store;
    };

    it('brings together processes with stores of their own, without Postgres', async () => {
      const [here, there] = [
        await opens({ invalidationRedisUrl: redis.url }),
        await opens({ invalidationRedisUrl: redis.url }),
      ];
      await fill(there);
      await here.invalidate('k', 0);
      await until(async () => !(await holds(there)), 'the key to be void');
    });

    it('announces on the same channel what the shared store voids, for whoever keeps copies', async () => {
      const [there, shared] = [await open(), await opens({ redisUrl: redis.url })];
      await fill(there);
      await shared.invalidate('k', 60_000);
      await until(async () => !(await holds(there)), 'the key to be void');
      assert.equal((await there.get('k')).recentlyInvalidated, true);
    });

    it('voids in the shared store also where it may not announce it', async () => {
      const admin = new Redis(redis.url);
      await admin.call('ACL', 'SETUSER', 'mute', 'on', '>secret', '~*', '+@all', 'resetchannels');
      const shared = await opens({ redisUrl: redis.url.replace('//', '//mute:secret@') });
      const { ticket } = await shared.get('k');
      await fill(shared);
      await shared.invalidate('k', 0);
      assert.deepEqual([await holds(shared), await shared.put('k', ENTRY, ticket)], [false, false]);
      admin.disconnect();
    });
  });
});
