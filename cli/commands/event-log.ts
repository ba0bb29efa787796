import { InvalidArgumentError } from 'commander';
import { createEventLog } from '../../adapters/postgres/event-log.ts';
import { openPools, type Pools } from '../../adapters/postgres/pools.ts';
import type { EventLog } from '../../domain/events.ts';
import { loadCommandSettings } from '../../platform/state.ts';

/** Works on the log of the configured database, or of the stack that runs here. */
export async function withLog<T>(work: (log: EventLog, pools: Pools) => Promise<T>): Promise<T> {
  const { database, profile } = loadCommandSettings(process.env);
  if (database.writeUrl === undefined) {
    throw new Error('There is no database to read: start the stack (npm start), or set DATABASE_URL.');
  }
  const pools = await openPools({
    writeUrl: database.writeUrl,
    ...(database.systemUrl === undefined ? {} : { systemUrl: database.systemUrl }),
    readPoolSize: 1,
    writePoolSize: 1,
    superuserLogin: profile === 'development' ? 'allowed' : 'refused',
    applicationName: 'countersign events',
  });
  try {
    return await work(createEventLog(pools), pools);
  } finally {
    await pools.close();
  }
}

export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('A whole number is needed.');
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** Parts of it come from outside: none may move the cursor. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
}
