import type { CacheFacts, Loaded } from '../domain/cache.ts';
import type { Clock } from '../domain/clock.ts';

type Facts = { source: 'aurora_live'; as_of: string; cache: { hit: boolean; age_s: number; ttl_s: number } };

const UNCACHED: CacheFacts = { hit: false, age_s: 0, ttl_s: 0 };

/** Where an answer comes from, as every result of live data says it. */
export function factsOf({ asOf, cache }: Pick<Loaded<unknown>, 'asOf' | 'cache'>): Facts {
  return { source: 'aurora_live', as_of: asOf, cache: { ...cache } };
}

/** The same for what is never cached. `realTime`, not the business clock: it is when the database was read. */
export function uncachedFacts(realTime: Clock): Facts {
  return factsOf({ asOf: realTime.now().toISOString(), cache: UNCACHED });
}
