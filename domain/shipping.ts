import type { Address, RateQuote } from './carriers.ts';

/** What a volume weighs when nobody has said. */
export const ASSUMED_WEIGHT_GRAMS = 300;

/** A title, and a volume of it; without one, its first. */
export type WantedVolume = { readonly mangaId: string; readonly volumeNumber?: number };

export type Good = {
  readonly mangaId: string;
  readonly volumeNumber: number;
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  /** Of one unit; null when it is not on file. */
  readonly weightGrams: number | null;
  /** Units that can be sold, by code of the warehouse. */
  readonly shelves: Readonly<Record<string, number>>;
};

/** A warehouse that can hand parcels to carriers: one with an address. */
export type Origin = { readonly code: string; readonly address: Address };

export interface ShippingReader {
  /** What of it the shop carries, each volume once, and where parcels can start. */
  goods(
    tenant: string,
    wanted: readonly WantedVolume[],
  ): Promise<{ readonly goods: readonly Good[]; readonly origins: readonly Origin[] }>;
}

/** What carriers quoted last for the same goods to the same place. JSON: it is cached and kept as it is. */
export type KnownQuotes = {
  readonly quotes: readonly RateQuote[];
  /** Codes of the warehouses, one parcel from each. */
  readonly shipsFrom: readonly string[];
  /** ISO 8601, real time: when the carrier said so. */
  readonly seenAt: string;
};

export interface QuoteStore {
  lastKnown(tenant: string, requestHash: string): Promise<KnownQuotes | undefined>;
  /** Keeps them unless later ones are there, and forgets what is older than `QUOTES_KEPT_DAYS`. */
  keep(tenant: string, requestHash: string, known: KnownQuotes): Promise<void>;
}

/** After that, what a carrier once quoted says nothing any more. */
export const QUOTES_KEPT_DAYS = 30;

export type PlannedParcel = { readonly origin: Origin; readonly weightGrams: number };

/**
 * One parcel from as few warehouses as it takes: whoever has most of what is left sends it, the destination's
 * country and then the code decide between equals. `missing`: what no warehouse that can ship has enough of.
 */
export function planParcels(
  goods: readonly Good[],
  origins: readonly Origin[],
  country: string,
): { readonly parcels: readonly PlannedParcel[]; readonly missing: readonly Good[] } {
  const left = new Map(goods.map((good) => [good, good.quantity]));
  const parcels: PlannedParcel[] = [];
  const unused = origins.toSorted(
    (a, b) => abroad(a, country) - abroad(b, country) || (a.code < b.code ? -1 : 1),
  );
  while (unused.length > 0) {
    const most = Math.max(...unused.map((origin) => unitsAt(origin, left)));
    if (most <= 0) break;
    const at = unused.findIndex((origin) => unitsAt(origin, left) === most);
    for (const origin of unused.splice(at, 1)) parcels.push({ origin, weightGrams: take(origin, left) });
  }
  return { parcels, missing: goods.filter((good) => (left.get(good) ?? 0) > 0) };
}

type Left = Map<Good, number>;

function abroad({ address }: Origin, country: string): number {
  return address.country === country ? 0 : 1;
}

function unitsAt({ code }: Origin, left: Left): number {
  return [...left].reduce((sum, [good, wanted]) => sum + Math.min(good.shelves[code] ?? 0, wanted), 0);
}

function take({ code }: Origin, left: Left): number {
  let grams = 0;
  for (const [good, wanted] of left) {
    const units = Math.min(good.shelves[code] ?? 0, wanted);
    grams += units * (good.weightGrams ?? ASSUMED_WEIGHT_GRAMS);
    left.set(good, wanted - units);
  }
  return Math.max(grams, 1);
}

/**
 * Quotes for all parcels together: of each service that takes every one of them the sum, and the arrival of the last.
 * In the currency of the first; cheapest first.
 */
export function quotesForAll(parcels: readonly (readonly RateQuote[])[]): readonly RateQuote[] {
  const [first = [], ...others] = parcels;
  const sums = first.flatMap((quote): RateQuote[] => {
    const all = [quote, ...others.flatMap((each) => each.find((one) => isSameService(one, quote)) ?? [])];
    return all.length === parcels.length ? [sumOf(quote, all)] : [];
  });
  return sums
    .filter(({ cost }) => cost.currency === sums[0]?.cost.currency)
    .toSorted((a, b) => a.cost.amountMinor - b.cost.amountMinor || arrivalOf(a) - arrivalOf(b));
}

function isSameService(one: RateQuote, other: RateQuote): boolean {
  return (
    one.carrier === other.carrier &&
    one.service === other.service &&
    one.cost.currency === other.cost.currency
  );
}

function sumOf(quote: RateQuote, all: readonly RateQuote[]): RateQuote {
  const amountMinor = all.reduce((sum, { cost }) => sum + cost.amountMinor, 0);
  const last = all.reduce((a, b) => (arrivalOf(b) > arrivalOf(a) ? b : a));
  return { ...quote, cost: { ...quote.cost, amountMinor }, estimatedDelivery: last.estimatedDelivery };
}

export function arrivalOf({ estimatedDelivery }: RateQuote): number {
  return Date.parse(estimatedDelivery);
}
