import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

/** A process that cannot be confused with a later one of the same number. */
export type ProcessId = { readonly pid: number; readonly startedAt: string };

/**
 * When a process was started, in whatever words the system has for it; undefined when there is none.
 * Numbers are given out again, a number with its start time is not.
 */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux') return linuxStartTime(pid);
  try {
    if (process.platform === 'win32') {
      const script = `(Get-Process -Id ${pid}).StartTime.Ticks`;
      return nonEmpty(run('powershell', ['-NoProfile', '-Command', script]));
    }
    return nonEmpty(run('ps', ['-o', 'lstart=', '-p', String(pid)]));
  } catch (error) {
    if (error instanceof Error && 'status' in error) return undefined; // no such process
    throw error;
  }
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Jiffies since boot, with the boot's own id: numbers begin again after a restart of the machine. */
function linuxStartTime(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything, spaces and brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  if (state === 'Z' || started === undefined) return undefined;
  return `${(readProc('/proc/sys/kernel/random/boot_id') ?? '').trim()}:${started}`;
}

export function identify(pid: number): ProcessId | undefined {
  const startedAt = startTimeOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isAlive(process: ProcessId): boolean {
  return startTimeOf(process.pid) === process.startedAt;
}

/** Signals a process unless it is gone or its number belongs to another one now. Answers whether it was sent. */
export function signalTo(target: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Answers whether the process was gone in time. */
export async function waitForEnd(target: ProcessId, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (isAlive(target)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

/** Asks, and after `seconds` insists. */
export async function end(
  target: ProcessId,
  seconds: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  if (!signalTo(target, signal)) return;
  if (await waitForEnd(target, seconds)) return;
  signalTo(target, 'SIGKILL');
  await waitForEnd(target, 5);
}

/** Processes whose working directory is `directory` (Linux; elsewhere none are found). */
export function processesIn(directory: string): readonly ProcessId[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingDirectory(name) === directory)
    .map((name) => identify(Number(name)))
    .filter((found) => found !== undefined);
}

/** Undefined on Windows, and when there is no such process. */
export function parentOf(pid: number): number | undefined {
  if (process.platform === 'win32') return undefined;
  if (process.platform === 'linux') {
    const stat = readProc(`/proc/${pid}/stat`);
    return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  try {
    return Number(nonEmpty(run('ps', ['-o', 'ppid=', '-p', String(pid)])));
  } catch (error) {
    if (error instanceof Error && 'status' in error) return undefined;
    throw error;
  }
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (isGoneOrForeign(error)) return undefined;
    throw error;
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isGoneOrForeign(error)) return undefined;
    throw error;
  }
}

function isGoneOrForeign(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(String(error.code))
  );
}

function nonEmpty(text: string): string | undefined {
  return text.trim() === '' ? undefined : text.trim();
}
