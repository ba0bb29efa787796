import type pg from 'pg';
import { Refusal } from '../../domain/refusal.ts';
import { inTenant, isUnavailable, type Sql } from './pools.ts';

/** What breaks with a connection and works on the next one. */
const BROKEN_CONNECTION =
  /^(Connection terminated|Client has encountered a connection error|read ECONN|write E)/;

/**
 * One read of one shop. A connection that broke under it is replaced once, since reading twice harms nobody.
 *
 * @throws {Refusal} unavailable: the database cannot be reached or does not answer in time
 */
export async function readInTenant<T>(
  pool: pg.Pool,
  tenant: string,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  try {
    return await inTenant(pool, tenant, work).catch((error: unknown) => {
      if (error instanceof Error && BROKEN_CONNECTION.test(error.message))
        return inTenant(pool, tenant, work);
      throw error;
    });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new Refusal(
      'unavailable',
      'The database cannot be reached, so nothing was read. Try again shortly. Do not infer.',
    );
  }
}
