import type { JsonValue } from './json.ts';

/** Seconds an answer of each kind may be reused (document 000, `CACHE_TTL`). Jitter only ever shortens them. */
export const CACHE_TTL = { order_status: 30, stock_level: 10, price: 300, shipping_eta: 120 } as const;

export type CacheKind = keyof typeof CACHE_TTL;

/** First part of a cache key: `<shop>:stock:BER42:42`. */
export const CACHE_PREFIX: Readonly<Record<CacheKind, string>> = {
  order_status: 'order',
  stock_level: 'stock',
  price: 'price',
  shipping_eta: 'eta',
};

/** How an answer was come by; part of every tool result. Seconds, whole. */
export type CacheFacts = { readonly hit: boolean; readonly age_s: number; readonly ttl_s: number };

/** A value with the instant it was read from the source of truth (ISO 8601, real time). */
export type Loaded<T> = { readonly value: T; readonly asOf: string; readonly cache: CacheFacts };

export type CacheKey = {
  readonly tenant: string;
  readonly kind: CacheKind;
  /** Encoded and joined with `:`, so no part can forge a separator. */
  readonly parts: readonly (string | number)[];
};

/** The read-through cache as bodies see it. */
export interface Cache {
  /**
   * The cached value, or what `load` returns. Concurrent callers of one key share one `load` (single flight).
   * A store that is gone or slow never fails a read: `load` answers.
   *
   * `maxAgeSeconds` caps this entry's life below its kind's TTL (a price before its next boundary).
   */
  read<T extends JsonValue>(
    key: CacheKey,
    load: () => Promise<T>,
    options?: { readonly maxAgeSeconds?: (value: T) => number },
  ): Promise<Loaded<T>>;
  /** Raises the key's generation: nobody, not even a load already under way, can serve or refill the old value. */
  invalidate(key: CacheKey): Promise<void>;
}

/** An entry as a store keeps it. Instants in Unix milliseconds. */
export type CacheEntry = {
  readonly value: JsonValue;
  readonly loadedAtMs: number;
  readonly expiresAtMs: number;
  /** How long the load took; feeds probabilistic early expiry. */
  readonly deltaMs: number;
};

/** What a store answers for a key: the entry, if any, and the key's generation. */
export type CacheLookup = { readonly entry?: CacheEntry; readonly generation: number };

/** The place entries live in: in-process or Redis, held to one contract suite. */
export interface CacheStore {
  get(key: string): Promise<CacheLookup>;
  /** Stores the entry if the key's generation is still `generation`; answers whether it did. */
  put(key: string, entry: CacheEntry, generation: number): Promise<boolean>;
  /** Raises the generation and drops the entry. */
  invalidate(key: string): Promise<void>;
  /** Takes the right to load `key` for `leaseMs`, over all processes; false when another holds it. */
  lease(key: string, owner: string, leaseMs: number): Promise<boolean>;
  release(key: string, owner: string): Promise<void>;
  close(): Promise<void>;
}
