import { Client } from 'pg';
import { OWNER } from '../roles.ts';
import { listTables } from './catalog.ts';

/** The record of what was done outlives the data it was done to. */
const RECORD = /^audit/;

/**
 * Empties every table except the audit record; the schema stays. Works as the owner, at once for all shops.
 * Answers with the tables that were emptied.
 *
 * @throws {Error} from Postgres; nothing was removed then.
 */
export async function cleanData(migrationUrl: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: migrationUrl, application_name: 'countersign clean' });
  await client.connect();
  try {
    await client.query(`set role ${OWNER}`);
    await client.query(`set lock_timeout = '10s'`);
    const names = (await listTables(client)).map(({ name }) => name).filter((name) => !RECORD.test(name));
    if (names.length > 0) await client.query(`truncate ${names.join(', ')} restart identity`);
    return names;
  } finally {
    await client.end();
  }
}
