import type { JsonValue } from './json.ts';

/**
 * Seconds an answer of each kind may be reused (document 000, `CACHE_TTL`; of `policy` only what was found, never what
 * it says). Jitter only ever shortens them.
 */
export const CACHE_TTL = {
  order_status: 30,
  stock_level: 10,
  price: 300,
  shipping_eta: 120,
  policy: 300,
} as const;

export type CacheKind = keyof typeof CACHE_TTL;

/** First part of a cache key: `<shop>:stock:BER42:42`. */
export const CACHE_PREFIX: Readonly<Record<CacheKind, string>> = {
  order_status: 'order',
  stock_level: 'stock',
  price: 'price',
  shipping_eta: 'eta',
  policy: 'policy',
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

/** What a load should know about the moment it runs in. */
export type LoadHint = {
  /** The key was invalidated a moment ago: a read replica may not have the write yet, so read from the primary. */
  readonly preferPrimary: boolean;
};

/** The read-through cache as bodies see it. */
export interface Cache {
  /**
   * The cached value, or what `load` returns. Concurrent callers of one key share one `load` (single flight), so
   * what it returns is frozen. A store that is gone or slow never fails a read: `load` answers.
   *
   * `maxAgeSeconds` caps this entry's life below its kind's TTL (a price before its next boundary); 0 keeps nothing.
   * `load` may be called again (a leader that hangs or is cancelled, an invalidation under way), so it only reads.
   */
  read<T extends JsonValue>(
    key: CacheKey,
    load: (hint?: LoadHint) => Promise<T>,
    options?: { readonly maxAgeSeconds?: (value: T) => number },
  ): Promise<Loaded<T>>;
  /**
   * Voids the key: nobody who asks from now on, and no load already under way, can serve or refill the old value.
   * Call it after the commit. It never fails: while the store is away this process reads past it until the
   * invalidation is made good, and other processes may serve the old value until its TTL ends.
   *
   * @returns whether the store has heard; false: it is owed. Who must not leave it at that asks again.
   */
  invalidate(key: CacheKey): Promise<boolean>;
}

/** Each answered read counts one of `hit`, `miss`, `bypass` (the store could not be asked); the rest come on top. */
export type CacheEvent = 'hit' | 'miss' | 'bypass' | 'early_refresh' | 'store_error';

export interface CacheMetrics {
  count(event: CacheEvent, kind: CacheKind): void;
}

/** An entry as a store keeps it. Durations, not instants: the clocks of two processes never meet. */
export type CacheEntry = {
  readonly value: JsonValue;
  /** When the load began, by the loader's clock (Unix milliseconds); shown as `asOf`, never compared. */
  readonly loadedAtMs: number;
  /** Life of the entry, counted from its ticket. */
  readonly ttlMs: number;
  /** How long the load took; feeds probabilistic early expiry. */
  readonly deltaMs: number;
};

/** An entry as it is found, with its age by the store's own clock. */
export type FoundEntry = CacheEntry & { readonly ageMs: number; readonly atMs: number };

/** The right to store what is loaded after it was handed out. Void after an invalidation or `TICKET_MS`. */
type CacheTicket = {
  readonly generation: string;
  /** The store's own clock when the ticket was handed out: a stored entry's life begins here. */
  readonly atMs: number;
};

/** A load that takes longer than this is answered but not stored. */
export const TICKET_MS = 5000;

export type CacheLookup = {
  readonly entry?: FoundEntry;
  readonly ticket: CacheTicket;
  /** The key was invalidated within the time its `invalidate` named. */
  readonly recentlyInvalidated: boolean;
};

/**
 * The place entries live in: in-process or Redis, held to one contract suite.
 *
 * A store may forget anything at any time: an entry forgotten is a miss, and a generation forgotten voids its
 * tickets, so forgetting never brings an old value back.
 */
export interface CacheStore {
  get(key: string): Promise<CacheLookup>;
  /** Stores the entry if its ticket is still good and no entry of a later ticket is there; answers whether it did. */
  put(key: string, entry: CacheEntry, ticket: CacheTicket): Promise<boolean>;
  /** Drops the entry, voids every ticket, and marks the key as recently invalidated for `markMs`. */
  invalidate(key: string, markMs: number): Promise<void>;
  /**
   * Takes the right to load `key` for `leaseMs`, over all processes. False when another owner holds it, or when the
   * entry is no longer the one the asker saw (`seenAtMs`; undefined: saw none). A repeat by the holder extends it.
   */
  lease(key: string, owner: string, leaseMs: number, seenAtMs?: number): Promise<boolean>;
  /** Gives the lease back; does nothing when another owner holds it. */
  release(key: string, owner: string): Promise<void>;
  close(): Promise<void>;
}
