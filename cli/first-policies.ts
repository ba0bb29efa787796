import { setTimeout as pause } from 'node:timers/promises';
import { createPolicyRegistry } from '../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../adapters/postgres/policy-runs.ts';
import { openPools, type Pools } from '../adapters/postgres/pools.ts';
import type { Config } from '../platform/config.ts';
import type { Supervisor } from './supervisor.ts';

const LOOK_MS = 100;
/** A large folder goes on being indexed behind a stack that is ready. */
const PATIENCE_MS = 90_000;

/**
 * Waits until policies are live, which the keeper of the policies sees to. That none are is no reason not to start: it
 * says so, and every question is refused as one that cannot be looked up.
 */
export async function firstPolicies(
  { database }: Pick<Config, 'database'>,
  supervisor: Pick<Supervisor, 'check'>,
  note: (text: string) => void,
): Promise<void> {
  const pools = await openPools({
    ...database,
    readPoolSize: 1,
    writePoolSize: 1,
    superuserLogin: 'allowed',
    applicationName: 'countersign start',
  });
  try {
    note(await waited(pools, supervisor, note));
  } finally {
    await pools.close();
  }
}

async function waited(
  pools: Pools,
  supervisor: Pick<Supervisor, 'check'>,
  note: (text: string) => void,
): Promise<string> {
  const [registry, runs] = [createPolicyRegistry(pools), createPolicyRuns(pools)];
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const live = (await registry.publications()).find(({ state }) => state === 'live');
    if (live !== undefined) return `${live.build}, ${live.embedder}`;
    const [last] = await runs.latest(1);
    if (last?.outcome?.status === 'failed')
      return `none are live (${last.outcome.detail[0] ?? ''}): npx countersign policy status`;
    if (last?.outcome?.status === 'unchanged') return 'there are none to publish';
    if (last !== undefined && last.progress !== '') note(last.progress);
    await pause(LOOK_MS);
    supervisor.check();
  }
  return 'still being indexed: npx countersign policy status';
}
