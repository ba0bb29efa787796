import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../platform/ports.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { temporalAddress } from '../support/temporal.ts';
import { type Run, runCli } from './run-start.ts';

describe('gateway and worker alone', function () {
  this.timeout(120_000);
  let folder: string;
  let database: TestDatabase;
  let runs: Run[];
  let env: Record<string, string>;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-'));
    database = await freshDatabase();
  });
  beforeEach(async () => {
    runs = [];
    env = {
      COUNTERSIGN_PROFILE: 'development',
      COUNTERSIGN_HOME: join(folder, 'home'),
      TEMPORAL_ADDRESS: temporalAddress(),
      DATABASE_URL: database.writeUrl,
      PORT: String(await freePort(0, '127.0.0.1')),
    };
  });
  afterEach(async () => {
    for (const run of runs) run.signal('SIGKILL');
    await Promise.all(runs.map((run) => run.ended));
  });
  after(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[], more: Record<string, string> = {}) => {
    const started = runCli(args, { env: { ...env, ...more } });
    runs.push(started);
    return started;
  };

  it('serve from the same servers as two processes, and end in good order', async () => {
    const alive = join(folder, 'alive');
    const worker = run(['worker', '--json', '--alive-file', alive]);
    const gateway = run(['gateway', '--json']);
    await Promise.all([untilSaid(worker, /"status":"ready"/), untilSaid(gateway, /"status":"ready"/)]);
    const health = await fetch(`http://127.0.0.1:${env['PORT']}/health`);
    assert.equal(health.status, 200, await health.text());
    assert.equal(existsSync(alive), true);
    for (const process of [gateway, worker]) process.signal('SIGTERM');
    assert.deepEqual(
      await Promise.all([gateway.ended, worker.ended]),
      [0, 0],
      gateway.said() + worker.said(),
    );
    assert.equal(existsSync(alive), false);
  });

  it('take nothing from a directory in production: what is missing is named', async () => {
    const worker = run(['worker'], { COUNTERSIGN_PROFILE: 'production' });
    assert.equal(await worker.ended, 1);
    assert.match(worker.said(), /SEAL_KEY.*is not set/);
  });

  it('say which Temporal does not answer', async () => {
    const port = await freePort(0, '127.0.0.1');
    const gateway = run(['gateway'], { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    assert.equal(await gateway.ended, 1);
    assert.match(gateway.said(), new RegExp(`No Temporal answers at 127.0.0.1:${port}`));
  });
});

async function untilSaid(run: Run, what: RegExp): Promise<void> {
  const gone = run.ended.then((status) => assert.fail(`ended with ${status}:\n${run.said()}`));
  const said = async () => {
    while (!what.test(run.said())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await Promise.race([gone, said()]);
}
