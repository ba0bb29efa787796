import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { TICKET_MS, type CacheEntry, type CacheStore, type FoundEntry } from '../../domain/cache.ts';
import type { JsonValue } from '../../domain/json.ts';
import { invalidationMessage } from '../cache/invalidation-bus.ts';
import { INVALIDATE, LEASE, LOOKUP, PUT, RELEASE, type Script } from './cache-scripts.ts';

export type RedisCacheOptions = {
  readonly url: string;
  /** Where invalidations are announced to whoever keeps copies; nowhere without it. */
  readonly channel?: string;
  /** One command may take this long; then its caller goes on without it. */
  readonly commandTimeoutMs?: number;
  /** The first connection may take this long before the store is handed out unconnected. */
  readonly connectTimeoutMs?: number;
  /** Connections that fail are tried again for ever, at most a second apart; each failure is told here. */
  readonly onError?: (error: Error) => void;
};

export type RedisCache = CacheStore & {
  /** @throws when Redis does not answer within the command timeout. */
  ping(): Promise<void>;
};

/**
 * Opens the store that processes share. Never fails for want of a Redis: while there is none, operations reject at
 * once and nothing queues up; it comes back by itself.
 *
 * An entry is the plain key with its TTL; what guards it stands under `{key}:…`, the same slot of a Redis Cluster.
 */
export async function openRedisCache(options: RedisCacheOptions): Promise<RedisCache> {
  const { channel } = options;
  const redis = await connect(options);
  const instance = randomUUID();
  let generations = 0;

  async function run({ lua, sha }: Script, keys: readonly string[], ...args: (string | number)[]) {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return redis.eval(lua, keys.length, ...keys, ...args);
    }
  }

  return {
    async get(key) {
      const { generation, mark } = guardsOf(key);
      const fresh = `${instance}:${(generations += 1)}`;
      const [text, ticketOf, atMs, marks] = toLookup(
        await run(LOOKUP, [key, generation, mark], fresh, TICKET_MS),
      );
      const entry = text === null ? undefined : decode(text, atMs);
      // Nobody could lead, or store, past an entry that nobody can read.
      if (text !== null && !entry) await redis.del(key);
      return {
        ...(entry && { entry }),
        ticket: { generation: ticketOf, atMs },
        recentlyInvalidated: marks > 0,
      };
    },
    async put(key, entry, ticket) {
      const keys = [key, guardsOf(key).generation];
      const text = encode(entry, ticket.atMs);
      return (await run(PUT, keys, text, entry.ttlMs, ticket.generation, ticket.atMs, TICKET_MS)) === 1;
    },
    async invalidate(key, markMs) {
      const { generation, mark, lease } = guardsOf(key);
      const announcement = channel === undefined ? [] : [channel, invalidationMessage([{ key, markMs }])];
      await run(INVALIDATE, [key, generation, mark, lease], markMs, ...announcement);
    },
    async lease(key, owner, leaseMs, seenAtMs) {
      return (await run(LEASE, [key, guardsOf(key).lease], owner, leaseMs, seenAtMs ?? '')) === 1;
    },
    async release(key, owner) {
      await run(RELEASE, [guardsOf(key).lease], owner);
    },
    async ping() {
      await redis.ping();
    },
    async close() {
      redis.disconnect();
    },
  };
}

async function connect(options: RedisCacheOptions): Promise<Redis> {
  const { url, commandTimeoutMs = 250, connectTimeoutMs = 1000, onError } = options;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: 'countersign-cache',
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    // A connection on which nothing comes back is dropped, so that unanswered commands cannot pile up on it.
    socketTimeout: commandTimeoutMs * 8,
    // A read that is late is worthless: nothing waits for a connection, and nothing is sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1000),
    // After a failover the old primary refuses writes: look for the new one.
    reconnectOnError: (error) => error.message.includes('READONLY'),
  });
  redis.on('error', (error: Error) => onError?.(error));
  const connected = redis.connect().catch((error: unknown) => {
    // Told by the listener above already; the connection is tried again in the background.
    if (!(error instanceof Error)) throw error;
  });
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, connectTimeoutMs);
  });
  await Promise.race([connected, patience]);
  clearTimeout(timer);
  return redis;
}

function guardsOf(key: string) {
  return { generation: `{${key}}:generation`, mark: `{${key}}:invalidated`, lease: `{${key}}:lease` };
}

/** `at` comes first: the scripts find it there. */
function encode({ value, loadedAtMs, ttlMs, deltaMs }: CacheEntry, atMs: number): string {
  return JSON.stringify({ at: atMs, ttl_ms: ttlMs, delta_ms: deltaMs, loaded_at: loadedAtMs, value });
}

/** Undefined for what this store did not write, and for an entry from the future: then Redis's clock was set back. */
function decode(text: string, nowMs: number): FoundEntry | undefined {
  const read = parse(text);
  if (!isEnvelope(read) || read.at > nowMs || !text.startsWith(`{"at":${read.at},`)) return undefined;
  const { at, ttl_ms: ttlMs, delta_ms: deltaMs, loaded_at: loadedAtMs, value } = read;
  return { value, loadedAtMs, ttlMs, deltaMs, atMs: at, ageMs: nowMs - at };
}

type Envelope = {
  readonly at: number;
  readonly ttl_ms: number;
  readonly delta_ms: number;
  readonly loaded_at: number;
  readonly value: JsonValue;
};

function isEnvelope(read: unknown): read is Envelope {
  if (typeof read !== 'object' || read === null || !('value' in read)) return false;
  const numbers = new Map(Object.entries(read));
  return ['at', 'ttl_ms', 'delta_ms', 'loaded_at'].every((name) => Number.isFinite(numbers.get(name)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type LookupReply = readonly [text: string | null, generation: string, atMs: number, marks: number];

function toLookup(reply: unknown): LookupReply {
  if (!isLookupReply(reply))
    throw new Error('Redis answered a lookup in a shape that the script cannot give.');
  return reply;
}

function isLookupReply(reply: unknown): reply is LookupReply {
  if (!Array.isArray(reply) || reply.length !== 4) return false;
  const [text, generation, atMs, marks]: unknown[] = reply;
  const isText = text === null || typeof text === 'string';
  return isText && typeof generation === 'string' && typeof atMs === 'number' && typeof marks === 'number';
}
