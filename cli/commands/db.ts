import type { Command } from 'commander';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { openPools, type Pools } from '../../adapters/postgres/pools.ts';
import { seed } from '../../adapters/postgres/seed/seed.ts';
import { backup } from '../../adapters/postgres/upkeep/backup.ts';
import { checkData } from '../../adapters/postgres/upkeep/check.ts';
import { cleanData } from '../../adapters/postgres/upkeep/clean.ts';
import { restore } from '../../adapters/postgres/upkeep/restore.ts';
import type { Settings } from '../../platform/config.ts';
import { loadCommandSettings } from '../../platform/state.ts';

type Options = { readonly json?: true; readonly yes?: true };

export function register(program: Command): void {
  const db = program.command('db').description('The database: schema, mock data, checks, backups.');
  const add = (name: string, description: string) =>
    db.command(name).description(description).option('--json', 'print the result as JSON');

  add('migrate', 'bring the schema up to date').action(runMigrate);
  add('seed', 'lay out the mock shops that are not there yet').action(runSeed);
  add('clean', 'empty every table except the audit record')
    .option('--yes', 'needed in production')
    .action(runClean);
  add('check', 'look for rows that break the rules of the data').action(runCheck);
  add('backup <folder>', 'write every table to a new folder').action(runBackup);
  add('restore <folder>', 'fill an empty, migrated database from a backup').action(runRestore);
}

async function runMigrate(options: Options): Promise<void> {
  const applied = await migrate(target().migrationUrl);
  print(options, { applied }, [
    ...applied.map((name) => `applied ${name}`),
    applied.length === 0 ? 'The schema is up to date.' : 'The schema is now up to date.',
  ]);
}

async function runSeed(options: Options): Promise<void> {
  const { database, settings } = target();
  const now = new Date(Date.now() + settings.clockOffsetMs);
  const seeded = await seed(database, { now });
  print(options, seeded, [
    seeded.shops.length === 0 ? 'Every mock shop is there already.' : `Seeded ${seeded.shops.join(', ')}.`,
    `Anchor: ${seeded.anchor}`,
  ]);
}

async function runClean(options: Options): Promise<void> {
  const { settings, migrationUrl } = target();
  if (settings.profile === 'production' && options.yes !== true) {
    throw new Error('This empties a production database. Say --yes if that is what you want.');
  }
  const emptied = await cleanData(migrationUrl);
  print(options, { emptied }, [`Emptied ${emptied.length} tables; the schema and the audit record stay.`]);
}

async function runCheck(options: Options): Promise<void> {
  const results = await withPools(checkData);
  const broken = results.filter(({ violations }) => violations > 0);
  print(options, { ok: broken.length === 0, checks: results }, [
    ...broken.map(({ check, violations }) => `${check}: ${violations}`),
    broken.length === 0 ? `${results.length} checks, nothing broken.` : `${broken.length} checks failed.`,
  ]);
  if (broken.length > 0) process.exitCode = 1;
}

async function runBackup(folder: string, options: Options): Promise<void> {
  const manifest = await backup(target().database.systemUrl, folder);
  print(options, manifest, [
    `Wrote ${rowsIn(manifest)} rows of ${manifest.tables.length} tables to ${folder}.`,
  ]);
}

async function runRestore(folder: string, options: Options): Promise<void> {
  const manifest = await restore(target().migrationUrl, folder);
  print(options, manifest, [`Restored ${rowsIn(manifest)} rows of ${manifest.tables.length} tables.`]);
}

function rowsIn({ tables }: { readonly tables: readonly { readonly rows: number }[] }): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

/** @throws {Error} there is no database to work on. */
function target() {
  const settings: Settings = loadCommandSettings(process.env);
  const { writeUrl, systemUrl, migrationUrl } = settings.database;
  if (writeUrl === undefined) {
    throw new Error('No database: set DATABASE_URL, or run this beside a running `npm start`.');
  }
  const superuserLogin = settings.profile === 'development' ? 'allowed' : 'refused';
  return {
    settings,
    migrationUrl: migrationUrl ?? writeUrl,
    database: { writeUrl, systemUrl: systemUrl ?? writeUrl, superuserLogin },
  } as const;
}

async function withPools<T>(work: (pools: Pools) => Promise<T>): Promise<T> {
  const pools = await openPools({
    ...target().database,
    readPoolSize: 1,
    writePoolSize: 1,
    statementMs: 600_000,
    applicationName: 'countersign db',
  });
  try {
    return await work(pools);
  } finally {
    await pools.close();
  }
}

function print(options: Options, result: object, lines: readonly string[]): void {
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`);
}
