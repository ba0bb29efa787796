import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { z } from 'zod';
import { migrationFiles } from '../migrate.ts';
import { ROLE_OF } from '../roles.ts';
import { listTables, type Table } from './catalog.ts';

export const MANIFEST = 'manifest.json';

export const manifestSchema = z.object({
  format: z.literal(1),
  taken_at: z.iso.datetime(),
  /** Name → SHA-256: a backup goes back into exactly the schema it was taken from. */
  migrations: z.record(z.string(), z.string()),
  tables: z.array(
    z.object({
      table: z.string(),
      columns: z.array(z.string()),
      rows: z.int().nonnegative(),
      sha256: z.string(),
    }),
  ),
});
export type Manifest = z.output<typeof manifestSchema>;

/**
 * Writes every table to `folder`, from one snapshot, with a manifest written last: a folder without one is
 * no backup. Works as countersign_system, whose policies show every row.
 *
 * Files are readable by their owner only: they hold personal data.
 *
 * @throws {Error} the folder holds something, or a table hides rows from the role. What was written stays.
 */
export async function backup(systemUrl: string, folder: string): Promise<Manifest> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new Error(`${folder} is not empty; a backup needs a new folder.`);
  const client = new Client({ connectionString: systemUrl, application_name: 'countersign backup' });
  await client.connect();
  try {
    await client.query(`set role ${ROLE_OF.system}`);
    await client.query('begin isolation level repeatable read read only');
    const tables = await listTables(client);
    const hidden = tables.filter(({ readable }) => !readable).map(({ name }) => name);
    if (hidden.length > 0) throw new Error(`countersign_system cannot read all of: ${hidden.join(', ')}.`);
    const saved = [];
    for (const table of tables) saved.push(await save(client, table, folder));
    const manifest: Manifest = {
      format: 1,
      taken_at: new Date().toISOString(),
      migrations: Object.fromEntries(await migrationFiles()),
      tables: saved,
    };
    await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    return manifest;
  } finally {
    await client.end();
  }
}

async function save(client: Client, table: Table, folder: string): Promise<Manifest['tables'][number]> {
  const order = table.primaryKey.length > 0 ? ` order by ${table.primaryKey.join(', ')}` : '';
  const source = client.query(
    copyTo(`copy (select ${table.columns.join(', ')} from ${table.name}${order}) to stdout`),
  );
  const hash = createHash('sha256');
  const tap = new PassThrough();
  tap.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(
    source,
    tap,
    createWriteStream(join(folder, fileOf(table.name)), { mode: 0o600, flags: 'wx' }),
  );
  return {
    table: table.name,
    columns: [...table.columns],
    rows: source.rowCount,
    sha256: hash.digest('hex'),
  };
}

/** A table's file in the folder of a backup. */
export function fileOf(table: string): string {
  return `${table.replaceAll('"', '')}.copy`;
}
