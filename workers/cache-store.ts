import { broadcasting } from '../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../adapters/cache/in-process.ts';
import { postgresInvalidationBus } from '../adapters/postgres/invalidation-bus.ts';
import { openRedisCache } from '../adapters/redis/redis-cache.ts';
import type { CacheStore } from '../domain/cache.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';

/** Redis, which all processes share; without one, a store of this process that hears what the others void. */
export function openCacheStore({ redisUrl, database }: Config, log: Logger): Promise<CacheStore> {
  if (redisUrl !== undefined)
    return openRedisCache({ url: redisUrl, onError: (error) => log.debug({ err: error }, 'redis') });
  const bus = postgresInvalidationBus({
    url: database.writeUrl,
    onError: (error) => log.debug({ err: error }, 'the invalidation bus'),
  });
  return broadcasting(() => createInProcessCache(), bus);
}
