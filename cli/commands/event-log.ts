import { InvalidArgumentError } from 'commander';
import { createEventLog } from '../../adapters/postgres/event-log.ts';
import type { Pools } from '../../adapters/postgres/pools.ts';
import type { EventLog } from '../../domain/events.ts';
import { withDatabase } from '../database.ts';

/** Works on the log of the configured database, or of the stack that runs here. */
export async function withLog<T>(work: (log: EventLog, pools: Pools) => Promise<T>): Promise<T> {
  return withDatabase('events', (pools) => work(createEventLog(pools), pools));
}

export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('A whole number is needed.');
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}
