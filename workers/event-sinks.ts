import { createRedisStream } from '../adapters/redis/event-stream.ts';
import type { EventSink } from '../domain/events.ts';
import type { EventStream } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';

/** The streams that events go to besides the log in Postgres. */
export async function openEventSinks(stream: EventStream, log: Logger): Promise<readonly EventSink[]> {
  if (stream.kind === 'postgres') return [];
  if (stream.kind === 'redis')
    return [createRedisStream({ ...stream, onError: (error) => log.debug({ err: error }, 'event stream') })];
  // Loaded where it is wanted: the SDK is most of what a worker would load.
  const { createKinesisStream } = await import('../adapters/kinesis/event-stream.ts');
  const { endpoint, ...rest } = stream;
  return [createKinesisStream({ ...rest, ...(endpoint === undefined ? {} : { endpoint }) })];
}
