import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import { openPools, type Pools } from '../../adapters/postgres/pools.ts';
import type { PolicyRegistry, PolicyRuns } from '../../domain/policy-registry.ts';
import type { Settings } from '../../platform/config.ts';
import { loadCommandSettings } from '../../platform/state.ts';

/** The policies of the configured database, or of the stack that runs here. */
export type PolicyDesk = {
  readonly settings: Settings;
  readonly pools: Pools;
  readonly registry: PolicyRegistry;
  readonly runs: PolicyRuns;
};

export async function withPolicyDesk<T>(work: (desk: PolicyDesk) => Promise<T>): Promise<T> {
  const settings = loadCommandSettings(process.env);
  const { database, profile } = settings;
  if (database.writeUrl === undefined) {
    throw new Error('There is no database: start the stack (npm start), or set DATABASE_URL.');
  }
  const pools = await openPools({
    writeUrl: database.writeUrl,
    ...(database.systemUrl === undefined ? {} : { systemUrl: database.systemUrl }),
    readPoolSize: 1,
    writePoolSize: 1,
    superuserLogin: profile === 'development' ? 'allowed' : 'refused',
    applicationName: 'countersign policy',
  });
  try {
    return await work({
      settings,
      pools,
      registry: createPolicyRegistry(pools),
      runs: createPolicyRuns(pools),
    });
  } finally {
    await pools.close();
  }
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

/** Titles and names of files were written by others: none may move the cursor. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
}

export function plural(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}
