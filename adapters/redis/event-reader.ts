import { Redis } from 'ioredis';
import { z } from 'zod';
import type { JsonObject } from '../../domain/json.ts';

export type RedisReaderOptions = {
  readonly url: string;
  readonly stream: string;
  /** Each group gets every event; within one, each event goes to one consumer. */
  readonly group: string;
  /** This one, among those of its group. */
  readonly consumer: string;
  /** An event that another consumer has held for so long without an acknowledgement is taken over. Default 60000. */
  readonly abandonedMs?: number;
};

/** One event of the stream, to be acknowledged by its id once it is dealt with. */
export type StreamEntry = { readonly id: string; readonly event: JsonObject };

export type RedisReader = {
  /** At most `count`: what this consumer took before and did not acknowledge comes first. Waits for new ones. */
  read(count: number, waitMs: number): Promise<readonly StreamEntry[]>;
  acknowledge(entries: readonly StreamEntry[]): Promise<void>;
  close(): Promise<void>;
};

const ENTRIES = z.array(z.tuple([z.string(), z.array(z.string()).nullable()]));
const READ = z
  .array(z.tuple([z.string(), ENTRIES]))
  .nullable()
  .transform((streams) => streams?.[0]?.[1] ?? []);
const CLAIMED = z.tuple([z.string(), ENTRIES]).rest(z.unknown());
// What this product wrote: an object, by `eventToWire`.
const EVENT = z.record(z.string(), z.json());

/** A consumer in a consumer group, from the oldest event that the stream has. Its place is kept in Redis. */
export async function openRedisReader(options: RedisReaderOptions): Promise<RedisReader> {
  const { url, stream, group, consumer, abandonedMs = 60_000 } = options;
  const redis = new Redis(url, { connectionName: `countersign-events ${group}` });
  await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM').catch((error: unknown) => {
    if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
  });
  const taken = async (count: number) =>
    entriesOf(
      READ.parse(await redis.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '0')),
    );
  const untaken = async (count: number, waitMs: number) =>
    entriesOf(
      READ.parse(
        await redis.xreadgroup(
          'GROUP',
          group,
          consumer,
          'COUNT',
          count,
          'BLOCK',
          Math.max(waitMs, 1),
          'STREAMS',
          stream,
          '>',
        ),
      ),
    );
  return {
    read: async (count, waitMs) => {
      const own = await taken(count);
      if (own.length > 0) return own;
      const [, claimed] = CLAIMED.parse(
        await redis.xautoclaim(stream, group, consumer, abandonedMs, '0', 'COUNT', count),
      );
      if (claimed.length > 0) return entriesOf(claimed);
      return untaken(count, waitMs);
    },
    acknowledge: async (entries) => {
      if (entries.length > 0) await redis.xack(stream, group, ...entries.map(({ id }) => id));
    },
    close: async () => redis.disconnect(),
  };
}

/** Entries that were trimmed while they were pending have no fields. */
function entriesOf(raw: z.output<typeof ENTRIES>): readonly StreamEntry[] {
  return raw.flatMap(([id, fields]) => {
    const text = fields?.[fields.indexOf('event') + 1];
    return text === undefined ? [] : [{ id, event: EVENT.parse(JSON.parse(text)) }];
  });
}
