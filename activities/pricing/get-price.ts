import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import type { Clock } from '../../domain/clock.ts';
import { majorUnits } from '../../domain/money.ts';
import { priceAt, type PriceReader, type PriceSchedule } from '../../domain/prices.ts';
import { Refusal } from '../../domain/refusal.ts';
import { factsOf } from '../facts.ts';
import { from, type Sided } from '../from.ts';
import { priceKey } from './keys.ts';

/**
 * The schedule is cached and the price derived from it at the moment of answering, so a promotion starts on the
 * instant. A price is always said or refused in so many words: nothing, an error or a silent conversion would
 * invite an invented one.
 */
export function getPrice(cache: Cache, prices: Sided<PriceReader>, clock: Clock): ToolBodies['get_price'] {
  return async ({ caller: { tenant }, input: { manga_id, volume_number } }) => {
    const message = `Price unavailable for manga_id=${manga_id}. Do not estimate.`;
    const volume = {
      mangaId: manga_id,
      ...(volume_number === undefined ? {} : { volumeNumber: volume_number }),
    };
    const loaded = await scheduleOf(cache, prices, clock, tenant, volume).catch(orUnavailable);
    if (loaded === undefined) return { status: 'unavailable', message, manga_id };
    const schedule = loaded.value;
    const now = clock.now();
    const price = schedule && priceAt(schedule, now);
    if (!price || schedule.currency !== 'JPY' || Date.parse(price.validUntil) <= now.getTime())
      return { status: 'not_found', message, manga_id, ...factsOf(loaded) };
    return {
      status: 'found',
      price_jpy: majorUnits({ amountMinor: price.amountMinor, currency: 'JPY' }),
      currency: 'JPY',
      discount_active: price.discountPct > 0,
      discount_pct: price.discountPct,
      valid_until: price.validUntil,
      ...factsOf(loaded),
    };
  };
}

type Volume = { readonly mangaId: string; readonly volumeNumber?: number };

function scheduleOf(cache: Cache, prices: Sided<PriceReader>, clock: Clock, tenant: string, volume: Volume) {
  return cache.read(
    priceKey(tenant, volume.mangaId, volume.volumeNumber),
    async (hint): Promise<PriceSchedule | null> =>
      (await from(prices, hint).schedule(tenant, volume, clock.now())) ?? null,
    { maxAgeSeconds: (schedule) => secondsToBoundary(schedule, clock.now()) },
  );
}

/** Until the next instant at which the price changes; a price that is not there has none. */
function secondsToBoundary(schedule: PriceSchedule | null, now: Date): number {
  if (schedule === null) return Infinity;
  return Math.max((Date.parse(priceAt(schedule, now).validUntil) - now.getTime()) / 1000, 0);
}

function orUnavailable(error: unknown): undefined {
  if (error instanceof Refusal && error.code === 'unavailable') return undefined;
  throw error;
}
