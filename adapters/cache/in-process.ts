import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createAgeClock } from '../../domain/cache-policy.ts';
import { TICKET_MS, type CacheEntry, type CacheStore } from '../../domain/cache.ts';

export type InProcessCacheOptions = {
  /** Entries and their generations; the least recently used go first. */
  readonly maxKeys?: number;
  /** Characters of all values together. */
  readonly maxSize?: number;
  readonly wallMs?: () => number;
  readonly monotonicMs?: () => number;
};

type Stored = Omit<CacheEntry, 'value'> & { readonly json: string; readonly atMs: number };

/** What is known of a key besides its entry. */
type Mark = {
  readonly generation: string;
  readonly invalidatedUntilMs: number;
  readonly lease?: { readonly owner: string; readonly untilMs: number };
};

/** The store of a single process: bounded, lost with the process, held to the same contract as Redis. */
export function createInProcessCache(options: InProcessCacheOptions = {}): CacheStore {
  const { maxKeys = 10_000, maxSize = 64 * 1024 * 1024 } = options;
  const now = createAgeClock(options.wallMs ?? Date.now, options.monotonicMs ?? (() => performance.now()));
  const entries = new LRUCache<string, Stored>({
    max: maxKeys,
    maxSize,
    sizeCalculation: ({ json }, key) => json.length + key.length + 1,
  });
  // Twice the entries: a generation must outlive a load, and only keys that are being loaded need one.
  const marks = new LRUCache<string, Mark>({ max: maxKeys * 2 });
  // Of this store alone: a ticket of another, or of one before it, fits none of them.
  const instance = randomUUID();
  let generations = 0;
  const newGeneration = () => `${instance}:${(generations += 1)}`;

  function markOf(key: string): Mark {
    const known = marks.get(key);
    if (known) return known;
    const mark = { generation: newGeneration(), invalidatedUntilMs: 0 };
    marks.set(key, mark);
    return mark;
  }

  function entryOf(key: string): Stored | undefined {
    const entry = entries.get(key);
    if (!entry || now() - entry.atMs < entry.ttlMs) return entry;
    entries.delete(key);
    return undefined;
  }

  return {
    async get(key) {
      const mark = markOf(key);
      const atMs = now();
      const entry = entryOf(key);
      return {
        ...(entry && { entry: toFound(entry, atMs) }),
        ticket: { generation: mark.generation, atMs },
        recentlyInvalidated: mark.invalidatedUntilMs > atMs,
      };
    },
    async put(key, { value, ...entry }, ticket) {
      const ticketAgeMs = now() - ticket.atMs;
      if (marks.get(key)?.generation !== ticket.generation) return false;
      if (ticketAgeMs >= Math.min(entry.ttlMs, TICKET_MS)) return false;
      if ((entryOf(key)?.atMs ?? -1) > ticket.atMs) return false;
      entries.set(key, { ...entry, json: JSON.stringify(value), atMs: ticket.atMs });
      return true;
    },
    async invalidate(key, markMs) {
      entries.delete(key);
      marks.set(key, { generation: newGeneration(), invalidatedUntilMs: now() + markMs });
    },
    async lease(key, owner, leaseMs, seenAtMs) {
      const mark = markOf(key);
      if (entryOf(key)?.atMs !== seenAtMs) return false;
      if (mark.lease && mark.lease.owner !== owner && mark.lease.untilMs > now()) return false;
      marks.set(key, { ...mark, lease: { owner, untilMs: now() + leaseMs } });
      return true;
    },
    async release(key, owner) {
      const mark = marks.get(key);
      if (mark?.lease?.owner !== owner) return;
      const { lease: _given, ...rest } = mark;
      marks.set(key, rest);
    },
    async close() {
      entries.clear();
      marks.clear();
    },
  };
}

function toFound({ json, ...entry }: Stored, nowMs: number) {
  return { ...entry, value: JSON.parse(json), ageMs: nowMs - entry.atMs };
}
