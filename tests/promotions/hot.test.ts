import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { broadcasting } from '../../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { postgresInvalidationBus } from '../../adapters/postgres/invalidation-bus.ts';
import { invalidationChannel, redisInvalidationBus } from '../../adapters/redis/invalidation-bus.ts';
import { openRedisCache } from '../../adapters/redis/redis-cache.ts';
import type { Bodies } from '../../catalog/index.ts';
import type { CacheStore } from '../../domain/cache.ts';
import type { InvalidationBus } from '../../domain/invalidation-bus.ts';
import { voidPrices } from '../../activities/pricing/void-prices.ts';
import { createLog } from '../../platform/log.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { asAdmin } from '../support/database.ts';
import { redisUrl } from '../support/skip.ts';
import { until } from '../support/until.ts';
import {
  ask,
  FULL,
  openPromotions,
  processOn,
  type PromotionShop,
  schedule,
  SHOP,
  withdraw,
} from './shop.ts';

const READERS = 500;
/** How long the readers are watched on either side of a boundary. */
const WATCH_MS = 400;
/** How long each of them waits before it asks again. */
const PAUSE_MS = 100;

type Seen = {
  readonly asked: number;
  readonly answered: number;
  readonly price: number;
  readonly until: number;
};

/** Business time from the beginning of 2027 on. It runs like real time, and can be moved ahead. */
function businessTime() {
  let offsetMs = Date.parse('2027-01-01T00:00:00Z') - Date.now();
  const now = () => new Date(Date.now() + offsetMs);
  return {
    now,
    moveTo: (at: number) => {
      offsetMs += Math.max(at - now().getTime(), 0);
    },
  };
}

/** Readers of one price, spread over all processes, until they are stopped. */
function hotPrice(processes: readonly Bodies[], { now, moveTo }: ReturnType<typeof businessTime>) {
  const seen: Seen[] = [];
  let isOver = false;
  const read = async (work: Bodies) => {
    while (!isOver) {
      const asked = now().getTime();
      const { price_jpy, valid_until } = await ask(work);
      const answered = now().getTime();
      // A machine that is too busy may say that it has no price. It must not say a wrong one.
      if (price_jpy !== undefined) {
        seen.push({ asked, answered, price: price_jpy, until: Date.parse(String(valid_until)) });
      }
      await pause(PAUSE_MS);
    }
  };
  const readers = Array.from({ length: READERS }, (_, i) => {
    const work = processes[i % processes.length];
    if (work === undefined) throw new Error('No process.');
    return read(work);
  });
  return {
    seen,
    watch: () => pause(WATCH_MS),
    /** From just before the boundary to just after it; on a slow machine as long as it takes to see enough. */
    cross: async (boundary: number) => {
      moveTo(boundary - WATCH_MS);
      await pause(2 * WATCH_MS);
      const isSeen = ({ asked }: Seen) => asked >= boundary;
      await until(async () => seen.filter(isSeen).length > READERS, 'answers after the boundary');
    },
    stop: async () => {
      isOver = true;
      await Promise.all(readers);
    },
  };
}

const iso = (at: number) => new Date(at).toISOString();

/** Prices that were asked for and answered between the two instants and are not `price`. */
function wrong(seen: readonly Seen[], [from, until]: readonly [number, number], price: number) {
  const within = seen.filter(({ asked, answered }) => asked >= from && answered < until);
  assert.ok(within.length > READERS, `only ${within.length} answers between two boundaries`);
  return within.filter((one) => one.price !== price).length;
}

type Opened = { readonly stores: readonly CacheStore[] };
type Case = {
  readonly what: string;
  readonly open: (shop: PromotionShop, context: Mocha.Context) => Promise<Opened>;
};

async function together(bus: () => InvalidationBus): Promise<Opened> {
  const store = () => broadcasting(() => createInProcessCache(), bus());
  return { stores: [await store(), await store()] };
}

const CASES: readonly Case[] = [
  { what: 'one process with a store of its own', open: async () => ({ stores: [createInProcessCache()] }) },
  {
    what: 'two processes on one Redis',
    open: async (_shop, context) => {
      const url = redisUrl(context);
      return { stores: [await openRedisCache({ url }), await openRedisCache({ url })] };
    },
  },
  {
    what: 'two processes with stores of their own, on a bus over Postgres',
    open: async ({ writeUrl }) => together(() => postgresInvalidationBus({ url: writeUrl })),
  },
  {
    what: 'two processes with stores of their own, on a bus over Redis',
    open: async (_shop, context) => {
      const [url, channel] = [redisUrl(context), invalidationChannel(`test-${randomUUID()}`)];
      return together(() => redisInvalidationBus({ url, channel }));
    },
  },
];

