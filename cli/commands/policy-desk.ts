import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import type { Pools } from '../../adapters/postgres/pools.ts';
import type { PolicyRegistry, PolicyRuns } from '../../domain/policy-registry.ts';
import type { Settings } from '../../platform/config.ts';
import { withDatabase } from '../database.ts';
import { printable } from '../printable.ts';

/** The policies of the configured database, or of the stack that runs here. */
export type PolicyDesk = {
  readonly settings: Settings;
  readonly pools: Pools;
  readonly registry: PolicyRegistry;
  readonly runs: PolicyRuns;
};

export async function withPolicyDesk<T>(work: (desk: PolicyDesk) => Promise<T>): Promise<T> {
  return withDatabase('policy', (pools, settings) =>
    work({ settings, pools, registry: createPolicyRegistry(pools), runs: createPolicyRuns(pools) }),
  );
}

/** @throws {Error} for a shop that does not exist. */
export async function shopsOf(
  { registry }: PolicyDesk,
  shop: string | undefined,
): Promise<readonly string[]> {
  const all = await registry.shops();
  if (shop === undefined) return all;
  if (!all.includes(shop)) throw new Error(`There is no shop ${printable(shop)}.`);
  return [shop];
}

/** Milliseconds, by the clock that decides which version holds. */
export function businessNowMs({ settings }: PolicyDesk): number {
  return Date.now() + settings.clockOffsetMs;
}

export function plural(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}
