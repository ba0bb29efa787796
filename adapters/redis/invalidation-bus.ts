import { Redis } from 'ioredis';
import type { InvalidationBus } from '../../domain/invalidation-bus.ts';
import { type Line, lineBus } from '../cache/invalidation-bus.ts';

const ANSWER_MS = 2_500;

export type RedisBusOptions = {
  readonly url: string;
  /** `invalidationChannel` of the deployment. */
  readonly channel: string;
  readonly onError?: (error: unknown) => void;
};

/** Of one deployment: a Redis keeps the keys of its databases apart, but not their channels. */
export function invalidationChannel(prefix: string): string {
  return `${prefix}:invalidations`;
}

/** Invalidations over pub/sub of Redis 6 or later, on one connection of its own. */
export function redisInvalidationBus({ url, channel, onError }: RedisBusOptions): InvalidationBus {
  const told = onError ?? (() => undefined);
  return lineBus({ open: (heard) => openLine(url, channel, heard, told), onError: told });
}

async function openLine(
  url: string,
  channel: string,
  heard: (message: string) => void,
  onError: (error: unknown) => void,
): Promise<Line> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: 'countersign-invalidations',
    // With it, a connection that listens can speak, too: both ends of the line break together.
    protocol: 3,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    socketTimeout: ANSWER_MS,
    keepAlive: 10_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Who subscribes again must know that it may have missed something.
    autoResubscribe: false,
    retryStrategy: () => null,
  });
  redis.on('message', (_channel: string, message: string) => heard(message));
  redis.on('error', onError);
  const ended = new Promise<void>((resolve) => void redis.once('end', resolve));
  try {
    await redis.connect();
    await redis.subscribe(channel);
    if (redis.mode === 'subscriber') throw new Error('The invalidation bus needs Redis 6 or later (RESP3).');
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return {
    send: async (message) => {
      // This one listens there itself: reaching nobody, it stands beside those that matter.
      if ((await redis.publish(channel, message)) > 0) return;
      redis.disconnect();
      throw new Error('Redis has passed an invalidation on to nobody.');
    },
    probe: async () => void (await redis.ping()),
    ended,
    close: async () => redis.disconnect(),
  };
}
