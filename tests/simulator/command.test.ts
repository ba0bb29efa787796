import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { seed } from '../../adapters/postgres/seed/seed.ts';
import { spawnSync } from 'node:child_process';
import { runCli } from '../stack/run-start.ts';
import { until } from '../support/until.ts';
import { ask, part } from './carrier.ts';

const SAID = z.object({ url: z.string(), parcels: z.int(), environment: z.record(z.string(), z.string()) });

describe('countersign carrier-simulator', function () {
  this.timeout(60_000);
  let home: string;
  let db: TestDatabase;
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'countersign-carrier-'));
    db = await freshDatabase();
    await seed(
      { writeUrl: db.writeUrl, systemUrl: db.writeUrl, superuserLogin: 'allowed' },
      { now: new Date() },
    );
  });
  after(async () => {
    await db?.drop();
    rmSync(home, { recursive: true });
  });

  const start = async (...args: readonly string[]) => {
    const run = runCli(['carrier-simulator', '--port', '0', '--json', ...args], {
      env: { COUNTERSIGN_PROFILE: 'development', COUNTERSIGN_HOME: home, DATABASE_URL: db.writeUrl },
    });
    await until(() => Promise.resolve(run.said().includes('"ready"')), 'the carrier');
    return { run, ...SAID.parse(JSON.parse(run.said())) };
  };

  it('serves until it is asked to end', async () => {
    const { run, url } = await start();
    const { json } = await ask(`${url}/health`, {});
    run.signal('SIGTERM');
    assert.deepEqual([part({ json }, 'status'), await run.ended], ['ok', 0]);
  });

  it('makes up credentials that it takes', async () => {
    const { run, url, environment } = await start();
    const pair = `${environment['CARRIER_UPS_CLIENT_ID']}:${environment['CARRIER_UPS_CLIENT_SECRET']}`;
    const { status } = await ask(`${url}/security/v1/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    run.signal('SIGTERM');
    assert.deepEqual([status, await run.ended], [200, 0]);
  });

  it('carries the parcels of the database', async () => {
    const { run, url, parcels } = await start('--parcels');
    const { json } = await ask(`${url}/health`, {});
    run.signal('SIGTERM');
    assert.ok(parcels > 0);
    assert.deepEqual([part({ json }, 'parcels'), await run.ended], [parcels, 0]);
  });

  for (const [what, args] of [
    ['a port that is none', ['--port', '70000']],
    ['an address that is none', ['--push-to', 'gateway']],
  ] as const)
    it(`refuses ${what}`, () => {
      const { status } = spawnSync(process.execPath, ['cli/countersign.mjs', 'carrier-simulator', ...args], {
        env: { PATH: process.env['PATH'], COUNTERSIGN_HOME: home },
      });
      assert.equal(status, 1);
    });
});
