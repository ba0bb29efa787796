import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { identify, isAlive } from './processes.ts';

const PROCESS = z.object({ pid: z.int().positive(), startedAt: z.string() });

const SERVER = PROCESS.extend({ address: z.string(), uiUrl: z.string().optional() });
/** A server that a start has started, and where it listens. */
export type StartedServer = z.output<typeof SERVER>;

const RUN = z.object({
  /** The process that holds this home. */
  holder: PROCESS,
  /** Servers it started and will stop; a later start adopts or ends them when the holder was killed. */
  started: z.record(z.string(), SERVER),
  urls: z.record(z.string(), z.string()),
  /** What a process beside it needs to know. Passwords of the loopback database included: the file is 0600. */
  environment: z.record(z.string(), z.string()),
});
export type RunFile = z.output<typeof RUN>;

const fileOf = (home: string) => join(home, 'run.json');

/** The run of this home, whether or not its holder lives. Undefined when there is none or it is half-written. */
export function readRun(home: string): RunFile | undefined {
  let text: string;
  try {
    text = readFileSync(fileOf(home), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const parsed = RUN.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The run of this home if the process that holds it is alive. */
export function liveRun(home: string): RunFile | undefined {
  const run = readRun(home);
  return run !== undefined && isAlive(run.holder) ? run : undefined;
}

export function writeRun(home: string, run: RunFile): void {
  const draft = `${fileOf(home)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, fileOf(home));
}

export function removeRun(home: string): void {
  rmSync(fileOf(home), { force: true });
}

/** Somebody else's stack runs on this home. */
export class HomeInUse extends Error {
  constructor(home: string, run: RunFile) {
    const urls = Object.entries(run.urls).map(([name, url]) => `  ${name}: ${url}`);
    super(
      [
        `Countersign already runs on ${home}: process ${run.holder.pid}.`,
        ...urls,
        `Stop it (Ctrl-C there, or kill ${run.holder.pid}), or start this one elsewhere: COUNTERSIGN_HOME=<folder> npm start`,
      ].join('\n'),
    );
    this.name = 'HomeInUse';
  }
}

/**
 * Takes the home for this process and answers with what the run before left behind, if it was killed.
 *
 * @throws {HomeInUse} while another live process holds it
 */
export function takeHome(home: string): RunFile | undefined {
  const lock = join(home, 'start.lock');
  const me = identify(process.pid);
  if (me === undefined) throw new Error('This process has no start time');
  return withLock(lock, () => {
    const live = liveRun(home);
    if (live !== undefined && live.holder.pid !== process.pid) throw new HomeInUse(home, live);
    const left = readRun(home);
    writeRun(home, { holder: me, started: left?.started ?? {}, urls: {}, environment: {} });
    return left;
  });
}

/** Two starts in the same instant: one of them makes the lock file. A lock whose maker is gone does not count. */
function withLock<T>(path: string, critical: () => T): T {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, JSON.stringify(identify(process.pid)), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      if (attempt === 0 && !heldByLiveProcess(path)) {
        rmSync(path, { force: true });
        continue;
      }
      throw new Error(`Another start is just taking this home (${path}); try again in a moment`, {
        cause: error,
      });
    }
    try {
      return critical();
    } finally {
      rmSync(path, { force: true });
    }
  }
  throw new Error(`Cannot take ${path}`);
}

function heldByLiveProcess(path: string): boolean {
  try {
    const holder = PROCESS.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return holder.success && isAlive(holder.data);
  } catch (error) {
    // Gone meanwhile, or its maker died before it wrote a word.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return false;
    throw error;
  }
}
