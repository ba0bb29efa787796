import assert from 'node:assert/strict';
import { readInTenant } from '../../adapters/postgres/read-in-tenant.ts';
import type { Sql } from '../../adapters/postgres/pools.ts';
import { asAdmin, freshDatabase, type TestDatabase } from '../support/database.ts';

describe('a read of one shop', () => {
  let db: TestDatabase;
  before(async () => {
    db = await freshDatabase();
  });
  after(() => db.drop());

  const one = async (sql: Sql) => {
    const { rows } = await sql.query<{ one: number }>('select 1 as one');
    return rows[0]?.one;
  };

  /** Ends the connection under the first `times` attempts. */
  const ending = (times: number) => {
    const attempts = { count: 0 };
    const work = async (sql: Sql) => {
      attempts.count += 1;
      if (attempts.count > times) return one(sql);
      const { rows } = await sql.query<{ pid: number }>('select pg_backend_pid() as pid');
      await asAdmin((admin) => admin.query('select pg_terminate_backend($1, 5000)', [rows[0]?.pid]));
      return one(sql);
    };
    return { attempts, work };
  };

  it('goes on over another connection when its own is ended', async () => {
    const { attempts, work } = ending(1);
    assert.deepEqual([await readInTenant(db.pools.read, 'manga', work), attempts.count], [1, 2]);
  });

  it('says that the database cannot be reached when the second one ends, too', async () => {
    const { attempts, work } = ending(9);
    await assert.rejects(readInTenant(db.pools.read, 'manga', work), { code: 'unavailable' });
    assert.equal(attempts.count, 2);
  });

  it('does not repeat a statement that took too long', async () => {
    const attempts = { count: 0 };
    const slow = async (sql: Sql) => {
      attempts.count += 1;
      await sql.query('set local statement_timeout = 50');
      await sql.query('select pg_sleep(5)');
    };
    await assert.rejects(readInTenant(db.pools.read, 'manga', slow), { code: 'unavailable' });
    assert.equal(attempts.count, 1);
  });

  it('neither repeats nor renames a fault of its own', async () => {
    const attempts = { count: 0 };
    const wrong = async (sql: Sql) => {
      attempts.count += 1;
      await sql.query('select nonsense');
    };
    await assert.rejects(readInTenant(db.pools.read, 'manga', wrong), { code: '42703' });
    assert.equal(attempts.count, 1);
  });

  it('shows no SQL, no host and no shop in what it says', async () => {
    const { work } = ending(9);
    await assert.rejects(readInTenant(db.pools.read, 'manga', work), {
      message: 'The database cannot be reached, so nothing was read. Try again shortly. Do not infer.',
    });
  });
});
