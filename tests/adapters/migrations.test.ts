import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, MigrationDrift, migrationFiles, MIGRATIONS } from '../../adapters/postgres/migrate.ts';
import { asAdmin, emptyDatabase } from '../support/database.ts';

describe('migrating', () => {
  let db: { readonly url: string; drop(): Promise<void> };
  let dir: string;
  beforeEach(async () => {
    db = await emptyDatabase();
    dir = await mkdtemp(join(tmpdir(), 'countersign-migrations-'));
    await cp(MIGRATIONS, dir, { recursive: true });
  });
  afterEach(async () => {
    await db.drop();
    await rm(dir, { recursive: true });
  });

  const ask = <T extends object>(statement: string) =>
    asAdmin(async (admin) => (await admin.query<T>(statement)).rows, db.url);
  const tableExists = async (name: string) =>
    (await ask<{ there: boolean }>(`select to_regclass('public.${name}') is not null as there`))[0]?.there;

  it('goes from nothing to the newest schema', async () => {
    assert.deepEqual(await migrate(db.url), [...(await migrationFiles()).keys()]);
  });

  it('does nothing the second time', async () => {
    await migrate(db.url, { dir });
    const stamp = () => ask(`select max(oid::bigint) from pg_class`);
    const before = await stamp();
    assert.deepEqual(await migrate(db.url, { dir }), []);
    assert.deepEqual(await stamp(), before);
  });

  it('applies what is new and only that', async () => {
    await migrate(db.url, { dir });
    await writeFile(join(dir, '9001_more.sql'), 'create table more (id int);');
    const lines: string[] = [];
    assert.deepEqual(await migrate(db.url, { dir, log: (line) => lines.push(line) }), ['9001_more']);
    assert.deepEqual(lines, ['applied 9001_more']);
    assert.equal(await tableExists('more'), true);
  });

  it('stops when an applied file was changed, and applies nothing', async () => {
    await migrate(db.url, { dir });
    await writeFile(join(dir, '9001_more.sql'), 'create table more (id int);');
    const first = join(dir, '0002_catalogue_and_orders.sql');
    await writeFile(first, `${await readFile(first, 'utf8')}\n-- a word more\n`);
    await assert.rejects(migrate(db.url, { dir }), (error) => {
      assert.ok(error instanceof MigrationDrift);
      assert.match(error.message, /0002_catalogue_and_orders\.sql was changed after it was applied/);
      return true;
    });
    assert.equal(await tableExists('more'), false);
  });

  it('stops when an applied file is gone', async () => {
    await migrate(db.url, { dir });
    await unlink(join(dir, '0004_shipping.sql'));
    await assert.rejects(migrate(db.url, { dir }), /0004_shipping\.sql was applied and is missing/);
  });

  it('stops when a new file sorts before an applied one', async () => {
    await migrate(db.url, { dir });
    await writeFile(join(dir, '0001_between.sql'), 'create table more (id int);');
    await assert.rejects(migrate(db.url, { dir }), /0001_between.*preceding/);
    assert.equal(await tableExists('more'), false);
  });

  it('does not take other line ends for a change', async () => {
    await migrate(db.url, { dir });
    const file = join(dir, '0003_stock_and_prices.sql');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', '\r\n'));
    assert.deepEqual(await migrate(db.url, { dir }), []);
  });

  it('leaves nothing of a batch in which one file fails, and goes on once it is mended', async () => {
    await writeFile(join(dir, '9001_more.sql'), 'create table more (id int);');
    await writeFile(join(dir, '9002_broken.sql'), 'create table more (id int);');
    await assert.rejects(migrate(db.url, { dir }), /already exists/);
    assert.deepEqual([await tableExists('shops'), await tableExists('more')], [false, false]);

    await writeFile(join(dir, '9002_broken.sql'), 'create table even_more (id int);');
    await migrate(db.url, { dir });
    assert.equal(await tableExists('even_more'), true);
  });

  it('lets processes that migrate at once wait for one another', async () => {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(db.url)));
    assert.equal(applied.filter(({ length }) => length > 0).length, 1);
  });

  describe('with a login of few rights', () => {
    let login: string;
    let url: string;
    beforeEach(async () => {
      login = `countersign_login_${randomUUID().slice(0, 8)}`;
      await asAdmin((admin) => admin.query(`create role ${login} login password 'x'`));
      const own = new URL(db.url);
      own.username = login;
      own.password = 'x';
      url = own.href;
    });
    afterEach(async () => {
      await asAdmin((admin) => admin.query(`drop owned by ${login}`), db.url);
      await asAdmin((admin) => admin.query(`drop role ${login}`));
    });

    it('names every statement an administrator must run, and works once they were run', async () => {
      const failure = await migrate(url).catch((error: unknown) => error);
      assert.ok(failure instanceof Error);
      assert.match(failure.message, /An administrator must run/);
      const statements = [...failure.message.matchAll(/^ {2}(.*;)$/gm)].map(
        ([, statement]) => statement ?? '',
      );
      assert.ok(statements.some((statement) => statement.startsWith('grant countersign_owner to')));

      await asAdmin((admin) => admin.query(statements.join('\n')), db.url);
      assert.ok((await migrate(url)).length > 0);
    });
  });
});
