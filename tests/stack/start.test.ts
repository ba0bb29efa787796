import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeEmbeddedPostgres } from '../../adapters/embedded/remove.ts';
import { isTemporal } from '../../adapters/temporal/connect.ts';
import { end, isAlive } from '../../platform/processes.ts';
import { readRun, type RunFile } from '../../platform/run-file.ts';
import { temporalAddress } from '../support/temporal.ts';
import { type Ready, type Run, runCli } from './run-start.ts';

describe('npm start', function () {
  this.timeout(180_000);
  let folder: string;
  let home: string;
  let runs: Run[];

  beforeEach(() => {
    // As made: mode 0700 and, in CI, root's. PostgreSQL's own user may not enter it.
    folder = mkdtempSync(join(tmpdir(), 'countersign-'));
    home = join(folder, 'home');
    runs = [];
  });
  afterEach(async () => {
    for (const run of runs) run.signal('SIGKILL');
    for (const server of Object.values(readRun(home)?.started ?? {})) await end(server, 5, 'SIGKILL');
    await removeEmbeddedPostgres(home);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (more: Record<string, string> = {}) => {
    const env = {
      COUNTERSIGN_HOME: home,
      PORT: '0',
      POSTGRES_PORT: '0',
      TEMPORAL_ADDRESS: temporalAddress(),
      ...more,
    };
    const run = runCli(['start', '--json'], { env });
    runs.push(run);
    return run;
  };
  // Its own Temporal too, to be killed and taken over.
  const withTemporal = { TEMPORAL_ADDRESS: '', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };

  it('serves, is refused a second time on the same home, and stops all that it started on Ctrl-C', async () => {
    const first = start(withTemporal);
    const ready = await first.ready;
    const before = runOf(home);
    await assertServes(ready);

    const second = start(withTemporal);
    assert.equal(await second.ended, 1);
    assert.match(second.said(), new RegExp(`already runs on .*process ${ready.pid}`));
    assert.ok(second.said().includes(ready.urls['mcp'] ?? 'nothing'), second.said());

    const reset = runCli(['reset'], { env: { COUNTERSIGN_HOME: home } });
    assert.equal(await reset.ended, 1);
    assert.match(reset.said(), /already runs/);
    await assertServes(ready);

    first.signal('SIGINT');
    assert.equal(await first.ended, 0, first.said());
    assert.deepEqual(Object.keys(before.started).toSorted(), ['postgres', 'temporal']);
    assert.deepEqual(Object.values(before.started).filter(isAlive), []);
    assert.equal(readRun(home), undefined);
  });

  it('takes over what a killed start left behind, and stops that too', async () => {
    const killed = start(withTemporal);
    await killed.ready;
    const left = runOf(home).started;
    killed.signal('SIGKILL');
    await killed.ended;
    assert.equal(Object.values(left).filter(isAlive).length, 2);

    const next = start(withTemporal);
    await assertServes(await next.ready);
    assert.deepEqual(runOf(home).started, left);
    next.signal('SIGTERM');
    assert.equal(await next.ended, 0, next.said());
    assert.deepEqual(Object.values(left).filter(isAlive), []);
  });

  it('starts again after everything it had started was killed with it', async () => {
    const killed = start(withTemporal);
    await killed.ready;
    const left = Object.values(runOf(home).started);
    killed.signal('SIGKILL');
    for (const server of left) process.kill(server.pid, 'SIGKILL');
    await killed.ended;
    // Byte 18 of an SQLite file: 2 for a write-ahead log, without which each signal waits for the disk.
    assert.equal(readFileSync(join(home, 'temporal.db'))[18], 2);
    await assertServes(await start(withTemporal).ready);
  });

  it('leaves a Temporal alone that it has only found, and a carrier that is configured', async () => {
    const port = temporalAddress().split(':')[1] ?? '';
    const ups = {
      CARRIER_UPS_URL: 'https://ups.example',
      CARRIER_UPS_CLIENT_ID: 'x',
      CARRIER_UPS_CLIENT_SECRET: 'x',
    };
    const run = start({ TEMPORAL_ADDRESS: '', TEMPORAL_PORT: port, ...ups });
    const { temporal_address, urls } = await run.ready;
    assert.deepEqual([temporal_address, urls['carrier']], [`127.0.0.1:${port}`, undefined]);
    run.signal('SIGINT');
    assert.equal(await run.ended, 0, run.said());
    assert.equal(await isTemporal(temporalAddress()), true);
  });

  it('moves to other ports when its own are taken, and says so', async () => {
    const [web, database] = await Promise.all([occupy(), occupy()]);
    try {
      const run = start({ PORT: String(web.port), POSTGRES_PORT: String(database.port) });
      const ready = await run.ready;
      await assertServes(ready);
      // The simulated carrier, with what the seed has under way.
      const carrier = await fetch(ready.urls['carrier'] ?? '');
      assert.match(await carrier.text(), /"total":[1-9]/);
      assert.match(run.said(), new RegExp(`Port ${web.port} is taken: the gateway listens on \\d+`));
      assert.match(run.said(), new RegExp(`Port ${database.port} is taken: PostgreSQL listens on \\d+`));
    } finally {
      web.server.close();
      database.server.close();
    }
  });

  it('can be stopped before it is ready and leaves nothing running', async () => {
    const run = start();
    while (readRun(home)?.started['postgres'] === undefined)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const { started } = runOf(home);
    run.signal('SIGINT');
    assert.equal(await run.ended, 0, run.said());
    assert.deepEqual(Object.values(started).filter(isAlive), []);
    assert.equal(readRun(home), undefined);
  });

  it('refuses to start what only production may be', async () => {
    const run = start({ COUNTERSIGN_PROFILE: 'production' });
    assert.equal(await run.ended, 1);
    assert.match(run.said(), /countersign gateway/);
    assert.equal(existsSync(home), false);
  });

  it('names every way to a Temporal when there is none', async () => {
    const run = start({
      TEMPORAL_ADDRESS: '',
      TEMPORAL_PORT: '0',
      TEMPORAL_CLI_PATH: '/nonexistent/temporal',
    });
    assert.equal(await run.ended, 1);
    assert.match(run.said(), /TEMPORAL_CLI_PATH is \/nonexistent\/temporal/);
  });

  it('says that a given Temporal does not answer, and starts none instead', async () => {
    const { server, port } = await occupy();
    server.close();
    const run = start({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    assert.equal(await run.ended, 1);
    assert.match(run.said(), new RegExp(`No Temporal answers at 127.0.0.1:${port}`));
  });

  it('begins afresh after a reset', async () => {
    const run = start();
    const { namespace } = await run.ready;
    run.signal('SIGINT');
    await run.ended;
    const reset = runCli(['reset', '--json'], { env: { COUNTERSIGN_HOME: home } });
    assert.equal(await reset.ended, 0, reset.said());
    assert.equal(existsSync(join(home, 'installation.json')), false);
    assert.notEqual((await start().ready).namespace, namespace);
  });
});

async function assertServes({ urls }: Ready): Promise<void> {
  const answer = await fetch(new URL('/health', urls['mcp']));
  assert.equal(answer.status, 200, await answer.text());
}

function runOf(home: string): RunFile {
  const run = readRun(home);
  assert.ok(run);
  return run;
}

async function occupy(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, port: address.port };
}
