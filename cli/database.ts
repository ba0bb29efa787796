import { openPools, type Pools } from '../adapters/postgres/pools.ts';
import type { Settings } from '../platform/config.ts';
import { loadCommandSettings } from '../platform/state.ts';

/**
 * Works on the configured database, or that of the stack that runs here, by one connection of each kind.
 *
 * @param command as the server shows it
 * @throws {Error} when there is none
 */
export async function withDatabase<T>(
  command: string,
  work: (pools: Pools, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = loadCommandSettings(process.env);
  const { writeUrl, readUrl, systemUrl } = settings.database;
  if (writeUrl === undefined) {
    throw new Error('There is no database: start the stack (npm start), or set DATABASE_URL.');
  }
  const pools = await openPools({
    writeUrl,
    ...(readUrl === undefined ? {} : { readUrl }),
    ...(systemUrl === undefined ? {} : { systemUrl }),
    readPoolSize: 1,
    writePoolSize: 1,
    superuserLogin: settings.profile === 'development' ? 'allowed' : 'refused',
    applicationName: `countersign ${command}`,
  });
  try {
    return await work(pools, settings);
  } finally {
    await pools.close();
  }
}
