import type { LRUCache } from 'lru-cache';
import type { PromotionNear, PromotionSweep } from '../domain/promotions.ts';
import type { Logger } from '../platform/log.ts';
import { statusOf } from './history.ts';
import { sweepPages } from './sweep-pages.ts';
import { keepTime, type PromotionDeps, promotionTimerId } from './keep-promotions.ts';

export type PromotionSweepDeps = PromotionDeps & {
  readonly promotions: PromotionSweep;
  readonly log: Logger;
  readonly graceSeconds?: number;
  readonly pageSize?: number;
};

const GRACE_SECONDS = 15;
const PAGE = 500;

/**
 * When a promotion begins and ends is in Postgres, and outlives its timer: that is started again where it is missing,
 * and told again where it is late.
 *
 * @param seen promotions that were looked at lately, and are not again until they leave it
 */
export async function sweepPromotions(deps: PromotionSweepDeps, seen: LRUCache<string, true>): Promise<void> {
  const { promotions, graceSeconds = GRACE_SECONDS, pageSize = PAGE } = deps;
  await sweepPages<PromotionNear>(
    {
      page: (limit, after) => promotions.near(graceSeconds, limit, after),
      keyOf: (near) => `${promotionTimerId(near)}:${near.isLate}`,
      look: (near) => sweepPromotion(deps, near),
      pageSize,
    },
    seen,
  );
}

async function sweepPromotion(deps: PromotionSweepDeps, near: PromotionNear): Promise<void> {
  const { tenant, promotionId, isLate } = near;
  const status = await statusOf(deps.client, promotionTimerId(near));
  if (status === 'RUNNING' && !isLate) return;
  deps.log.warn(
    { promotion_id: promotionId, shop: tenant, status },
    'waking a promotion that was left alone',
  );
  await keepTime(deps, { tenant, promotionId });
}
