import type { CacheStore } from '../domain/cache.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import type { Supervisor } from './supervisor.ts';

export type Parts = {
  readonly config: Config;
  readonly log: Logger;
  readonly supervisor: Supervisor;
  readonly note: (text: string) => void;
};

/** Gateway and worker in this process. Stopped newest first: the gateway drains while the worker still works. */
export async function startParts(parts: Parts): Promise<void> {
  // Without Redis, what the worker voids after an effect must be void for the gateway's own reads, too.
  const shared = parts.config.redisUrl === undefined ? { sharedStore: await openSharedStore(parts) } : {};
  // The gateway hosts a worker for reads: a second one in its process would only cost memory and wake-ups.
  await startWorkerPart(parts, { ...shared, withoutReads: true });
  await startGatewayPart(parts, shared);
}

/** Closed last: those who use it stop before it. */
async function openSharedStore({ config, log, supervisor }: Parts): Promise<CacheStore> {
  const { openCacheStore } = await import('../workers/cache-store.ts');
  const store = await openCacheStore(config, log);
  await supervisor.onStop('the cache', () => store.close());
  return store;
}

type Shared = { readonly sharedStore?: CacheStore };
type Fleet = Shared & { readonly withoutReads?: boolean };

/** Their modules are loaded late: `countersign reset` must not wait for them. */
export async function startWorkerPart(
  { config, log, supervisor, note }: Parts,
  fleet: Fleet = {},
): Promise<void> {
  note('starting the worker');
  const { startWorker } = await import('../workers/main.ts');
  const worker = await startWorker(config, log, fleet);
  await supervisor.onStop('the worker', () => worker.stop());
}

export async function startGatewayPart(
  { config, log, supervisor, note }: Parts,
  shared: Shared = {},
): Promise<void> {
  note('starting the gateway');
  const { startGateway } = await import('../mcp-gateway/main.ts');
  const gateway = await startGateway(config, log, shared);
  await supervisor.onStop('the gateway', () => gateway.stop());
}
