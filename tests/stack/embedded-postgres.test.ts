import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { findPostmaster } from '../../adapters/embedded/leftovers.ts';
import { isRoot } from '../../adapters/embedded/os-user.ts';
import {
  type EmbeddedPostgres,
  ensureDatabase,
  startEmbeddedPostgres,
} from '../../adapters/embedded/postgres.ts';
import { removeEmbeddedPostgres } from '../../adapters/embedded/remove.ts';
import { isAlive } from '../../platform/processes.ts';
import { openState } from '../../platform/state.ts';
import { skip } from '../support/skip.ts';
import { temporalAddress } from '../support/temporal.ts';
import { runCli } from './run-start.ts';

describe('the embedded PostgreSQL', function () {
  this.timeout(120_000);
  let folder: string;
  let home: string;
  let lines: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-'));
    home = join(folder, 'home');
    lines = [];
  });
  afterEach(async () => {
    await removeEmbeddedPostgres(home);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = () =>
    startEmbeddedPostgres({
      state: openState(home),
      port: 0,
      say: (line) => lines.push(line),
      note: () => undefined,
    });

  it('speaks UTF-8 and sorts by code point, whatever the machine is set to', async () => {
    const server = await start();
    const [row] = await ask(
      server,
      `select pg_encoding_to_char(encoding) as encoding, datlocale as locale from pg_database where datname = 'postgres'`,
    );
    assert.deepEqual(row, { encoding: 'UTF8', locale: 'C.UTF-8' });
  });

  it('keeps its data over a stop and a start', async () => {
    const first = await start();
    await ensureDatabase(first, 'kept');
    await first.stop();
    assert.equal(await ensureDatabase(await start(), 'kept'), false);
  });

  it('lets nobody in without its password', async () => {
    const { port } = await start();
    const client = new Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
    await assert.rejects(client.connect(), /password/);
  });

  it('takes over the server that already runs on its data', async () => {
    const first = await start();
    const second = await start();
    assert.deepEqual([second.adopted, second.process], [true, first.process]);
  });

  it('is stopped once, and a repeat does nothing', async () => {
    const server = await start();
    await server.stop();
    await server.stop();
    assert.equal(isAlive(server.process), false);
  });

  it('starts within seconds after it was killed while a backend was busy', async () => {
    const first = await start();
    const busy = new Client({ connectionString: first.url('postgres') });
    busy.on('error', () => undefined);
    await busy.connect();
    // Never looks up from its work, so it does not notice that its server has died.
    const work = assert.rejects(busy.query('do $$ begin loop end loop; end $$'));
    await untilBusy(first);
    process.kill(first.process.pid, 'SIGKILL');
    const began = Date.now();
    const second = await start();
    assert.ok(Date.now() - began < 10_000, `it took ${Date.now() - began} ms`);
    assert.match(lines.join('\n'), /Ended \d+ leftover PostgreSQL process/);
    assert.deepEqual(await ask(second, 'select 1 as one'), [{ one: 1 }]);
    await work;
  });

  it('does not take a stranger for its server because of a number in a file', async () => {
    const server = await start();
    const data = dataOf(server.process.pid);
    await server.stop();
    spawnSync('sh', [
      '-c',
      `printf '%s\\n%s\\n0\\n1\\n\\n\\n\\nready\\n' ${process.pid} ${data} > ${data}/postmaster.pid`,
    ]);
    assert.equal(findPostmaster(data), undefined);
    assert.equal((await start()).adopted, false);
  });

  it('runs, started as root, as a user of its own outside a home which that user may not enter', async function () {
    if (!isRoot()) skip(this, 'this run is not root: PostgreSQL below root’s 0700 home');
    const server = await start();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.notEqual(statSync(`/proc/${server.process.pid}`).uid, 0);
    assert.match(lines.join('\n'), /Started as root: PostgreSQL runs as the system user "countersign"/);
  });

  it('runs, started by a plain user, as that user inside the home', async function () {
    if (!isRoot()) skip(this, 'this run is not root: it cannot make a second plain user');
    const user = plainUser();
    chownSync(folder, user.uid, user.gid);
    const run = runCli(['start', '--json'], {
      env: {
        COUNTERSIGN_HOME: home,
        PORT: '0',
        POSTGRES_PORT: '0',
        TEMPORAL_ADDRESS: temporalAddress(),
        HOME: folder,
      },
      user,
    });
    try {
      await run.ready;
      assert.equal(statSync(join(home, 'postgres', 'data')).uid, user.uid);
    } finally {
      run.signal('SIGINT');
      await run.ended;
    }
  });
});

async function ask(server: EmbeddedPostgres, sql: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: server.url('postgres') });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function untilBusy(server: EmbeddedPostgres): Promise<void> {
  for (;;) {
    const rows = await ask(
      server,
      `select 1 from pg_stat_activity where state = 'active' and query like 'do $$%'`,
    );
    if (rows.length > 0) return;
  }
}

function dataOf(pid: number): string {
  return spawnSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).stdout.trim();
}

const PLAIN = 'countersign-test';

/** An account for this test, made once per machine. */
function plainUser(): { readonly uid: number; readonly gid: number } {
  const idOf = (flag: string) =>
    Number(spawnSync('id', [flag, PLAIN], { encoding: 'utf8' }).stdout.trim() || Number.NaN);
  if (Number.isNaN(idOf('-u'))) spawnSync('useradd', ['--system', '--user-group', '--no-create-home', PLAIN]);
  return { uid: idOf('-u'), gid: idOf('-g') };
}
