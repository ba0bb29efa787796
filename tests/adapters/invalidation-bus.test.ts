import assert from 'node:assert/strict';
import { broadcasting } from '../../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { postgresInvalidationBus } from '../../adapters/postgres/invalidation-bus.ts';
import type { CacheStore } from '../../domain/cache.ts';
import { asAdmin, emptyDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const ENTRY = { value: 1, loadedAtMs: 0, ttlMs: 60_000, deltaMs: 1 };

describe('stores that void together', () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let stores: readonly [CacheStore, CacheStore];

  const open = () =>
    broadcasting(() => createInProcessCache(), postgresInvalidationBus({ url: database.url }));
  const fill = async (store: CacheStore, key = 'k') => store.put(key, ENTRY, (await store.get(key)).ticket);
  const holds = async (store: CacheStore, key = 'k') => (await store.get(key)).entry !== undefined;
  const cut = () =>
    asAdmin(
      (admin) =>
        admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign cache'
                      and datname = current_database()`),
      database.url,
    );

  beforeEach(async () => {
    database = await emptyDatabase();
    stores = [await open(), await open()];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
  });

  it('voids a key in the other process, too, and no other key', async () => {
    const [here, there] = stores;
    await fill(there);
    await fill(there, 'other');
    await here.invalidate('k', 0);
    await until(async () => !(await holds(there)), 'the key to be void');
    assert.equal(await holds(there, 'other'), true);
  });

  it('voids the ticket of a load that is under way in the other process', async () => {
    const [here, there] = stores;
    const { ticket } = await there.get('k');
    await fill(there, 'k');
    await here.invalidate('k', 0);
    await until(async () => !(await holds(there)), 'the key to be void');
    assert.equal(await there.put('k', ENTRY, ticket), false);
  });

  it('keeps nothing of the time in which it could not hear', async () => {
    const [, there] = stores;
    await fill(there);
    const { ticket } = await there.get('k');
    await cut();
    await until(async () => !(await holds(there)), 'the store to be emptied');
    assert.equal(await there.put('k', ENTRY, ticket), false);
  });

  it('hears again after its connection broke', async () => {
    const [here, there] = stores;
    await cut();
    await until(
      () =>
        here.invalidate('x', 0).then(
          () => true,
          () => false,
        ),
      'the bus to be back',
    );
    await until(async () => {
      await fill(there);
      await here.invalidate('k', 0).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      return !(await holds(there));
    }, 'a key to be voided again');
  });

  it('says so when it cannot hand an invalidation over, having voided its own', async () => {
    const [here] = stores;
    await fill(here);
    const bus = postgresInvalidationBus({ url: database.url });
    const alone = await broadcasting(() => createInProcessCache(), bus);
    await fill(alone);
    await bus.close();
    await assert.rejects(alone.invalidate('k', 0), /not connected/);
    assert.equal(await holds(alone), false);
  });

  it('hands over thousands of keys, of which none is lost', async () => {
    const [here, there] = stores;
    const keys = Array.from({ length: 3_000 }, (_, i) => `manga:price:${'x'.repeat(40)}:${i}`);
    for (const key of keys) await fill(there, key);
    await Promise.all(keys.map((key) => here.invalidate(key, 0)));
    await until(async () => {
      const held = await Promise.all(keys.map((key) => holds(there, key)));
      return !held.includes(true);
    }, 'all keys to be void');
  });

  for (const [what, payload] of [
    ['no JSON', 'boo'],
    ['nothing', ''],
    ['an object', '{}'],
    ['a list of nonsense', '[1, null, {"key": 1}, {"key": "k"}, []]'],
  ] as const) {
    it(`is not disturbed by a notification that holds ${what}`, async () => {
      const [here, there] = stores;
      await fill(there);
      await asAdmin(
        (admin) => admin.query('select pg_notify($1, $2)', ['countersign_cache', payload]),
        database.url,
      );
      await here.invalidate('other', 0);
      await fill(there, 'mark');
      await here.invalidate('mark', 0);
      await until(async () => !(await holds(there, 'mark')), 'a later notification');
      assert.equal(await holds(there), true);
    });
  }
});
