import type { ResourceBodies, ToolBodies } from '../../catalog/index.ts';
import { schedulePromotion as scheduleSpec } from '../../catalog/pricing/schedule-promotion.ts';
import { withdrawPromotion as withdrawSpec } from '../../catalog/pricing/withdraw-promotion.ts';
import type { Effects } from '../../domain/action.ts';
import type { Cache } from '../../domain/cache.ts';
import type { Clock } from '../../domain/clock.ts';
import {
  assertAlone,
  assertNamesOne,
  assertPeriod,
  endWhenWithdrawn,
  promotable,
  type PromotedName,
  type PromotionDraft,
  type PromotionReader,
  type PromotionRecord,
} from '../../domain/promotions.ts';
import { digestOfCall } from '../digest-of-call.ts';
import { uncachedFacts } from '../facts.ts';
import { keysPricing } from './keys.ts';

const MOST_LISTED = 200;

/**
 * @throws {Refusal} invalid_arguments, product_not_found, promotion_in_past, promotion_overlaps, and what
 *   `Effects.once` refuses; nothing is written then.
 */
export function schedulePromotion(
  effects: Effects,
  cache: Cache,
  clock: Clock,
): ToolBodies['schedule_promotion'] {
  return async (call) => {
    const { name, draft } = asked(call.input);
    assertNamesOne(name);
    const result = await effects.once(call, digestOfCall(scheduleSpec, call), async ({ promotions }) => {
      const product = promotable(await promotions.lockProduct(name));
      // Judged here and not before the approval: its beginning may have passed while people slept.
      assertPeriod(draft, clock.now());
      assertAlone(await promotions.overlapping(product, draft));
      const written = await promotions.write(product, draft);
      return { ...periodOf(written), discount_pct: written.discountPct };
    });
    await voidPrices(cache, call.plan.caller.tenant, result);
    return result;
  };
}

/** @throws {Refusal} not_found, promotion_over, and what `Effects.once` refuses; nothing is changed then. */
export function withdrawPromotion(
  effects: Effects,
  cache: Cache,
  clock: Clock,
): ToolBodies['withdraw_promotion'] {
  return async (call) => {
    const { promotion_id } = call.input;
    const result = await effects.once(call, digestOfCall(withdrawSpec, call), async ({ promotions }) => {
      const end = endWhenWithdrawn(await promotions.lock(promotion_id), clock.now());
      return periodOf(await promotions.withdraw(promotion_id, end));
    });
    await voidPrices(cache, call.plan.caller.tenant, result);
    return result;
  };
}

/**
 * Looks at the primary, past the cache: a refusal here is the last word to whoever asks.
 * @throws {Refusal} as the action itself
 */
export function checkPromotion(primary: PromotionReader, clock: Clock): ToolBodies['check_promotion'] {
  return async ({ caller: { tenant }, input }) => {
    const { name, draft } = asked(input);
    assertNamesOne(name);
    const product = promotable(await primary.product(tenant, name));
    assertPeriod(draft, clock.now());
    assertAlone(await primary.overlapping(tenant, product, draft));
    return { status: 'fits' };
  };
}

/** @throws {Refusal} as the action itself */
export function checkWithdrawal(primary: PromotionReader, clock: Clock): ToolBodies['check_withdrawal'] {
  return async ({ caller: { tenant }, input: { promotion_id } }) => {
    endWhenWithdrawn(await primary.find(tenant, promotion_id), clock.now());
    return { status: 'fits' };
  };
}

/** From the primary: whoever has just scheduled one looks for it here. */
export function promotions(
  primary: PromotionReader,
  clock: Clock,
  realTime: Clock,
): ResourceBodies['promotions'] {
  return async ({ caller: { tenant } }) => {
    const facts = uncachedFacts(realTime);
    const now = clock.now();
    const found = await primary.current(tenant, now, MOST_LISTED);
    return {
      promotions: found.map((promotion) => ({
        ...periodOf(promotion),
        name: promotion.name,
        discount_pct: promotion.discountPct,
        running: Date.parse(promotion.startsAt) <= now.getTime(),
        withdrawn_at: promotion.withdrawnAt,
      })),
      ...facts,
    };
  };
}

type Asked = Parameters<ToolBodies['check_promotion']>[0]['input'];

/** Instants in UTC: the zone that they were asked in is not kept. */
function asked(input: Asked): { readonly name: PromotedName; readonly draft: PromotionDraft } {
  return {
    name: { sku: input.sku, mangaId: input.manga_id, volumeNumber: input.volume_number },
    draft: {
      name: input.name,
      discountPct: input.discount_pct,
      startsAt: new Date(input.starts_at).toISOString(),
      endsAt: new Date(input.ends_at).toISOString(),
    },
  };
}

function periodOf({ promotionId, sku, mangaId, volumeNumber, startsAt, endsAt }: PromotionRecord) {
  return {
    promotion_id: promotionId,
    sku,
    manga_id: mangaId,
    volume_number: volumeNumber,
    starts_at: startsAt,
    ends_at: endsAt,
  };
}

type Shown = { readonly manga_id: string | null; readonly volume_number: number | null };

/** On a repeat, too: the first attempt may have died before it. */
async function voidPrices(cache: Cache, tenant: string, { manga_id, volume_number }: Shown): Promise<void> {
  const keys = keysPricing(tenant, { mangaId: manga_id, volumeNumber: volume_number });
  await Promise.all(keys.map((key) => cache.invalidate(key)));
}
