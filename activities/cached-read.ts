import { randomUUID } from 'node:crypto';
import { setImmediate as yieldTurn, setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import {
  cacheFacts,
  cacheKey,
  createAgeClock,
  isDueEarly,
  isServable,
  lifeMs,
} from '../domain/cache-policy.ts';
import {
  CACHE_TTL,
  TICKET_MS,
  type Cache,
  type CacheKey,
  type CacheKind,
  type CacheLookup,
  type CacheMetrics,
  type CacheStore,
  type Loaded,
  type LoadHint,
} from '../domain/cache.ts';
import type { JsonValue } from '../domain/json.ts';
import { createTurns, launch, settled, type Flight, type Joined } from './flight.ts';
import { createStoreGuard, type BreakerOptions } from './store-guard.ts';

/** How long a follower waits for a leader before it loads itself. */
const PATIENCE_MS = 1000;
/** A dead leader's lease must end before its followers lose patience: then one of them leads, not all. */
const LEASE_MS = 900;
const POLL_MS = 25;
/** Keys whose invalidation is owed to a store that is away. */
const MAX_OWED = 10_000;
/** Errors of a leader that was called off, not of the source. */
const ABORTS: ReadonlySet<string> = new Set(['AbortError', 'CancelledFailure', 'TaskCancelledError']);
/** How often a follower joins somebody else's flight before it stays with one, or takes its error for its own. */
const MAX_STRIKES = 2;

export type CacheOptions = {
  readonly store: CacheStore;
  /** Real time, Unix milliseconds: the `asOf` of an answer. */
  readonly clock?: () => number;
  /** Milliseconds that never go back, for ages. */
  readonly monotonic?: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly breaker?: BreakerOptions;
  readonly metrics?: CacheMetrics;
  /** The circuit opened (`false`) or closed again (`true`). */
  readonly onStoreChange?: (isAvailable: boolean) => void;
  /** How long after an invalidation loads are told to prefer the primary; longer than any replica lags. */
  readonly primaryForSeconds?: number;
};

type Ask = {
  readonly id: string;
  readonly kind: CacheKind;
  readonly load: (hint: LoadHint) => Promise<JsonValue>;
  readonly capSeconds: (value: JsonValue) => number;
};

type Answer = {
  readonly value: JsonValue;
  readonly from: 'hit' | 'miss' | 'bypass';
  readonly loadedAtMs: number;
  /** When the load began, by this process's age clock; for an entry, no later than that. */
  readonly bornMs: number;
  readonly ttlMs: number;
};

/** A lookup with the moment it was sent, by this process's age clock. */
type Found = CacheLookup & { readonly sentMs: number };

/**
 * The cache that bodies read through: cache-aside over a store, one load per key and generation at a time.
 *
 * An entry's age is the age by the store's own clock plus the time since the question was sent, so no clock of
 * another process is ever trusted.
 */
export function createCache(options: CacheOptions): Cache {
  const { store, clock = Date.now, random = Math.random, metrics } = options;
  const now = createAgeClock(clock, options.monotonic ?? (() => performance.now()));
  const primaryForMs = (options.primaryForSeconds ?? 60) * 1000;
  const guard = createStoreGuard(options);
  const lookups = createTurns<Found | undefined>(Infinity);
  const directs = createTurns<Answer>(PATIENCE_MS, yieldTurn);
  const flights = new Map<string, Flight<Answer>>();
  const refreshing = new Set<string>();
  /** Invalidations the store has not heard of yet; forgotten when no old entry can be left. */
  const owed = new LRUCache<string, symbol>({ max: MAX_OWED });
  const engine = randomUUID();
  let owners = 0;
  const nextOwner = () => `${engine}:${(owners += 1)}`;

  /** Undefined when the store cannot be asked. Concurrent callers of a key share a question asked after they came. */
  async function lookup(id: string, kind: CacheKind): Promise<Found | undefined> {
    const { flight, isMine } = lookups(id, async () => {
      if (owed.has(id) && !(await tellStore(id, kind))) return undefined;
      const sentMs = now();
      const found = await guard(kind, () => store.get(id));
      if (found?.entry) freeze(found.entry.value);
      return found && { ...found, sentMs };
    });
    if (isMine) return flight.own;
    const outcome = await flight.shared;
    return outcome !== 'late' && 'answer' in outcome ? outcome.answer : undefined;
  }

  async function tellStore(id: string, kind: CacheKind): Promise<boolean> {
    const debt = owed.get(id);
    const told = await guard(kind, () => store.invalidate(id, primaryForMs).then(() => true));
    // A later invalidation that failed meanwhile is still owed.
    if (told && owed.get(id) === debt) owed.delete(id);
    return told ?? false;
  }

  async function answerTo(ask: Ask): Promise<Answer> {
    for (let strikes = 0; ;) {
      const found = await lookup(ask.id, ask.kind);
      const hit = hitOf(ask.kind, found);
      if (hit) {
        if (found?.entry && isDueEarly({ ...found.entry, ageMs: now() - hit.bornMs }, random())) {
          void refreshEarly(ask, found);
        }
        return hit;
      }
      const { flight, isMine } = found ? join(ask, found) : directs(ask.id, () => loadDirectly(ask));
      if (isMine) return flight.own;

      const outcome = strikes < MAX_STRIKES ? await flight.shared : await settled(flight.own);
      if (outcome !== 'late') {
        if ('answer' in outcome) return outcome.answer;
        // A leader that was called off says nothing about the source; a second failure in a row does.
        if (isAbort(outcome.error)) continue;
        if (strikes > 0) throw outcome.error;
      }
      strikes += 1;
    }
  }

  function hitOf(kind: CacheKind, found: Found | undefined): Answer | undefined {
    if (!found?.entry) return undefined;
    const { value, loadedAtMs, ageMs, ttlMs } = found.entry;
    const bornMs = found.sentMs - ageMs;
    if (!isServable(kind, { ageMs: now() - bornMs, ttlMs })) return undefined;
    return { value, from: 'hit', loadedAtMs, bornMs, ttlMs };
  }

  function join(ask: Ask, found: Found): Joined<Answer> {
    const slot = slotOf(ask, found);
    const current = flights.get(slot);
    if (current) return { flight: current, isMine: false };
    return { flight: start(slot, (loading) => lead(ask, found, loading)), isMine: true };
  }

  function start(slot: string, run: (loading: () => void) => Promise<Answer>): Flight<Answer> {
    const flight = launch(run, PATIENCE_MS);
    flights.set(slot, flight);
    void flight.shared.finally(() => {
      if (flights.get(slot) === flight) flights.delete(slot);
    });
    return flight;
  }

  async function lead(ask: Ask, first: Found, loading: () => void): Promise<Answer> {
    const owner = nextOwner();
    const turn = await takeTurn(ask, first, owner);
    if (turn && 'value' in turn) return turn;
    loading();
    return turn ? fill(ask, turn, owner) : loadDirectly(ask, first.recentlyInvalidated);
  }

  /** Waits for the lease, for another process's entry, or for patience to end; undefined when the store went away. */
  async function takeTurn(ask: Ask, first: Found, owner: string): Promise<Found | Answer | undefined> {
    const deadlineMs = now() + PATIENCE_MS;
    for (let found = first; ;) {
      const seenAtMs = found.entry?.atMs;
      const isLeader = await guard(ask.kind, () => store.lease(ask.id, owner, LEASE_MS, seenAtMs));
      if (isLeader === undefined) return undefined;
      if (isLeader || now() >= deadlineMs) return found;
      const next = await lookup(ask.id, ask.kind);
      const hit = hitOf(ask.kind, next);
      if (hit || !next) return hit;
      found = next;
      await sleep(POLL_MS);
    }
  }

  /** Loads and stores. An invalidation under way voids what was loaded: then the next load answers. */
  async function fill(ask: Ask, found: Found, owner: string): Promise<Answer> {
    try {
      const first = await loadAndKeep(ask, found);
      const isSuperseded = first.isKept === false && now() - first.answer.bornMs < TICKET_MS;
      const again = isSuperseded ? await lookup(ask.id, ask.kind) : undefined;
      const hit = hitOf(ask.kind, again);
      if (hit || !again || again.ticket.generation === found.ticket.generation) return hit ?? first.answer;
      return (await loadAndKeep(ask, again)).answer;
    } finally {
      void guard(ask.kind, () => store.release(ask.id, owner));
    }
  }

  /** `isKept` is undefined when nothing was to be kept or the store did not answer. */
  async function loadAndKeep(
    ask: Ask,
    found: Found,
  ): Promise<{ answer: Answer; isKept?: boolean | undefined }> {
    const loaded = await loadOnce(ask, found.recentlyInvalidated);
    const { value, loadedAtMs, bornMs } = loaded;
    const deltaMs = Math.ceil(now() - bornMs);
    const ttlMs = lifeMs(ask.kind, random(), ask.capSeconds(value));
    const isKept =
      ttlMs > 0
        ? await guard(ask.kind, () => store.put(ask.id, { value, loadedAtMs, ttlMs, deltaMs }, found.ticket))
        : undefined;
    return { answer: { ...loaded, from: 'miss', ttlMs: isKept ? ttlMs : 0 }, isKept };
  }

  async function loadDirectly(ask: Ask, isMarked = false): Promise<Answer> {
    return { ...(await loadOnce(ask, isMarked || owed.has(ask.id))), from: 'bypass', ttlMs: 0 };
  }

  async function loadOnce(ask: Ask, preferPrimary: boolean) {
    const loadedAtMs = clock();
    const bornMs = now();
    return { value: toStored(await ask.load({ preferPrimary })), loadedAtMs, bornMs };
  }

  /** In the background: the entry still answers, and keeps answering when the load fails. Never rejects. */
  async function refreshEarly(ask: Ask, found: Found): Promise<void> {
    const slot = slotOf(ask, found);
    if (refreshing.has(slot) || flights.has(slot)) return;
    refreshing.add(slot);
    const owner = nextOwner();
    const isLeader = await guard(ask.kind, () => store.lease(ask.id, owner, LEASE_MS, found.entry?.atMs));
    refreshing.delete(slot);
    if (!isLeader || flights.has(slot)) return;
    metrics?.count('early_refresh', ask.kind);
    start(slot, (loading) => {
      loading();
      return fill(ask, found, owner);
    });
  }

  function present({ value, from, loadedAtMs, bornMs, ttlMs }: Answer): Loaded<JsonValue> {
    // A loader's clock ahead of ours must not date an answer in the future.
    const asOf = new Date(Math.min(loadedAtMs, clock())).toISOString();
    return { value, asOf, cache: cacheFacts(from === 'hit', now() - bornMs, ttlMs) };
  }

  return {
    async read<T extends JsonValue>(
      key: CacheKey,
      load: (hint?: LoadHint) => Promise<T>,
      limits?: Limits<T>,
    ) {
      const { maxAgeSeconds } = limits ?? {};
      // The casts: what is kept under this key was loaded by a body of the same kind, and so has its type.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      const capSeconds = (value: JsonValue) => maxAgeSeconds?.(value as T) ?? Infinity;
      const answer = await answerTo({ id: cacheKey(key), kind: key.kind, load, capSeconds });
      metrics?.count(answer.from, key.kind);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      return present(answer) as Loaded<T>;
    },
    async invalidate(key) {
      const id = cacheKey(key);
      if (await tellStore(id, key.kind)) return true;
      owed.set(id, Symbol(id), { ttl: Math.max(CACHE_TTL[key.kind] * 1000, primaryForMs) });
      return false;
    },
  };
}

type Limits<T> = { readonly maxAgeSeconds?: (value: T) => number };

/** Callers who saw different generations never share a load: the younger one must not get the older value. */
function slotOf(ask: Ask, found: Found): string {
  return `${ask.id} ${found.ticket.generation}`;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && ABORTS.has(error.name);
}

/** What the store would give back, so that a miss and a hit answer alike; frozen, because callers share it. */
function toStored(value: JsonValue): JsonValue {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError('A load must answer JSON; null where there is nothing.');
  return freeze(JSON.parse(json));
}

function freeze(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
