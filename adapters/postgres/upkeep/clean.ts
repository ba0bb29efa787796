import { Client } from 'pg';
import { OWNER } from '../roles.ts';
import { listTables } from './catalog.ts';

/** The record of what was done outlives the data it was done to; and streams elsewhere have seen our positions. */
const STAYS = /^(audit_|event_head$|event_cursors$)/;

/**
 * Empties every table except the audit record and the places of the event log; the schema stays. Works as the owner, at once for all shops.
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
    const names = (await listTables(client)).map(({ name }) => name).filter((name) => !STAYS.test(name));
    if (names.length === 0) return names;
    await client.query('begin');
    // Append only holds for everybody who uses the data, not for who takes all of it away.
    for (const name of names) await client.query(`alter table ${name} disable trigger user`);
    await client.query(`truncate ${names.join(', ')} restart identity`);
    for (const name of names) await client.query(`alter table ${name} enable trigger user`);
    await client.query('commit');
    return names;
  } finally {
    await client.end();
  }
}
