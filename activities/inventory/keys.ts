import type { CacheKey } from '../../domain/cache.ts';

/**
 * Keys of cached stock. `<shop>:stock:BER42:42` is document 000's; the others begin with a part that no manga id
 * can be (ids hold no `@`).
 */
export function volumeKey(tenant: string, mangaId: string, volumeNumber?: number): CacheKey {
  return stockKey(tenant, volumeNumber === undefined ? [mangaId] : [mangaId, volumeNumber]);
}

export function warehouseKey(tenant: string, warehouse: string): CacheKey {
  return stockKey(tenant, ['@warehouse', warehouse]);
}

export function warehousesKey(tenant: string): CacheKey {
  return stockKey(tenant, ['@warehouses']);
}

/** What is low in every region. */
export function regionsKey(tenant: string): CacheKey {
  return stockKey(tenant, ['@regions']);
}

/** A part that is left out differs from every part that could be there. */
export function reportKey(
  tenant: string,
  filter: { readonly product?: string; readonly category?: string; readonly threshold?: number },
): CacheKey {
  return stockKey(tenant, [
    '@report',
    filter.product === undefined ? 'any' : `=${filter.product}`,
    filter.category === undefined ? 'any' : `=${filter.category}`,
    filter.threshold ?? 'own',
  ]);
}

function stockKey(tenant: string, parts: CacheKey['parts']): CacheKey {
  return { tenant, kind: 'stock_level', parts };
}
