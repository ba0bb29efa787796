import { setTimeout as sleep } from 'node:timers/promises';
import { ExponentialBackoff } from 'cockatiel';
import type { Invalidation, InvalidationBus } from '../../domain/invalidation-bus.ts';

const BACKOFF = { initialDelay: 100, maxDelay: 5_000 };
/** How soon a line that hangs is noticed. */
const BEAT_MS = 5_000;
/**
 * How long entries outlive the line. With the server of the bus away a cached answer may be the only one there is, and
 * nobody commits what would void it; cut off from a server that others still reach, it is no older than stock may be.
 */
const GRACE_MS = 10_000;
/** A notification of Postgres holds 8,000 bytes; a key is ASCII. */
const MOST_CHARACTERS = 7_500;

/** Whoever can speak on the channel cannot keep a key's loads on the primary for longer. */
const LONGEST_MARK_MS = 3_600_000;

type Listener = Parameters<InvalidationBus['listen']>[0];

/** One connection that both speaks and hears. It is never repaired: what breaks is opened anew. */
export type Line = {
  /** Handed over when it resolves. */
  send(message: string): Promise<void>;
  /** Rejects, within seconds, when nothing comes back. */
  probe(): Promise<void>;
  /** Resolves once the connection has ended, by whatever end. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
};

export type LineBusOptions = {
  /** Opens a line that hears when it resolves; gives up within seconds. */
  readonly open: (heard: (message: string) => void) => Promise<Line>;
  readonly onError?: (error: unknown) => void;
};

/**
 * Invalidations over a line to a server that passes messages on. While there is none nothing is heard and nothing can
 * be handed over, so it is opened again for ever, and the listener is told that it may have missed some: whenever it
 * listens again, and when that takes long. The same holds when there is no server at the start.
 */
export function lineBus({ open, onError }: LineBusOptions): InvalidationBus {
  const closing = new AbortController();
  let current: Line | undefined;

  async function attend(listener: Listener, hasTried: () => void): Promise<void> {
    let backoff = new ExponentialBackoff(BACKOFF).next();
    let lostAt = Number.NEGATIVE_INFINITY;
    while (!closing.signal.aborted) {
      // Until somebody listens nothing is kept for long: nobody would void it.
      if (performance.now() - lostAt > GRACE_MS) listener.missed();
      const line = await opened(listener);
      if (line === undefined) {
        hasTried();
        await sleep(backoff.duration, undefined, { signal: closing.signal }).catch(() => undefined);
        backoff = backoff.next(undefined);
        continue;
      }
      listener.missed();
      current = line;
      hasTried();
      await whileItAnswers(line);
      current = undefined;
      lostAt = performance.now();
      backoff = new ExponentialBackoff(BACKOFF).next();
    }
  }

  async function opened({ heard }: Listener): Promise<Line | undefined> {
    try {
      const line = await open((message) => invalidationsIn(message).forEach(heard));
      if (!closing.signal.aborted) return line;
      await line.close();
    } catch (error) {
      onError?.(error);
    }
    return undefined;
  }

  /** A line that hangs may not even end when it is told to: nothing waits for that. */
  async function whileItAnswers(line: Line): Promise<void> {
    let beat: NodeJS.Timeout | undefined;
    const silent = new Promise<unknown>((resolve) => {
      beat = setInterval(() => void line.probe().catch(resolve), BEAT_MS).unref();
    });
    const why = await Promise.race([line.ended, silent]);
    clearInterval(beat);
    if (why === undefined) return;
    onError?.(why);
    line.close().catch((error: unknown) => onError?.(error));
  }

  return {
    publish: inBatches(async (batch) => {
      if (current === undefined) throw new Error('The invalidation bus is not connected.');
      await current.send(invalidationMessage(batch));
    }),
    listen: (listener) => new Promise((resolve) => void attend(listener, resolve)),
    close: async () => {
      closing.abort();
      await current?.close();
      current = undefined;
    },
  };
}

/** What is published in one turn goes out as one message, or as few as hold it: each is work for the server. */
function inBatches(send: (batch: readonly Invalidation[]) => Promise<void>): InvalidationBus['publish'] {
  let batch: Invalidation[] = [];
  let size = 0;
  let sent: Promise<void> | undefined;
  return async (invalidation) => {
    const length = JSON.stringify(invalidation).length + 1;
    if (length > MOST_CHARACTERS) throw new Error('A cache key is too long for an invalidation.');
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

/** What others read, too: `[{"key": "manga:price:BER42", "markMs": 60000}]`. */
export function invalidationMessage(batch: readonly Invalidation[]): string {
  return JSON.stringify(batch);
}

/** Somebody else's words on our channel name nothing that is kept, and are not read when they are many. */
function invalidationsIn(message: string): readonly Invalidation[] {
  if (message.length > MOST_CHARACTERS + '[]'.length) return [];
  try {
    const read: unknown = JSON.parse(message);
    const named = Array.isArray(read) ? read.filter(isInvalidation) : [];
    return named.map(({ key, markMs }) => ({ key, markMs: Math.min(markMs, LONGEST_MARK_MS) }));
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function isInvalidation(value: unknown): value is Invalidation {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('markMs' in value)) return false;
  return typeof value.key === 'string' && Number.isFinite(value.markMs);
}
