import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { inTenant, isUnavailable, openPools, type PoolSettings } from '../../adapters/postgres/pools.ts';
import { ROLE_OF } from '../../adapters/postgres/roles.ts';
import { asAdmin, freshDatabase, type TestDatabase } from '../support/database.ts';

describe('the pools', () => {
  let db: TestDatabase;
  const logins: string[] = [];
  before(async () => {
    db = await freshDatabase();
  });
  after(async () => {
    await db.drop();
    await asAdmin(async (admin) => {
      for (const login of logins) await admin.query(`drop role ${login}`);
    });
  });

  const settings = (over: Partial<PoolSettings> = {}): PoolSettings => ({
    writeUrl: db.writeUrl,
    readPoolSize: 2,
    writePoolSize: 2,
    superuserLogin: 'allowed',
    ...over,
  });

  /** Opens pools for `work` and closes them whatever happens. */
  async function withPools<T>(
    over: Partial<PoolSettings>,
    work: (p: Awaited<ReturnType<typeof openPools>>) => Promise<T>,
  ) {
    const pools = await openPools(settings(over));
    try {
      return await work(pools);
    } finally {
      await pools.close();
    }
  }

  async function login(attributes: string, roles: readonly string[]): Promise<string> {
    const name = `countersign_login_${randomUUID().slice(0, 8)}`;
    logins.push(name);
    await asAdmin(async (admin) => {
      await admin.query(`create role ${name} login password 'x' ${attributes}`);
      for (const role of roles) await admin.query(`grant ${role} to ${name}`);
    });
    const url = new URL(db.writeUrl);
    url.username = name;
    url.password = 'x';
    return url.href;
  }

  it('work as their roles', async () => {
    for (const kind of ['read', 'write', 'system'] as const) {
      const { rows } = await db.pools[kind].query<{ role: string }>('select current_user as role');
      assert.equal(rows[0]?.role, ROLE_OF[kind]);
    }
  });

  it('count days in UTC, whatever the server thinks', async () => {
    const { rows } = await db.pools.read.query<{ TimeZone: string }>('show timezone');
    assert.equal(rows[0]?.TimeZone, 'UTC');
  });

  it('refuse a superuser login unless it is allowed', async () => {
    await assert.rejects(
      openPools({ writeUrl: db.writeUrl, readPoolSize: 1 }),
      /bypasses row-level security/,
    );
  });

  it('refuse a login that bypasses row-level security, allowed superusers or not', async () => {
    const url = await login('bypassrls', Object.values(ROLE_OF));
    await assert.rejects(openPools(settings({ writeUrl: url })), /bypasses row-level security/);
  });

  it('name the grant that a login lacks', async () => {
    const url = await login('', [ROLE_OF.write, ROLE_OF.system]);
    await assert.rejects(openPools(settings({ writeUrl: url })), /grant countersign_read to/);
  });

  it('open for a login that is a member of the roles and nothing else', async () => {
    const url = await login('', Object.values(ROLE_OF));
    await withPools({ writeUrl: url, superuserLogin: 'refused' }, async (pools) => {
      await inTenant(pools.write, 'shop_a', (sql) =>
        sql.query(`insert into shops (id, name, currency) values ('shop_a', 'A', 'USD')`),
      );
    });
  });

  it('do not open when together they exceed what the server allows', async () => {
    await assert.rejects(
      openPools(settings({ readPoolSize: 100_000 })),
      /may open 100007 connections.*server allows \d+/,
    );
  });

  it('have 50 connections for reading unless told otherwise', async () => {
    const { readPoolSize: _, ...rest } = settings();
    const pools = await openPools(rest);
    assert.equal(pools.read.options.max, 50);
    await pools.close();
  });

  it('do not open when nothing listens, and say that the database is unavailable', async () => {
    const failed = await openPools(settings({ writeUrl: 'postgres://postgres@127.0.0.1:1/nothing' })).catch(
      (error: unknown) => error,
    );
    assert.ok(failed instanceof Error && isUnavailable(failed));
  });

  it('write nothing through the read pool', async () => {
    const insert = inTenant(db.pools.read, 'x', (sql) =>
      sql.query(`insert into shops (id, name, currency) values ('x', 'X', 'USD')`),
    );
    await assert.rejects(insert, { code: '25006' });
  });

  it('write nothing as the read role, even after leaving read-only mode', async () => {
    const client = await db.pools.read.connect();
    const insert = client.query(
      `begin read write; set local countersign.shop_id = 'x';
       insert into shops (id, name, currency) values ('x', 'X', 'USD')`,
    );
    await assert.rejects(insert, { code: '42501' });
    client.release(true);
  });

  it('undo all of a transaction that failed', async () => {
    const failing = inTenant(db.pools.write, 'undone', async (sql) => {
      await sql.query(`insert into shops (id, name, currency) values ('undone', 'U', 'USD')`);
      throw new Error('changed my mind');
    });
    await assert.rejects(failing, /changed my mind/);
    const left = await inTenant(db.pools.read, 'undone', (sql) => sql.query('select from shops'));
    assert.equal(left.rowCount, 0);
  });

  for (const tenant of ['', 'a\0b']) {
    it(`do not work for the shop ${JSON.stringify(tenant)}`, async () => {
      await assert.rejects(
        inTenant(db.pools.write, tenant, (sql) => sql.query('select')),
        /No shop/,
      );
    });
  }

  it('take a tenant as text, never as SQL', async () => {
    const evil = `x', true); drop table shops; --`;
    const { rows } = await inTenant(db.pools.write, evil, (sql) =>
      sql.query<{ shop: string }>(`select current_setting('countersign.shop_id') as shop`),
    );
    assert.equal(rows[0]?.shop, evil);
  });

  it('keep 60 slow reads waiting for a bounded time, and write meanwhile as ever', async () => {
    await withPools({ readPoolSize: 4, waitMs: 400, statementMs: 5_000 }, async (pools) => {
      const began = performance.now();
      const reads = Array.from({ length: 60 }, () =>
        inTenant(pools.read, 'a', (sql) => sql.query('select pg_sleep(1.5)')).catch(
          (error: unknown) => error,
        ),
      );
      const write = performance.now();
      await inTenant(pools.write, 'a', (sql) => sql.query('select'));
      assert.ok(performance.now() - write < 400, 'the write waited');

      const refused = (await Promise.all(reads)).filter((outcome) => outcome instanceof Error);
      assert.equal(refused.length, 56);
      assert.ok(refused.every(isUnavailable));
      assert.ok(performance.now() - began < 4_000, 'the wait had no bound');
      await inTenant(pools.read, 'a', (sql) => sql.query('select')); // and they recover
    });
  });

  it('end a statement that takes too long, and say that the database is unavailable', async () => {
    await withPools({ statementMs: 200 }, async (pools) => {
      const slow = await pools.read.query('select pg_sleep(5)').catch((error: unknown) => error);
      assert.ok(isUnavailable(slow));
    });
  });

  it('survive a server that ends their connections', async () => {
    await withPools({}, async (pools) => {
      const cut = inTenant(pools.write, 'a', async (sql) => {
        const { rows } = await sql.query<{ pid: number }>('select pg_backend_pid() as pid');
        await asAdmin((admin) => admin.query('select pg_terminate_backend($1)', [rows[0]?.pid]));
        await sql.query('select');
      });
      await assert.rejects(cut, (error) => isUnavailable(error));
      await inTenant(pools.write, 'a', (sql) => sql.query('select'));
    });
  });

  it('survive idle connections that break, and tell about them', async () => {
    const told: string[] = [];
    await withPools({ onIdleError: (kind) => told.push(kind) }, async (pools) => {
      await pools.read.query('select');
      await asAdmin((admin) =>
        admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()
                        and application_name = 'countersign read'`,
          [new URL(db.writeUrl).pathname.slice(1)],
        ),
      );
      const { rowCount } = await eventually(() => pools.read.query('select'));
      assert.equal(rowCount, 1);
    });
    assert.ok(told.includes('read'));
  });

  it('do not wait for a server that accepts and never answers', async () => {
    const accepted: Socket[] = [];
    const silent = createServer((socket) => accepted.push(socket));
    const port = await listening(silent);
    const began = performance.now();
    const failed = await openPools(
      settings({ writeUrl: `postgres://postgres@127.0.0.1:${port}/nothing`, waitMs: 300 }),
    ).catch((error: unknown) => error);
    assert.ok(isUnavailable(failed) && performance.now() - began < 2_000, String(failed));
    for (const socket of accepted) socket.destroy();
    silent.close();
  });

  it('find at once that the server has fallen silent, however long a statement may take', async () => {
    const { pools, silence, close } = await silencable({ statementMs: 60_000 });
    await inTenant(pools.read, 'a', (sql) => sql.query('select'));
    silence();
    const began = performance.now();
    const cut = await inTenant(pools.read, 'a', (sql) => sql.query('select')).catch(
      (error: unknown) => error,
    );
    assert.ok(isUnavailable(cut), String(cut));
    assert.ok(performance.now() - began < 3_000);
    await close();
  });

  it('give up a statement when the server falls silent in the middle of it', async () => {
    const { pools, silence, close } = await silencable({ statementMs: 100 });
    const began = performance.now();
    const cut = await inTenant(pools.read, 'a', async (sql) => {
      silence();
      await sql.query('select');
    }).catch((error: unknown) => error);
    assert.ok(isUnavailable(cut), String(cut));
    assert.ok(performance.now() - began < 4_000);
    await close();
  });

  /** Pools over a wire on which, from a moment on, nothing moves. */
  async function silencable(over: Partial<PoolSettings>) {
    const target = new URL(db.writeUrl);
    const lines: Socket[] = [];
    const proxy = createServer((client) => {
      const server = connect(Number(target.port), target.hostname);
      lines.push(client, server);
      client.pipe(server).pipe(client);
      for (const end of [client, server]) end.on('error', () => undefined);
    });
    const url = new URL(target);
    url.port = String(await listening(proxy));
    url.hostname = '127.0.0.1';
    const pools = await openPools(settings({ writeUrl: url.href, ...over }));
    return {
      pools,
      silence: () => lines.forEach((line) => line.unpipe().pause()),
      close: async () => {
        lines.forEach((line) => line.destroy());
        await pools.close();
        proxy.close();
      },
    };
  }

  for (const [what, statement] of [
    [
      'a broken key',
      `insert into shops (id, name, currency) values ('dup', 'A', 'USD'), ('dup', 'B', 'USD')`,
    ],
    ['a refused right', 'truncate shops'],
    ['wrong SQL', 'selekt'],
  ] as const) {
    it(`do not take ${what} for a database that is away`, async () => {
      const answer = await inTenant(db.pools.write, 'dup', (sql) => sql.query(statement)).catch(
        (e: unknown) => e,
      );
      assert.ok(answer instanceof Error && !isUnavailable(answer));
    });
  }

  it('take nothing but errors for unavailability', () => {
    assert.deepEqual([undefined, null, 'ECONNREFUSED', { code: 'ECONNREFUSED' }].map(isUnavailable), [
      false,
      false,
      false,
      false,
    ]);
  });
});

/** The port of a server that listens on loopback now. */
async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** Retries while the connection under it is still being found out to be dead. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return work();
  }
}
