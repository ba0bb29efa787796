import { CACHE_PREFIX, CACHE_TTL, type CacheFacts, type CacheKey, type CacheKind } from './cache.ts';

/** At most this share is taken off a TTL, so that keys filled together do not expire together. */
const JITTER = 0.1;

/** A load faster than this share of the TTL counts as this slow: else nobody would ever refresh early. */
const DELTA_FLOOR = 0.01;

/** The life of a new entry in milliseconds: never above the kind's TTL or the cap. `random` is in [0, 1). */
export function lifeMs(kind: CacheKind, random: number, capSeconds = Infinity): number {
  const jitteredMs = CACHE_TTL[kind] * 1000 * (1 - JITTER * random);
  const capMs = Number.isNaN(capSeconds) ? 0 : capSeconds * 1000;
  return Math.max(0, Math.floor(Math.min(jitteredMs, capMs)));
}

/** Whether an entry of this age may still answer. The kind's TTL rules, whatever the entry says of itself. */
export function isServable(
  kind: CacheKind,
  entry: { readonly ageMs: number; readonly ttlMs: number },
): boolean {
  return entry.ageMs >= 0 && entry.ageMs < Math.min(entry.ttlMs, CACHE_TTL[kind] * 1000);
}

/**
 * XFetch (Vattani, Chierichetti, Lowenstein 2015): each reader tosses a coin that grows heavier towards expiry, so
 * that one of many refreshes a hot entry before it expires for all. `random` is in [0, 1).
 */
export function isDueEarly(
  entry: { readonly ageMs: number; readonly ttlMs: number; readonly deltaMs: number },
  random: number,
): boolean {
  const deltaMs = Math.max(entry.deltaMs, entry.ttlMs * DELTA_FLOOR);
  return entry.ageMs - deltaMs * Math.log(1 - random) >= entry.ttlMs;
}

/** Whole seconds: the age rounded down and the life rounded up, so that an answer served is never shown as expired. */
export function cacheFacts(hit: boolean, ageMs: number, ttlMs: number): CacheFacts {
  return { hit, age_s: Math.floor(ageMs / 1000), ttl_s: Math.ceil(ttlMs / 1000) };
}

/** `<shop>:stock:BER42:42`. Different keys never share a text, and no part can forge a separator. */
export function cacheKey({ tenant, kind, parts }: CacheKey): string {
  if (tenant === '') throw new TypeError('A cache key needs a tenant.');
  return [tenant, CACHE_PREFIX[kind], ...parts].map((part) => encodePart(String(part))).join(':');
}

/** Everything but letters, digits and `-_.~` as percent codes; a lone surrogate, which has none, as `%uXXXX`. */
function encodePart(part: string): string {
  return part.replace(/[^\w.~-]/gu, (char) => {
    const code = char.charCodeAt(0);
    if (char.length === 1 && code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16).toUpperCase()}`;
    const encoded = encodeURIComponent(char);
    return encoded === char ? `%${code.toString(16).toUpperCase()}` : encoded;
  });
}

/**
 * A clock for ages, in milliseconds from zero: it never goes back, and runs at least as fast as either of its two.
 * The wall clock alone can be set back; the monotonic one alone stands still while a machine sleeps.
 */
export function createAgeClock(wallMs: () => number, monotonicMs: () => number): () => number {
  let lastWall = wallMs();
  let lastMonotonic = monotonicMs();
  let age = 0;
  return () => {
    const wall = wallMs();
    const monotonic = monotonicMs();
    age += Math.max(0, wall - lastWall, monotonic - lastMonotonic);
    lastWall = wall;
    lastMonotonic = monotonic;
    return age;
  };
}
