import type pg from 'pg';
import { Refusal } from '../../domain/refusal.ts';
import { inTenant, isUnavailable, type Sql } from './pools.ts';
import { codeOf } from './roles.ts';

/**
 * A connection that broke, as opposed to a server that cannot be reached or takes too long: the next connection may
 * well work, and trying it costs no second wait.
 */
const BROKEN_CODES: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '08003',
  '08006',
  'ECONNRESET',
  'EPIPE',
]);
const BROKEN_TEXT =
  /^(Connection terminated unexpectedly|Client (has encountered a connection error|was closed))/;

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
      if (hasBroken(error)) return inTenant(pool, tenant, work);
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

function hasBroken(error: unknown): boolean {
  return error instanceof Error && (BROKEN_CODES.has(codeOf(error) ?? '') || BROKEN_TEXT.test(error.message));
}
