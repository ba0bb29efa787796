import { setTimeout as sleep } from 'node:timers/promises';
import { ExponentialBackoff } from 'cockatiel';
import { Client } from 'pg';
import type { Invalidation, InvalidationBus } from '../../domain/invalidation-bus.ts';

const CHANNEL = 'countersign_cache';
const BACKOFF = { initialDelay: 100, maxDelay: 5_000 };
/** How soon a connection that hangs is noticed. */
const BEAT_MS = 5_000;
/**
 * How long entries outlive the connection. With the database away a cached answer is the only one there is, and nobody
 * commits what would void it; cut off from a database that others still reach, it is no older than stock may be.
 */
const GRACE_MS = 10_000;
/** A notification holds 8,000 bytes; a key is ASCII. */
const MOST_CHARACTERS = 7_500;

type Listener = Parameters<InvalidationBus['listen']>[0];

export type BusOptions = {
  /** A server that passes notifications on: the primary itself, and no pooler before it. */
  readonly url: string;
  readonly onError?: (error: unknown) => void;
};

/**
 * Invalidations over LISTEN and NOTIFY, on one connection of its own. While that is away nothing is heard and nothing
 * can be handed over, so it is made again for ever, and the listener is told that it may have missed some: once it listens again, and when that takes long.
 */
export function postgresInvalidationBus({ url, onError }: BusOptions): InvalidationBus {
  const closing = new AbortController();
  let current: Client | undefined;
  let asked: Promise<unknown> = Promise.resolve();

  /** One query after the other: the connection has no queue that is meant to be used. */
  function ask(client: Client, text: string, values: readonly unknown[] = []): Promise<void> {
    const answer = asked.then(async () => void (await client.query(text, [...values])));
    asked = answer.catch(() => undefined);
    return answer;
  }

  async function connect(listener: Listener): Promise<void> {
    const client = new Client({
      connectionString: url,
      application_name: 'countersign cache',
      keepAlive: true,
      connectionTimeoutMillis: 2_500,
      query_timeout: 2_500,
    });
    client.on('notification', ({ payload }) => invalidationsIn(payload).forEach(listener.heard));
    client.on('error', (error) => onError?.(error));
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    current = client;
    const beat = setInterval(() => void ask(client, 'select').catch(lose), BEAT_MS);
    beat.unref();
    client.once('end', lose);

    function lose(why?: unknown): void {
      clearInterval(beat);
      if (current !== client) return;
      current = undefined;
      if (why !== undefined) onError?.(why);
      void client.end().catch(() => undefined);
      void reconnect(listener);
    }
  }

  async function reconnect(listener: Listener): Promise<void> {
    let backoff = new ExponentialBackoff(BACKOFF).next();
    const lostAt = performance.now();
    while (!closing.signal.aborted) {
      // Until somebody listens again nothing is kept for long: nobody would void it.
      if (performance.now() - lostAt > GRACE_MS) listener.missed();
      try {
        await connect(listener);
        return listener.missed();
      } catch (error) {
        onError?.(error);
      }
      await sleep(backoff.duration, undefined, { signal: closing.signal }).catch(() => undefined);
      backoff = backoff.next(undefined);
    }
  }

  const publish = inBatches(async (batch) => {
    if (current === undefined) throw new Error('The invalidation bus is not connected.');
    await ask(current, 'select pg_notify($1, $2)', [CHANNEL, JSON.stringify(batch)]);
  });

  return {
    publish,
    listen: connect,
    close: async () => {
      closing.abort();
      const open = current;
      current = undefined;
      await open?.end();
    },
  };
}

/** What is published in one turn goes out as one notification, or as few as hold it: each takes a lock of the server. */
function inBatches(send: (batch: readonly Invalidation[]) => Promise<void>): InvalidationBus['publish'] {
  let batch: Invalidation[] = [];
  let size = 0;
  let sent: Promise<void> | undefined;
  return async (invalidation) => {
    const length = JSON.stringify(invalidation).length + 1;
    if (length > MOST_CHARACTERS) throw new Error('A cache key is too long for a notification.');
    if (sent === undefined || size + length > MOST_CHARACTERS) {
      const own: Invalidation[] = [];
      batch = own;
      size = 0;
      sent = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        if (batch === own) sent = undefined;
        return send(own);
      });
    }
    batch.push(invalidation);
    size += length;
    return sent;
  };
}

/** Somebody else's words on our channel name nothing that is kept. */
function invalidationsIn(payload: string | undefined): readonly Invalidation[] {
  try {
    const read: unknown = JSON.parse(payload ?? '');
    return Array.isArray(read) ? read.filter(isInvalidation) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function isInvalidation(value: unknown): value is Invalidation {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('markMs' in value)) return false;
  return typeof value.key === 'string' && typeof value.markMs === 'number';
}
