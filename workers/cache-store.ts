import { broadcasting } from '../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../adapters/cache/in-process.ts';
import { postgresInvalidationBus } from '../adapters/postgres/invalidation-bus.ts';
import { invalidationChannel, redisInvalidationBus } from '../adapters/redis/invalidation-bus.ts';
import { openRedisCache } from '../adapters/redis/redis-cache.ts';
import type { CacheStore } from '../domain/cache.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';

type CacheSettings = Pick<Config, 'redisUrl' | 'invalidationRedisUrl'> & {
  readonly temporal: Pick<Config['temporal'], 'queuePrefix'>;
  readonly database: Pick<Config['database'], 'writeUrl'>;
};

/**
 * Redis, which all processes share; without one, a store of this process that hears what the others void: over a Redis
 * that is there for this alone, or over Postgres. Every invalidation that a Redis sees is on its channel, for others.
 */
export function openCacheStore(config: CacheSettings, log: Logger): Promise<CacheStore> {
  const { redisUrl: url, temporal } = config;
  const channel = invalidationChannel(temporal.queuePrefix);
  if (url !== undefined)
    return openRedisCache({ url, channel, onError: (error) => log.debug({ err: error }, 'redis') });
  return broadcasting(() => createInProcessCache(), busOf(config, channel, log));
}

function busOf({ invalidationRedisUrl: url, database }: CacheSettings, channel: string, log: Logger) {
  const onError = (error: unknown) => log.debug({ err: error }, 'the invalidation bus');
  return url === undefined
    ? postgresInvalidationBus({ url: database.writeUrl, onError })
    : redisInvalidationBus({ url, channel, onError });
}
