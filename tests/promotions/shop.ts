import { bodies, type BodyDeps } from '../../activities/index.ts';
import { createCache } from '../../activities/cached-read.ts';
import { createEffects } from '../../adapters/postgres/effects.ts';
import { createPriceStore } from '../../adapters/postgres/price-store.ts';
import type { Bodies } from '../../catalog/index.ts';
import { schedulePromotion } from '../../catalog/pricing/schedule-promotion.ts';
import { withdrawPromotion } from '../../catalog/pricing/withdraw-promotion.ts';
import type { CacheStore } from '../../domain/cache.ts';
import type { JsonObject } from '../../domain/json.ts';
import { approved, callOf, planOf } from '../support/approved.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { openShop, type Rows, rowsIn } from '../support/rows.ts';
import { depsOf, staff } from '../support/world.ts';

export const FULL = 1000;
export const SHOP = 'manga';
const VOLUME = { sku: 'M-01', manga_id: 'M', volume_number: 1 } as const;

/** A shop with one volume for 1000 yen from 2026 to 2036, and another shop with the same. */
export async function openPromotions() {
  const db = await freshDatabase();
  for (const shop of [SHOP, 'other']) {
    const rows = await openShop(db.pools, shop);
    await rows.product({ sku: VOLUME.sku, volume: ['M', 1] });
    await rows.product({ sku: 'THING', name: 'A thing that is no volume' });
    for (const sku of [VOLUME.sku, 'THING'])
      await rows.price({ sku, amount: FULL, from: '2026-01-01T00:00:00Z', until: '2036-01-01T00:00:00Z' });
  }
  return { ...db, rows: rowsIn(db.pools, SHOP) };
}

export type PromotionShop = TestDatabase & { readonly rows: Rows };

/** Bodies as one process has them: a cache of its own over `store`. */
export function processOn(
  db: TestDatabase,
  store: CacheStore,
  now: () => Date,
): Bodies & Pick<BodyDeps, 'cache'> {
  const cache = createCache({ store });
  const deps = depsOf(db);
  const all = bodies({
    ...deps,
    cache,
    prices: { replica: createPriceStore(db.pools.read), primary: createPriceStore(db.pools.write) },
    effects: createEffects(db.pools),
    clock: { now },
  });
  return { ...all, cache };
}

export type Draft = JsonObject & { readonly sku?: string; readonly manga_id?: string };

/** Asked for, approved and done. */
export async function schedule(db: TestDatabase, work: Bodies, draft: Draft, tenant = SHOP) {
  const named = 'sku' in draft || 'manga_id' in draft ? {} : { manga_id: 'M', volume_number: 1 };
  const input = { name: 'Fair', discount_pct: 20, starts_at: '', ends_at: '', ...named, ...draft };
  const plan = await approved(db, planOf(schedulePromotion, input, tenant));
  return work.schedule_promotion(callOf(plan, input));
}

export async function withdraw(db: TestDatabase, work: Bodies, promotion_id: string, tenant = SHOP) {
  const plan = await approved(db, planOf(withdrawPromotion, { promotion_id }, tenant));
  return work.withdraw_promotion(callOf(plan, { promotion_id }));
}

export function ask(work: Bodies, volume: { manga_id: string; volume_number?: number } = VOLUME_ASKED) {
  return work.get_price({ caller: staff(SHOP), input: volume });
}

const VOLUME_ASKED = { manga_id: VOLUME.manga_id, volume_number: VOLUME.volume_number };
