import type { Cache } from '../../domain/cache.ts';
import type { PromotionActivities, PromotionTimes } from '../../domain/promotions.ts';
import { keysPricing } from './keys.ts';

/**
 * Says what has begun or ended, and voids every price that shows it. Prices change by themselves at that instant;
 * voiding them costs one load, and bounds by it whatever could have gone wrong with a schedule.
 */
export function announcePromotion(
  times: PromotionTimes,
  cache: Cache,
): PromotionActivities['announce_promotion'] {
  return async ({ tenant, promotionId }) => {
    const found = await times.announce({ tenant, promotionId });
    if (found === undefined) return { nextInMs: null };
    await Promise.all(keysPricing(tenant, found.promotion).map((key) => cache.invalidate(key)));
    return { nextInMs: found.nextInMs };
  };
}
