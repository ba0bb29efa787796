import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { asAdmin, freshDatabase, type TestDatabase } from '../support/database.ts';
import { everything, inFolder, load, rowsOf, SMALL } from './support.ts';

/** Asks until it is so; the test's own time limit ends a wait for what never comes. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(25);
}

/** A transaction sees the sessions of its first look for as long as it lasts, so each look is one of its own. */
const sessions = (database: TestDatabase, what: string) =>
  asAdmin(
    (admin) =>
      admin.query(
        `select from pg_stat_activity
          where application_name = 'countersign import' and datname = current_database() and ${what}`,
      ),
    database.adminUrl,
  );

describe('An import that is stopped on the way', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  /** Runs the command until it waits to write its first line, and then `interrupt`. */
  async function stopInMidWrite(
    folder: string,
    interrupt: (importer: ChildProcess) => void,
  ): Promise<number | null> {
    return asAdmin(async (admin) => {
      await admin.query('begin; lock table order_items in share mode');
      const importer = spawn(process.execPath, ['cli/countersign.mjs', 'import', '--shop', 'small', folder], {
        env: { ...process.env, DATABASE_URL: database.writeUrl },
        stdio: 'ignore',
      });
      const ended = once(importer, 'exit');
      await until(async () => (await sessions(database, "wait_event_type = 'Lock'")).rowCount === 1);
      interrupt(importer);
      const [code] = await ended;
      // The lock is still held: the server must notice by itself that nobody waits for the answer.
      await until(async () => (await sessions(database, 'true')).rowCount === 0);
      await admin.query('rollback');
      return typeof code === 'number' ? code : null;
    }, database.adminUrl);
  }

  it('by SIGKILL loads nothing, and the next one loads all', async () => {
    await inFolder(SMALL, async (folder) => {
      await stopInMidWrite(folder, (importer) => importer.kill('SIGKILL'));
      assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
      assert.equal((await load(database, SMALL)).tables.order_lines.inserted, 3);
    });
  });

  it('by Ctrl-C loads nothing and exits with 130', async () => {
    await inFolder(SMALL, async (folder) => {
      assert.equal(await stopInMidWrite(folder, (importer) => importer.kill('SIGINT')), 130);
      assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
    });
  });

  it('by the end of its connection loads nothing and says so', async () => {
    await asAdmin(async (admin) => {
      await admin.query('begin; lock table order_items in share mode');
      const failed = assert.rejects(load(database, SMALL));
      await until(async () => (await sessions(database, "wait_event_type = 'Lock'")).rowCount === 1);
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'countersign import' and datname = current_database()`,
      );
      await failed;
      await admin.query('rollback');
    }, database.adminUrl);
    assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
  });
});

describe('Two imports at once', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  it('of one shop load it once; the second finds everything there', async () => {
    const reports = await Promise.all([load(database, SMALL), load(database, SMALL), load(database, SMALL)]);
    const inserted = reports.map(({ tables }) => tables.orders.inserted).sort((a, b) => a - b);
    assert.deepEqual(inserted, [0, 0, 2]);
    assert.ok(reports.every(({ holds }) => holds?.order_lines === 3));
  });

  it('of two shops load both', async () => {
    await Promise.all([load(database, SMALL, { shop: 'one' }), load(database, SMALL, { shop: 'two' })]);
    const [one, two] = [await everything(database, 'one'), await everything(database, 'two')];
    assert.ok(one.includes('#W1') && two.includes('#W1'));
  });
});
