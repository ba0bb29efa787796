import type { Clock } from '../../domain/clock.ts';
import type { PromotionNear, PromotionSweep } from '../../domain/promotions.ts';
import type { Pools } from './pools.ts';

/** A timer that was lost is back at work this long before it is needed. */
const AHEAD_SECONDS = 60 * 60;
/** Within the day for which no event is forgotten: what was announced is known to have been. */
const BEHIND_SECONDS = 12 * 60 * 60;

/**
 * Looks at the promotions of all shops, page after page in the order of shop and promotion. `clockOffsetMs`: business
 * time less real time.
 */
export function createPromotionSweep(
  { system }: Pick<Pools, 'system'>,
  clock: Clock,
  clockOffsetMs: number,
): PromotionSweep {
  return {
    near: async (graceSeconds, limit, after) => {
      const { rows } = await system.query<PromotionNear>({
        name: 'near_promotions',
        text: NEAR,
        values: [
          clock.now(),
          BEHIND_SECONDS,
          AHEAD_SECONDS,
          clockOffsetMs,
          graceSeconds,
          limit,
          after?.tenant ?? '',
          after?.promotionId ?? '',
        ],
      });
      return rows;
    },
  };
}

const NEWS = `starts_at < ends_at and ends_at > written_at + $4 * interval '1 ms' and (shop_id, promotion_id) > ($7, $8)`;
const WINDOW = `between $1::timestamptz - $2 * interval '1 s' and $1::timestamptz + $3 * interval '1 s'`;

/** The ids of the announcements are those of `createPromotionTimes`. */
const NEAR = `
  with boundary as (
    select shop_id, promotion_id, 'promotion_started' as topic, starts_at as at
      from promotions where starts_at ${WINDOW} and ${NEWS}
    union all
    select shop_id, promotion_id, 'promotion_ended', ends_at
      from promotions where ends_at ${WINDOW} and ${NEWS})
  select b.shop_id as tenant, b.promotion_id as "promotionId",
         bool_or(b.at < $1::timestamptz - $5 * interval '1 s') as "isLate"
    from boundary b
   where b.at > $1 or not exists (
           select from event_outbox e
            where e.shop_id = b.shop_id
              and e.event_id = b.topic || ':' || b.promotion_id || ':' || floor(extract(epoch from b.at) * 1000))
   group by b.shop_id, b.promotion_id order by b.shop_id, b.promotion_id limit $6`;
