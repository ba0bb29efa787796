import type { CacheKey } from '../../domain/cache.ts';

type Parcel = { readonly carrier: string; readonly trackingNumber: string };

/** What the carrier says of a parcel: the same for everybody who may see it. */
export function parcelKey(tenant: string, { carrier, trackingNumber }: Parcel): CacheKey {
  return { tenant, kind: 'shipping_eta', parts: ['parcel', carrier, trackingNumber] };
}

/** Quotes for goods to a place. `requestHash` says nothing about the place to whom has not the tenant's secret. */
export function quotesKey(tenant: string, requestHash: string): CacheKey {
  return { tenant, kind: 'shipping_eta', parts: ['quotes', requestHash] };
}
