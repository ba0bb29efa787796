import type { Cache } from '../../domain/cache.ts';
import type { PublishedEvent, Reaction } from '../../domain/events.ts';
import { keysPricing } from './keys.ts';

/**
 * A promotion was written, by whatever means: a price schedule that does not know of it must not survive it. Not done
 * until the store has heard, since another process could serve what only this one knows to be void.
 */
export function voidPrices(cache: Pick<Cache, 'invalidate'>): Reaction {
  return {
    consumer: 'price-invalidation',
    topics: ['promotion_changed'],
    react: async ({ tenant, payload }) => {
      const heard = await Promise.all(
        keysPricing(tenant, volumeIn(payload)).map((key) => cache.invalidate(key)),
      );
      if (heard.includes(false)) throw new Error('The cache has not heard of a changed promotion yet.');
    },
  };
}

function volumeIn({ manga_id, volume_number }: PublishedEvent['payload']) {
  return {
    mangaId: typeof manga_id === 'string' ? manga_id : null,
    volumeNumber: typeof volume_number === 'number' ? volume_number : null,
  };
}
