import type { CacheKey } from '../../domain/cache.ts';

/** Key of a volume's price schedule; without a volume, of the title's. */
export function priceKey(tenant: string, mangaId: string, volumeNumber?: number): CacheKey {
  return { tenant, kind: 'price', parts: volumeNumber === undefined ? [mangaId] : [mangaId, volumeNumber] };
}

type Priced = { readonly mangaId: string | null; readonly volumeNumber: number | null };

/** Every key whose answer shows the price of this product: its own, and its title's. None for what is no volume. */
export function keysPricing(tenant: string, { mangaId, volumeNumber }: Priced): readonly CacheKey[] {
  if (mangaId === null || volumeNumber === null) return [];
  return [priceKey(tenant, mangaId, volumeNumber), priceKey(tenant, mangaId)];
}
