import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../platform/ports.ts';
import { end, identify, isAlive, type ProcessId } from '../../platform/processes.ts';
import { readSecrets, type State } from '../../platform/state.ts';
import { asUser, findBinaries, programIn } from './binaries.ts';
import { endBackends, findPostmaster } from './leftovers.ts';
import { findPlace, type Place } from './place.ts';

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';

export type EmbeddedPostgres = {
  readonly port: number;
  readonly process: ProcessId;
  /** It ran already: a killed start left it behind. */
  readonly adopted: boolean;
  /** Superuser's address of one of its databases. For loopback and development only. */
  url(database: string): string;
  /** Ends connections, writes everything down and waits. A repeat does nothing. */
  stop(): Promise<void>;
};

export type EmbeddedOptions = {
  readonly state: State;
  /** Another port is used when this one is taken. */
  readonly port: number;
  /** Things the person at the keyboard should know, a line each. */
  readonly say: (line: string) => void;
  /** What is being done right now. */
  readonly note: (text: string) => void;
  /** Further settings, for tests: durability off, say. */
  readonly settings?: Readonly<Record<string, string>>;
};

/**
 * Starts PostgreSQL on the installation's own data directory, making it at the first start, or takes over the
 * server that already runs on it. The server outlives us when we are killed; the next start takes it over.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { state, say, note } = options;
  const password = readSecrets(state).postgres_password;
  const place = findPlace(state, say);
  const { bin } = findBinaries(place.user, place.programs);
  if (!existsSync(place.data)) {
    note('creating the database files');
    initialise(bin, place, password);
  }
  const adopted = await adopt(place, password, note);
  if (adopted !== undefined) return serverOf(bin, place, adopted.process, adopted.port, password, true);
  const ended = await endBackends(place.data);
  if (ended > 0)
    say(`Ended ${ended} leftover PostgreSQL process${ended === 1 ? '' : 'es'} of a server that was killed.`);
  const port = await freePort(options.port, HOST);
  if (port !== options.port && options.port !== 0) {
    say(`Port ${options.port} is taken: PostgreSQL listens on ${port} (POSTGRES_PORT chooses another).`);
  }
  note('starting');
  const started = await launch(bin, place, port, password, options.settings ?? {});
  return serverOf(bin, place, started, port, password, false);
}

/** Complete or not there at all: a half-made directory of a killed start is made again. */
function initialise(bin: string, place: Place, password: string): void {
  const draft = join(place.folder, 'data.new');
  const passwordFile = join(place.folder, 'password');
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (place.user !== undefined) chownSync(passwordFile, place.user.uid, place.user.gid);
  try {
    const made = spawnSync(
      programIn(bin, 'initdb'),
      [
        `--pgdata=${draft}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorts by code point, the same on every machine and after every upgrade of its libraries.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
      ],
      { ...asUser(place.user), cwd: place.folder, encoding: 'utf8', env: cleanEnvironment() },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr.trim()}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, place.data);
}

async function adopt(
  place: Place,
  password: string,
  note: (text: string) => void,
): Promise<{ readonly process: ProcessId; readonly port: number } | undefined> {
  const running = findPostmaster(place.data);
  if (running === undefined) return undefined;
  note('taking over the server a killed start left behind');
  try {
    await untilItAnswers(() => isAlive(running.process), running.port, password, 30);
    return running;
  } catch (error) {
    if (!(error instanceof NotAnswering)) throw error;
    note('ending a server that does not answer');
    await end(running.process, 10, 'SIGINT');
    return undefined;
  }
}

async function launch(
  bin: string,
  place: Place,
  port: number,
  password: string,
  more: Readonly<Record<string, string>>,
): Promise<ProcessId> {
  const logFile = join(place.folder, 'start.log');
  const log = openSync(logFile, 'w', 0o600);
  const settings = Object.entries({ ...SETTINGS, port: String(port), ...more });
  const child = spawn(
    programIn(bin, 'postgres'),
    ['-D', place.data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // Detached: a Ctrl-C in our terminal is ours, and the server goes down in good order afterwards.
    {
      ...asUser(place.user),
      cwd: place.folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: cleanEnvironment(),
    },
  );
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  closeSync(log);
  child.unref();
  let gone = false;
  child.once('exit', () => {
    gone = true;
  });
  try {
    await Promise.race([failed, untilItAnswers(() => !gone, port, password, 120)]);
  } catch (error) {
    throw new Error(`PostgreSQL does not start:\n${readFileSync(logFile, 'utf8').trim().slice(-2000)}`, {
      cause: error,
    });
  }
  const started = child.pid === undefined ? undefined : identify(child.pid);
  if (started === undefined) throw new Error('PostgreSQL ended right after its start');
  return started;
}

/** No statement, value or row ever reaches its log. */
const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '200',
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgresql-%a.log',
  log_truncate_on_rotation: 'on',
  log_rotation_age: '1d',
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_min_duration_statement: '-1',
} as const;

/** Variables such as PGDATA and PGPORT of a developer's own server must not reach ours. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && name !== 'LC_ALL');
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

class NotAnswering extends Error {}

async function untilItAnswers(
  lives: () => boolean,
  port: number,
  password: string,
  seconds: number,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (lives()) {
    if (await answers(port, password)) return;
    if (Date.now() > deadline) throw new NotAnswering(`no answer in ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new NotAnswering('it ended');
}

async function answers(port: number, password: string): Promise<boolean> {
  const client = new Client({
    connectionString: addressOf(port, password, 'postgres'),
    connectionTimeoutMillis: 2000,
  });
  // A server that goes away while we look is one that does not answer.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    // Wrong password: somebody else's server is on that port, and no waiting will change that.
    if (error instanceof Error && 'code' in error && error.code === '28P01') throw error;
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function addressOf(port: number, password: string, database: string): string {
  return `postgres://${SUPERUSER}:${encodeURIComponent(password)}@${HOST}:${port}/${encodeURIComponent(database)}`;
}

function serverOf(
  bin: string,
  place: Place,
  process: ProcessId,
  port: number,
  password: string,
  adopted: boolean,
): EmbeddedPostgres {
  return {
    port,
    process,
    adopted,
    url: (database) => addressOf(port, password, database),
    stop: () => stop(bin, place, process),
  };
}

async function stop(bin: string, place: Place, server: ProcessId): Promise<void> {
  if (!isAlive(server)) return;
  await new Promise<void>((resolve, reject) => {
    const child = spawn(
      programIn(bin, 'pg_ctl'),
      ['stop', '-D', place.data, '-m', 'fast', '-w', '-t', '30'],
      {
        ...asUser(place.user),
        cwd: place.folder,
        stdio: 'ignore',
        detached: true,
        env: cleanEnvironment(),
      },
    );
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  // It did not go in thirty seconds: recovery at the next start makes up for it.
  await end(server, 5, 'SIGQUIT');
}

/** Makes the database when it is missing. Answers whether it was. */
export async function ensureDatabase(server: EmbeddedPostgres, name: string): Promise<boolean> {
  const client = new Client({ connectionString: server.url('postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount !== 0) return false;
    await client.query(`create database ${client.escapeIdentifier(name)}`);
    return true;
  } finally {
    await client.end();
  }
}
