import { createHash, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { migrate, migrationFiles } from '../../adapters/postgres/migrate.ts';
import { openPools, type Pools } from '../../adapters/postgres/pools.ts';
import { seed } from '../../adapters/postgres/seed/seed.ts';
import { assertPublishedAsPromised } from './published.ts';

export type TestDatabase = {
  /** As the server's superuser: for looking past row-level security in assertions, nothing else. */
  readonly adminUrl: string;
  readonly writeUrl: string;
  readonly readUrl: string;
  readonly systemUrl: string;
  readonly migrationUrl: string;
  readonly pools: Pools;
  /** Closes the pools, looks at what was published, and drops the database. */
  drop(): Promise<void>;
};

/** Any number unlike the migrations' lock. */
const TEMPLATE_LOCK = 743_301_772_212;

/** A migrated, empty database of its own, copied from a template that is migrated once for each set of migrations. */
export async function freshDatabase(): Promise<TestDatabase> {
  const template = await migratedTemplate();
  const name = `countersign_test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((admin) => admin.query(`create database ${name} template ${template}`));
  const url = urlFor(name);
  const pools = await openPools({
    writeUrl: url,
    readPoolSize: 8,
    writePoolSize: 8,
    superuserLogin: 'allowed',
    applicationName: 'countersign test',
  });
  return {
    adminUrl: url,
    writeUrl: url,
    readUrl: url,
    systemUrl: url,
    migrationUrl: url,
    pools,
    drop: async () => {
      await pools.close();
      try {
        await asAdmin(assertPublishedAsPromised, url);
      } finally {
        await dropDatabase(name);
      }
    },
  };
}

/** A fresh database with the mock shops in it, laid out around `anchor`. */
export async function seededDatabase(anchor = '2024-01-22'): Promise<TestDatabase> {
  const database = await freshDatabase();
  await seed(
    { writeUrl: database.writeUrl, superuserLogin: 'allowed' },
    { now: new Date(`${anchor}T10:30:00Z`) },
  );
  return database;
}

/** A database without any schema, for tests of migrating. */
export async function emptyDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `countersign_empty_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((admin) => admin.query(`create database ${name} template template0`));
  return { url: urlFor(name), drop: () => dropDatabase(name) };
}

/** Runs `work` on one superuser connection to `url`, by default the server's own database. */
export async function asAdmin<T>(work: (admin: Client) => Promise<T>, url = adminUrl()): Promise<T> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

async function migratedTemplate(): Promise<string> {
  const files = JSON.stringify([...(await migrationFiles())]);
  const name = `countersign_template_${createHash('sha256').update(files).digest('hex').slice(0, 16)}`;
  await asAdmin(async (admin) => {
    // Test processes that start together build it once; the others wait here.
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rows } = await admin.query<{ datistemplate: boolean }>(
      'select datistemplate from pg_database where datname = $1',
      [name],
    );
    if (rows[0]?.datistemplate) return;
    // Not marked as template: left behind half-made.
    if (rows[0]) await admin.query(`drop database ${name} with (force)`);
    await admin.query(`create database ${name} template template0`);
    await migrate(urlFor(name));
    // A template with a connection cannot be copied.
    await admin.query(`alter database ${name} with is_template true allow_connections false`);
  });
  return name;
}

async function dropDatabase(name: string): Promise<void> {
  await asAdmin((admin) => admin.query(`drop database if exists ${name} with (force)`));
}

export function adminUrl(): string {
  const url = process.env['TEST_PG_ADMIN_URL'];
  if (url === undefined || url === '')
    throw new Error('TEST_PG_ADMIN_URL is not set: no PostgreSQL to test on.');
  return url;
}

function urlFor(database: string): string {
  const url = new URL(adminUrl());
  url.pathname = `/${database}`;
  return url.href;
}