describe('a promotion of a hot item', () => {
  for (const { what, open } of CASES) {
    describe(`in ${what}`, function () {
      this.timeout(60_000);
      let shop: PromotionShop;
      let stores: readonly CacheStore[] = [];

      before(async function () {
        shop = await openPromotions();
        ({ stores } = await open(shop, this));
      });
      beforeEach(async () => {
        // Redis is shared with everything else: another title would do, another shop is simpler.
        await Promise.all(stores.map((store) => store.invalidate(`${SHOP}:price:M:1`, 0)));
        await asAdmin((admin) => admin.query('delete from promotions'), shop.adminUrl);
      });
      after(async () => {
        await Promise.all(stores.map((store) => store.close()));
        await shop.drop();
      });

      const generations = () =>
        Promise.all(stores.map(async (store) => (await store.get(`${SHOP}:price:M:1`)).ticket.generation));

      const hotIn = async () => {
        const time = businessTime();
        const processes = stores.map((store) => processOn(shop, store, time.now));
        const work = first(processes);
        const dispatcher = startDispatcher({
          pools: shop.pools,
          reactions: [voidPrices(work.cache)],
          sinks: [],
          log: createLog({ level: 'silent' }),
        });
        const hot = hotPrice(processes, time);
        await hot.watch();
        const stop = async () => void (await Promise.all([hot.stop(), dispatcher.stop()]));
        return { ...hot, stop, now: () => time.now().getTime(), work };
      };

      it(`answers ${READERS} readers with no old price after it starts and after it ends`, async () => {
        const { now, work, seen, cross, stop } = await hotIn();
        const [start, end] = [now() + 60_000, now() + 120_000];
        await schedule(shop, work, { starts_at: iso(start), ends_at: iso(end) });
        await cross(start);
        await cross(end);
        await stop();
        assert.deepEqual(
          {
            before: wrong(seen, [0, start], FULL),
            during: wrong(seen, [start, end], FULL * 0.8),
            after: wrong(seen, [end, Infinity], FULL),
          },
          { before: 0, during: 0, after: 0 },
        );
      });

      it('answers with no discount after it was withdrawn, and promises none past its new end', async () => {
        const { now, work, seen, cross, stop } = await hotIn();
        const [start, planned] = [now() + 60_000, now() + 3_600_000];
        const { promotion_id } = await schedule(shop, work, { starts_at: iso(start), ends_at: iso(planned) });
        await cross(start);
        const old = await generations();
        const { ends_at } = await withdraw(shop, work, promotion_id);
        // A bus takes its time to the other process. Prices do not depend on it, what is promised does.
        await until(
          async () => (await generations()).every((generation, i) => generation !== old[i]),
          'every process to hear of it',
        );
        const [known, end] = [now(), Date.parse(ends_at)];
        await cross(end);
        await stop();
        assert.ok(known < end && end < planned);
        assert.deepEqual(
          {
            during: wrong(seen, [start, end], FULL * 0.8),
            after: wrong(seen, [end, Infinity], FULL),
            promised: seen.filter(
              ({ asked, answered, until }) => asked > known && answered < end && until > end,
            ).length,
          },
          { during: 0, after: 0, promised: 0 },
        );
      });

      it('never starts one that was withdrawn before it began, and starts the one in its place', async () => {
        const { now, work, seen, cross, stop } = await hotIn();
        const [mistaken, start] = [now() + 60_000, now() + 90_000];
        const never = { starts_at: iso(mistaken), ends_at: iso(mistaken + 60_000), discount_pct: 90 };
        await withdraw(shop, work, (await schedule(shop, work, never)).promotion_id);
        const changed = { starts_at: iso(start), ends_at: iso(start + 3_600_000), discount_pct: 10 };
        await schedule(shop, work, changed);
        await cross(mistaken);
        await cross(start);
        await stop();
        assert.deepEqual(
          { before: wrong(seen, [0, start], FULL), during: wrong(seen, [start, Infinity], FULL * 0.9) },
          { before: 0, during: 0 },
        );
      });
    });
  }

  it('starts for each process by its own business clock, whatever the others’ say', async () => {
    const shop = await openPromotions();
    const store = createInProcessCache();
    const start = Date.parse('2027-06-01T00:00:00Z');
    await shop.rows.promotion({ sku: 'M-01', discountPct: 20, from: iso(start), to: iso(start + 1_000) });
    const at = (offsetMs: number) => processOn(shop, store, () => new Date(start + offsetMs));
    // The one ahead fills the entry that the one behind is then answered from.
    const seen = [];
    for (const offsetMs of [-1, 0, 999, 1_000, -86_400_000]) seen.push((await ask(at(offsetMs))).price_jpy);
    assert.deepEqual(seen, [1000, 800, 800, 1000, 1000]);
    await store.close();
    await shop.drop();
  });
});

function first<T>(processes: readonly T[]): T {
  const [one] = processes;
  if (one === undefined) throw new Error('No process.');
  return one;
}
