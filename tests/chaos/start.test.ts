import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { removeEmbeddedPostgres } from '../../adapters/embedded/remove.ts';
import { findCli } from '../../adapters/temporal/find-cli.ts';
import { end } from '../../platform/processes.ts';
import { readRun } from '../../platform/run-file.ts';
import { asAdmin } from '../support/database.ts';
import { openSession } from '../gateway/wire.ts';
import { type Ready, type Run, runCli } from '../stack/run-start.ts';
import { type Asker, askerOf } from './ask.ts';
import { eventually } from './eventually.ts';

const REORDER = { sku: 'BER42-42', quantity: 40, warehouse: 'WH-2', idempotency_key: 'after the storm' };
const exec = promisify(execFile);

describe('npm start, killed with everything it started while an action waits', function () {
  this.timeout(180_000);
  let folder: string;
  let home: string;
  const runs: Run[] = [];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-chaos-'));
    home = join(folder, 'home');
  });
  after(async () => {
    for (const run of runs) run.signal('SIGKILL');
    for (const server of Object.values(readRun(home)?.started ?? {})) await end(server, 5, 'SIGKILL');
    await removeEmbeddedPostgres(home);
    rmSync(folder, { recursive: true, force: true });
  });

  it('places one order after the next start, by the command that `countersign code` prints', async () => {
    const first = start();
    const asker = await askerAt(await first.ready);
    const asked = await asker.call('create_reorder', REORDER);
    assert.equal(asked.facts['status'], 'pending_approval', asked.text);
    const actionId = String(asked.facts['action_id']);

    await killAll(first);
    const ready = await start().ready;
    const command = await said(['code', actionId, '--as', 'warehouse_lead']);
    const line = command.split('\n').find((one) => one.startsWith('temporal workflow signal')) ?? '';
    assert.ok(line.includes(actionId), command);
    await inShell(line);

    const again = await askerAt(ready);
    const status = () => again.call('get_action_status', { action_id: actionId });
    await eventually('executed', async () => (await status()).facts['status'] === 'executed');
    const sentence = /^Reorder placed: PO #\d+ \(40× BER42-42 → WH-2\)$/;
    const repeated = await again.call('create_reorder', REORDER);
    assert.match(repeated.text, sentence);
    assert.equal(repeated.facts['replayed'], true);
    const [orders, endings] = await asAdmin(
      async (admin) => {
        const count = async (statement: string) => (await admin.query(statement, [actionId])).rowCount;
        return [
          await count('select from purchase_orders where action_id = $1'),
          await count('select from audit_log where call_id = $1 and final'),
        ];
      },
      readRun(home)?.environment['DATABASE_URL'] ?? '',
    );
    assert.deepEqual([orders, endings], [1, 1]);
    // The code is used up: whoever finds the command in a shell's history orders nothing.
    await assert.rejects(inShell(line), /already completed|not found/);
  });

  function start(): Run {
    const ports = { PORT: '0', POSTGRES_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
    const run = runCli(['start', '--json'], { env: { COUNTERSIGN_HOME: home, ...ports } });
    runs.push(run);
    return run;
  }

  async function killAll(run: Run): Promise<void> {
    const servers = Object.values(readRun(home)?.started ?? {});
    assert.equal(servers.length, 2);
    run.signal('SIGKILL');
    for (const { pid } of servers) process.kill(pid, 'SIGKILL');
    await run.ended;
  }

  async function askerAt({ urls }: Ready): Promise<Asker> {
    const token = (await said(['token', '--as', 'supply_chain_manager'])).trim().split('\n').at(-1) ?? '';
    return askerOf(await openSession(new URL(urls['mcp'] ?? '').origin, token));
  }

  async function said(args: readonly string[]): Promise<string> {
    const run = runCli(args, { env: { COUNTERSIGN_HOME: home } });
    assert.equal(await run.ended, 0, run.said());
    return run.said();
  }
});

/** Runs a command that a person would paste, with the Temporal CLI on the path. */
async function inShell(line: string): Promise<void> {
  const silent = () => undefined;
  const downloads = resolve('.cache/temporal');
  const searchPath = process.env['PATH'] ?? '';
  const cli = await findCli({
    cliPath: process.env['TEMPORAL_CLI_PATH'],
    downloads,
    searchPath,
    note: silent,
    at: silent,
  });
  await exec('sh', ['-c', line.replace(/^temporal/, `'${cli}'`)]);
}
