import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureDatabase, startEmbeddedPostgres } from '../../adapters/embedded/postgres.ts';
import { removeEmbeddedPostgres } from '../../adapters/embedded/remove.ts';
import { findOrStartTemporal } from '../../adapters/temporal/server.ts';
import { freePort } from '../../platform/ports.ts';
import {
  identify,
  isAlive,
  processesIn,
  type ProcessId,
  signalTo,
  waitForEnd,
} from '../../platform/processes.ts';
import { openState } from '../../platform/state.ts';

/** A server of this suite's own: it can be killed, frozen, and started again with the same data on the same port. */
export type Server = {
  /** Starts it unless it runs, and lets it run on when it is frozen. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  freeze(): void;
  thaw(): void;
};

/** What to do with processes that may be gone. */
function control(find: () => ProcessId | undefined, all: (main: ProcessId) => readonly ProcessId[]) {
  const signal = (name: NodeJS.Signals) => {
    const main = find();
    for (const one of main === undefined ? [] : all(main)) signalTo(one, name);
  };
  return {
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async kill() {
      const main = find();
      if (main === undefined) return;
      signalTo(main, 'SIGKILL');
      if (!(await waitForEnd(main, 10))) throw new Error(`Process ${main.pid} survived its SIGKILL.`);
    },
  };
}

const alone = (main: ProcessId) => [main];

export type OwnPostgres = Server & { readonly url: string; remove(): Promise<void> };

export async function ownPostgres(folder: string): Promise<OwnPostgres> {
  const home = join(folder, 'postgres-home');
  const state = openState(home);
  const launch = (port: number) =>
    startEmbeddedPostgres({
      state,
      port,
      say: () => undefined,
      note: () => undefined,
      // A killed process loses nothing that the kernel has: only a machine that goes down needs fsync.
      settings: { fsync: 'off' },
    });
  let server = await launch(0);
  const { port } = server;
  await ensureDatabase(server, 'countersign');
  // Every process of the server works in its data directory.
  const all = (main: ProcessId) => processesIn(readlinkSync(`/proc/${main.pid}/cwd`));
  const { thaw, ...rest } = control(() => (isAlive(server.process) ? server.process : undefined), all);
  return {
    ...rest,
    thaw,
    url: server.url('countersign'),
    async start() {
      thaw();
      if (!isAlive(server.process)) server = await launch(port);
      if (server.port !== port) throw new Error(`PostgreSQL came back on port ${server.port}, not ${port}.`);
    },
    async remove() {
      thaw();
      await removeEmbeddedPostgres(home);
    },
  };
}

export type OwnTemporal = Server & { readonly address: string };

export async function ownTemporal(folder: string): Promise<OwnTemporal> {
  const launch = (port: number, uiPort: number) =>
    findOrStartTemporal({
      address: undefined,
      cliPath: process.env['TEMPORAL_CLI_PATH'],
      home: folder,
      downloads: resolve('.cache/temporal'),
      port,
      uiPort,
      left: undefined,
      searchPath: process.env['PATH'] ?? '',
      say: () => undefined,
      note: () => undefined,
      at: () => undefined,
    });
  let server = await launch(0, 0);
  const { address } = server;
  const find = () => (server.started && isAlive(server.started) ? server.started : undefined);
  const { thaw, ...rest } = control(find, alone);
  return {
    ...rest,
    thaw,
    address,
    async start() {
      thaw();
      if (find() === undefined) server = await launch(portOf(address), portOf(server.uiUrl ?? ''));
      if (server.address !== address)
        throw new Error(`Temporal came back at ${server.address}, not ${address}.`);
    },
  };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

export type OwnRedis = Server & { readonly url: string };

/** Undefined where there is no redis-server. */
export async function ownRedis(folder: string): Promise<OwnRedis | undefined> {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined;
  const port = await freePort(0, '127.0.0.1');
  let running: ProcessId | undefined;
  const { thaw, ...rest } = control(() => running, alone);
  const start = async () => {
    thaw();
    if (running === undefined || !isAlive(running)) running = await launchRedis(port, folder);
  };
  await start();
  return { ...rest, thaw, start, url: `redis://127.0.0.1:${port}` };
}

async function launchRedis(port: number, folder: string): Promise<ProcessId> {
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
    folder,
  ];
  const child = spawn('redis-server', args, { detached: true, stdio: 'ignore' });
  child.unref();
  const found = child.pid === undefined ? undefined : identify(child.pid);
  while (found !== undefined && isAlive(found)) {
    const { stdout } = spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' });
    if (stdout.trim() === 'PONG') return found;
  }
  throw new Error('redis-server ended right after its start.');
}
