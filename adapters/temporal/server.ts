import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, isFree } from '../../platform/ports.ts';
import { end, identify, isAlive, type ProcessId } from '../../platform/processes.ts';
import type { StartedServer } from '../../platform/run-file.ts';
import { isTemporal, TemporalMissing } from './connect.ts';
import { findCli } from './find-cli.ts';

const HOST = '127.0.0.1';

/** The Temporal this installation works with. */
export type TemporalServer = {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** Set when we started it, now or in a run that was killed; only then it is ours to stop. */
  readonly started: StartedServer | undefined;
  /** Ends what we started, nothing else. A repeat does nothing. */
  stop(): Promise<void>;
};

export type TemporalOptions = {
  /** `TEMPORAL_ADDRESS`: used as it is, nothing is ever started. */
  readonly address: string | undefined;
  readonly cliPath: string | undefined;
  /** Where the server's database and log are kept. */
  readonly home: string;
  /** Where a downloaded CLI is kept. */
  readonly downloads: string;
  readonly port: number;
  readonly uiPort: number;
  /** What a killed run left behind. */
  readonly left: StartedServer | undefined;
  readonly searchPath: string;
  readonly say: (line: string) => void;
  readonly note: (text: string) => void;
  readonly at: (done: number, total: number) => void;
  /** Told of the process at once, long before it answers. */
  readonly spawned?: (server: StartedServer) => void;
};

/**
 * Finds or starts a Temporal server for development, in this order: `TEMPORAL_ADDRESS`; what a killed run of ours
 * left behind; a healthy server on the port; one of our own, by the first CLI that can be had.
 *
 * @throws {TemporalMissing} naming what helps
 */
export async function findOrStartTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const { address, port, uiPort, left, note } = options;
  if (address !== undefined) return found(address, undefined);
  const adopted = await adopt(left, note);
  if (adopted !== undefined) return adopted;
  const there = `${HOST}:${port}`;
  if (port !== 0 && !(await isFree(port, HOST)) && (await isTemporal(there))) {
    const hasUi = await isWeb(`http://${HOST}:${uiPort}`);
    return found(there, hasUi ? `http://${HOST}:${uiPort}` : undefined);
  }
  return start(options, await findCli(options));
}

function found(address: string, uiUrl: string | undefined): TemporalServer {
  return { address, uiUrl, started: undefined, stop: () => Promise.resolve() };
}

function ours(started: StartedServer): TemporalServer {
  return {
    address: started.address,
    uiUrl: started.uiUrl,
    started,
    stop: () => end(started, 15),
  };
}

async function adopt(left: StartedServer | undefined, note: (text: string) => void) {
  if (left === undefined || !isAlive(left)) return undefined;
  note('taking over the server a killed start left behind');
  if (await isTemporal(left.address)) return ours(left);
  note('ending a server that does not answer');
  await end(left, 5);
  return undefined;
}

async function start(options: TemporalOptions, cli: string): Promise<TemporalServer> {
  const { home, say, note } = options;
  const port = await portFor('Temporal', 'TEMPORAL_PORT', options.port, say);
  const uiPort = await portFor("Temporal's web UI", 'TEMPORAL_UI_PORT', options.uiPort, say);
  const logFile = join(home, 'temporal.log');
  const log = openSync(logFile, 'w', 0o600);
  note('starting');
  const child = spawn(cli, argumentsFor(join(home, 'temporal.db'), port, uiPort), {
    cwd: home,
    // Detached: a Ctrl-C in our terminal is ours; the server goes down after the workers have drained.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const failure = new Promise<never>((_resolve, reject) => child.once('error', reject));
  const process = child.pid === undefined ? undefined : identify(child.pid);
  const address = `${HOST}:${port}`;
  const uiUrl = `http://${HOST}:${uiPort}`;
  if (process !== undefined) options.spawned?.({ ...process, address, uiUrl });
  try {
    await Promise.race([failure, untilItAnswers(address, process)]);
  } catch (error) {
    if (process !== undefined) await end(process, 5);
    throw new TemporalMissing(
      `Temporal does not start (${cli}):\n${readFileSync(logFile, 'utf8').slice(-2000)}`,
      error,
    );
  }
  if (process === undefined) throw new TemporalMissing(`Temporal ended right after its start (${cli})`);
  return ours({ ...process, address, uiUrl });
}

async function untilItAnswers(address: string, server: ProcessId | undefined): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    if (server === undefined || !isAlive(server)) throw new Error('it ended');
    if (await isTemporal(address)) return;
    if (Date.now() > deadline) throw new Error('no answer in 120 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * One shard polls its queues 20 times a second by default: 50 ms for every hop of a workflow. The frontend's
 * limits are those of a free account; here the machine is the limit.
 */
const TUNING: Readonly<Record<string, number>> = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.transferProcessorMaxPollHostRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollHostRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollHostRPS': 2000,
  'frontend.namespaceRPS': 10_000,
};

/**
 * By default SQLite waits for the disk several times in every one of its transactions, one after the other: 14 signals
 * a second where these give 70. The file survives a kill like before. Of a machine that goes down, the last moments may
 * be missing, and Postgres, which decides, has what the sweeper then starts again.
 */
const PRAGMAS: Readonly<Record<string, string>> = { journal_mode: 'WAL', synchronous: 'NORMAL' };

function argumentsFor(database: string, port: number, uiPort: number): readonly string[] {
  const place = ['--ip', HOST, '--port', String(port), '--ui-ip', HOST, '--ui-port', String(uiPort)];
  const file = ['--db-filename', database, ...flags('--sqlite-pragma', PRAGMAS)];
  const tuning = flags('--dynamic-config-value', TUNING);
  return ['server', 'start-dev', ...place, ...file, '--log-level', 'error', ...tuning];
}

function flags(name: string, values: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => [name, `${key}=${value}`]);
}

async function portFor(
  what: string,
  variable: string,
  wanted: number,
  say: (line: string) => void,
): Promise<number> {
  const port = await freePort(wanted, HOST);
  if (port !== wanted && wanted !== 0) {
    say(`Port ${wanted} is taken: ${what} listens on ${port} (${variable} chooses another).`);
  }
  return port;
}

async function isWeb(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch (error) {
    // Nobody listens, or somebody who does not speak HTTP.
    if (error instanceof Error) return false;
    throw error;
  }
}
