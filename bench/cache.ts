import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { createCache } from '../activities/cached-read.ts';
import { createInProcessCache } from '../adapters/cache/in-process.ts';
import { openRedisCache } from '../adapters/redis/redis-cache.ts';
import { cacheKey } from '../domain/cache-policy.ts';
import type { Cache, CacheKey, CacheStore } from '../domain/cache.ts';
import { beside, quantile, type Row } from './report.ts';

const CALLERS = 10_000;
const CALLS = 5000;
const VALUE = { quantity: 14, warehouse: 'TKY-1' };

/**
 * How often a hot key is loaded when it has expired under 10,000 callers, and what a hit costs beside the bare
 * store it is read from, calls alternating. Without a Redis its rows are left out.
 */
export async function benchHotKey(
  log: (line: string) => void = () => undefined,
  redisUrl = process.env['TEST_REDIS_URL'],
): Promise<readonly Row[]> {
  log('the in-process store');
  const rows = [...(await overStore('in process', createInProcessCache(), plainMap()))];
  if (redisUrl === undefined) return rows;
  log('Redis');
  const bare = new Redis(redisUrl);
  try {
    return [...rows, ...(await overStore('Redis', await openRedisCache({ url: redisUrl }), bareGet(bare)))];
  } finally {
    bare.disconnect();
  }
}

type Floor = { readonly name: string; readonly hit: (id: string) => Promise<unknown> };

function plainMap(): Floor {
  const map = new Map<string, string>();
  return { name: 'Map', hit: async (id) => map.get(id) ?? map.set(id, JSON.stringify(VALUE)) };
}

function bareGet(redis: Redis): Floor {
  return { name: 'GET', hit: (id) => redis.get(id) };
}

async function overStore(name: string, store: CacheStore, floor: Floor): Promise<readonly Row[]> {
  const [one, other] = [createCache({ store }), createCache({ store })];
  try {
    return [
      await loads(`hot key, ${name}: loads for 10,000 callers`, [one]),
      await loads(`hot key, ${name}: loads for 10,000 callers of two engines`, [one, other]),
      await hits(`cached hit, ${name}: median`, one, floor),
    ];
  } finally {
    await store.close();
  }
}

/** A key that was filled and has expired, then read by all callers at once. */
async function loads(name: string, engines: readonly Cache[]): Promise<Row> {
  const key = freshKey();
  let count = 0;
  const load = async () => {
    count += 1;
    // As long as a query takes.
    await new Promise((resolve) => setTimeout(resolve, 5));
    return VALUE;
  };
  await Promise.all(engines.map((engine) => engine.read(key, load, { maxAgeSeconds: () => 0.05 })));
  await new Promise((resolve) => setTimeout(resolve, 60));
  count = 0;
  const start = performance.now();
  const reads = Array.from({ length: CALLERS / engines.length }, () =>
    engines.map((engine) => engine.read(key, load)),
  );
  await Promise.all(reads.flat());
  const note = `all answered in ${(performance.now() - start).toFixed(0)} ms`;
  return { name, value: count, unit: 'loads', atMost: 2, note };
}

async function hits(name: string, engine: Cache, floor: Floor): Promise<Row> {
  const key = freshKey();
  const id = cacheKey(key);
  const samples = { ours: new Array<number>(), floor: new Array<number>() };
  for (let i = 0; i < CALLS; i += 1) {
    samples.floor.push(await timed(() => floor.hit(id)));
    samples.ours.push(await timed(() => engine.read(key, async () => VALUE)));
  }
  const median = (values: readonly number[]) => quantile(values, 0.5);
  const note = `p99 ${quantile(samples.ours, 0.99).toFixed(0)} µs`;
  const figures = { value: median(samples.ours), floor: median(samples.floor), floorName: floor.name };
  return beside({ name, unit: 'µs', note, ...figures });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}

function freshKey(): CacheKey {
  return { tenant: `bench-${randomUUID()}`, kind: 'price', parts: ['BER42', 42] };
}
