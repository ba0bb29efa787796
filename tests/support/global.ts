import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startEmbeddedPostgres } from '../../adapters/embedded/postgres.ts';
import { removeEmbeddedPostgres } from '../../adapters/embedded/remove.ts';
import { findOrStartTemporal } from '../../adapters/temporal/server.ts';
import { freePort } from '../../platform/ports.ts';
import { end, identify, isAlive } from '../../platform/processes.ts';
import { liveRun, readRun, type StartedServer, takeHome, writeRun } from '../../platform/run-file.ts';
import { openState } from '../../platform/state.ts';
import { skipped } from './skip.ts';

const HOMES = resolve('.cache/test-homes');

/** Servers of this run, ended at its end. */
const started = new Map<string, StartedServer>();
let home: string | undefined;

/** Brings up the real servers that are not given by TEST_PG_ADMIN_URL, TEST_TEMPORAL_ADDRESS, TEST_REDIS_URL. */
export async function mochaGlobalSetup(): Promise<void> {
  await sweepKilledRuns();
  // As in a fresh terminal: what a developer has set for a stack of their own is not for tests.
  for (const name of Object.keys(process.env))
    if (/^(COUNTERSIGN_(?!SHARED)|DATABASE_)/.test(name)) delete process.env[name];
  await Promise.all([
    provide('TEST_PG_ADMIN_URL', startPostgres),
    provide('TEST_TEMPORAL_ADDRESS', startTemporal),
    provide('TEST_REDIS_URL', startRedis),
  ]);
}

export async function mochaGlobalTeardown(): Promise<void> {
  if (home !== undefined) await endRun(home);
  if (skipped.size === 0) return;
  const lines = [...skipped].map(
    ([reason, times]) => `  - ${reason}${times === 1 ? '' : ` (${times} times)`}`,
  );
  process.stdout.write(['Not tested in this run:', ...lines, ''].join('\n'));
}

async function provide(variable: string, start: () => Promise<string | undefined>): Promise<void> {
  const given = process.env[variable];
  if (given !== undefined && given !== '') return;
  const url = await start();
  if (url === undefined) delete process.env[variable];
  else process.env[variable] = url;
}

async function startPostgres(): Promise<string> {
  const server = await startEmbeddedPostgres({
    state: openState(ownHome()),
    port: 0,
    say: () => undefined,
    note: () => undefined,
    // The data is thrown away, and a test that kills a server kills one of its own.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '500' },
  });
  remember('postgres', { ...server.process, address: `127.0.0.1:${server.port}` });
  return server.url('postgres');
}

async function startTemporal(): Promise<string> {
  const server = await findOrStartTemporal({
    address: undefined,
    cliPath: process.env['TEMPORAL_CLI_PATH'],
    home: ownHome(),
    downloads: resolve('.cache/temporal'),
    port: 0,
    uiPort: 0,
    left: undefined,
    searchPath: process.env['PATH'] ?? '',
    say: () => undefined,
    note: shout(),
    at: () => undefined,
  });
  if (server.started !== undefined) remember('temporal', server.started);
  return server.address;
}

/** A build or a download takes minutes: whoever waits is told once. */
function shout(): (text: string) => void {
  let last = '';
  return (text) => {
    const what = text.split(',')[0] ?? text;
    if (what !== last && what !== 'starting' && !what.startsWith('downloading '))
      process.stdout.write(`Temporal: ${what}\n`);
    last = what;
  };
}

async function startRedis(): Promise<string | undefined> {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined;
  const port = await freePort(0, '127.0.0.1');
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    ownHome(),
  ];
  const child = spawn('redis-server', args, { detached: true, stdio: 'ignore' });
  child.unref();
  const found = child.pid === undefined ? undefined : identify(child.pid);
  if (found === undefined) throw new Error('redis-server ended right after its start');
  remember('redis', { ...found, address: `127.0.0.1:${port}` });
  while (isAlive(found)) {
    const answer = spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' }).stdout;
    if (answer.trim() === 'PONG') return `redis://127.0.0.1:${port}`;
  }
  throw new Error('redis-server ended right after its start');
}

function ownHome(): string {
  if (home !== undefined) return home;
  mkdirSync(HOMES, { recursive: true });
  home = mkdtempSync(join(HOMES, 'run-'));
  openState(home);
  takeHome(home);
  return home;
}

/** Written down at once: a run that is killed is swept by the next. */
function remember(name: string, server: StartedServer): void {
  started.set(name, server);
  const run = readRun(ownHome());
  if (run !== undefined) writeRun(ownHome(), { ...run, started: Object.fromEntries(started) });
}

async function sweepKilledRuns(): Promise<void> {
  mkdirSync(HOMES, { recursive: true });
  for (const name of readdirSync(HOMES)) {
    const old = join(HOMES, name);
    if (liveRun(old) === undefined && readRun(old) !== undefined) await endRun(old);
  }
}

async function endRun(folder: string): Promise<void> {
  const servers = Object.entries(readRun(folder)?.started ?? {});
  await Promise.all(
    servers.map(([name, server]) => end(server, 5, name === 'postgres' ? 'SIGINT' : 'SIGKILL')),
  );
  await removeEmbeddedPostgres(folder);
  rmSync(folder, { recursive: true, force: true });
}
