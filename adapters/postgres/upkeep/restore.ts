import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { migrationFiles } from '../migrate.ts';
import { OWNER } from '../roles.ts';
import { fileOf, MANIFEST, manifestSchema, type Manifest } from './backup.ts';
import { listTables, type Table } from './catalog.ts';

/**
 * Fills an empty, migrated database from a backup, in one transaction: all of it or nothing.
 *
 * Works as the owner. COPY refuses to load under row-level security, so within the transaction the owner
 * lifts the force from its tables and puts it back; nobody else can enter them meanwhile.
 *
 * @throws {Error} no backup, a damaged one, one of another schema, or a database that holds something.
 */
export async function restore(migrationUrl: string, folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const client = new Client({ connectionString: migrationUrl, application_name: 'countersign restore' });
  await client.connect();
  try {
    await client.query(`set role ${OWNER}`);
    await client.query('begin');
    const tables = await listTables(client);
    assertSameTables(tables, manifest);
    for (const table of tables) await liftForce(client, table);
    await assertEmpty(client, tables);
    const head = await takePlaces(client);
    for (const table of tables) await load(client, table, manifest, folder);
    await client.query('update event_head set position = greatest(position, $1)', [head]);
    for (const table of tables) await putForceBack(client, table);
    await client.query('commit');
    return manifest;
  } finally {
    await client.end(); // an open transaction ends with it, undone
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((cause: unknown) => {
    throw new Error(`${folder} is not a backup: it has no readable ${MANIFEST}.`, { cause });
  });
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`${MANIFEST} in ${folder} is not one that this version wrote.`);
  const now = await migrationFiles();
  const then = parsed.data.migrations;
  const same = now.size === Object.keys(then).length && [...now].every(([name, sum]) => then[name] === sum);
  if (!same) throw new Error('The backup is of another schema: restore it with the version that took it.');
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema says what is wrong
  }
}

function assertSameTables(tables: readonly Table[], manifest: Manifest): void {
  const here = tables.map(({ name, columns }) => `${name} ${columns.join()}`).sort();
  const there = manifest.tables.map(({ table, columns }) => `${table} ${columns.join()}`).sort();
  if (here.length === 0) throw new Error('The database has no schema yet: run countersign db migrate first.');
  if (here.join('\n') !== there.join('\n')) throw new Error('The tables differ from the backup’s.');
}

/** Also takes the lock that keeps everybody else out until the end. */
async function liftForce(client: Client, { name }: Table): Promise<void> {
  await client.query(`alter table ${name} no force row level security`);
  // What triggers would add is in the backup already.
  await client.query(`alter table ${name} disable trigger user`);
}

async function putForceBack(client: Client, { name, isolated }: Table): Promise<void> {
  await client.query(`alter table ${name} enable trigger user`);
  if (isolated) await client.query(`alter table ${name} force row level security`);
}

/** Where the event log and its readers stand: there before any data, and never moved back. */
const PLACES: ReadonlySet<string> = new Set(['event_head', 'event_cursors']);

/** Makes room for the backup's places; answers with the last position that was given here. */
async function takePlaces(client: Client): Promise<string> {
  await client.query('delete from event_cursors');
  const { rows } = await client.query<{ position: string }>('delete from event_head returning position');
  return rows[0]?.position ?? '0';
}

async function assertEmpty(client: Client, tables: readonly Table[]): Promise<void> {
  const filled: string[] = [];
  for (const { name } of tables) {
    if (PLACES.has(name)) continue;
    const { rowCount } = await client.query(`select from ${name} limit 1`);
    if (rowCount !== 0) filled.push(name);
  }
  if (filled.length > 0)
    throw new Error(`The database is not empty (${filled.join(', ')}); nothing was restored.`);
}

async function load(client: Client, table: Table, manifest: Manifest, folder: string): Promise<void> {
  const saved = manifest.tables.find((entry) => entry.table === table.name);
  if (saved === undefined) throw new Error(`The backup has no ${table.name}.`);
  const hash = createHash('sha256');
  const target = client.query(copyFrom(`copy ${table.name} (${table.columns.join(', ')}) from stdin`));
  const file = createReadStream(join(folder, fileOf(table.name)));
  file.on('data', (chunk) => hash.update(chunk));
  await pipeline(file, target);
  if (target.rowCount !== saved.rows || hash.digest('hex') !== saved.sha256) {
    throw new Error(`${fileOf(table.name)} is damaged: it is not what the manifest says.`);
  }
  for (const column of table.identity) {
    await client.query(
      `select setval(pg_get_serial_sequence('${table.name}', '${column.replaceAll('"', '')}'),
                     greatest((select max(${column}) from ${table.name}), 1),
                     exists (select from ${table.name}))`,
    );
  }
}
