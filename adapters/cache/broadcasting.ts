import type { CacheStore } from '../../domain/cache.ts';
import type { InvalidationBus } from '../../domain/invalidation-bus.ts';

/**
 * Stores of several processes that void together. `make` opens this process's own; it is opened anew, empty, whenever
 * an invalidation may have gone unheard. An invalidation that cannot be handed over fails, and is owed by the caller.
 */
export async function broadcasting(make: () => CacheStore, bus: InvalidationBus): Promise<CacheStore> {
  let store = make();
  await bus.listen({
    // The in-process store has done it when this returns: nothing of it waits.
    heard: ({ key, markMs }) => void store.invalidate(key, markMs),
    missed: () => {
      // Tickets of the old store are void in the new one: it knows no generation of theirs.
      const old = store;
      store = make();
      void old.close();
    },
  });
  return {
    get: (key) => store.get(key),
    put: (key, entry, ticket) => store.put(key, entry, ticket),
    invalidate: async (key, markMs) => {
      await store.invalidate(key, markMs);
      await bus.publish({ key, markMs });
    },
    lease: (key, owner, leaseMs, seenAtMs) => store.lease(key, owner, leaseMs, seenAtMs),
    release: (key, owner) => store.release(key, owner),
    close: async () => {
      await bus.close();
      await store.close();
    },
  };
}
