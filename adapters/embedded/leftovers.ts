import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import {
  end,
  identify,
  isAlive,
  type ProcessId,
  processesIn,
  signalTo,
  waitForEnd,
} from '../../platform/processes.ts';

/** What `postmaster.pid` of a data directory says. */
export type Postmaster = { readonly process: ProcessId; readonly port: number; readonly ready: boolean };

/** The server that runs on our data directory, if one does. Its number alone proves nothing: it may be used again. */
export function findPostmaster(data: string): Postmaster | undefined {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const found = ours(data).find((candidate) => candidate.pid === pid);
  if (found === undefined) return undefined;
  return { process: found, port: Number(lines[3]), ready: (lines[7] ?? '').trim() === 'ready' };
}

/**
 * Ends the backends that a killed server left at work on our data directory. A busy one notices the death of
 * its server only when its statement ends, and until then no new server may start.
 */
export async function endBackends(data: string): Promise<number> {
  const left = ours(data).filter(isAlive);
  for (const backend of left) signalTo(backend, 'SIGQUIT');
  for (const backend of left) {
    // Whatever they were doing is undone by recovery in any case.
    if (!(await waitForEnd(backend, 1))) await end(backend, 1, 'SIGKILL');
  }
  return left.length;
}

/** PostgreSQL's processes work inside their data directory, and nobody else does. */
function ours(data: string): readonly ProcessId[] {
  if (!existsSync(data)) return [];
  const directory = realpathSync(data);
  if (process.platform === 'darwin') return byLsof(directory);
  if (process.platform === 'win32') return byFile(data);
  return processesIn(directory);
}

function byLsof(directory: string): readonly ProcessId[] {
  const listed = tryRun('lsof', ['-a', '-c', 'postgres', '-d', 'cwd', '-Fpn']).split('\n');
  const pids = listed.flatMap((line, at) =>
    line === `n${directory}`
      ? [
          Number(
            listed
              .slice(0, at)
              .findLast((before) => before.startsWith('p'))
              ?.slice(1),
          ),
        ]
      : [],
  );
  return pids.map(identify).filter((found) => found !== undefined);
}

/** Windows tells nobody's working directory; there the file's word is all there is, checked by the program's name. */
function byFile(data: string): readonly ProcessId[] {
  const file = join(data, 'postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : Number.NaN;
  if (!Number.isInteger(pid)) return [];
  if (!tryRun('tasklist', ['/FI', `PID eq ${pid}`, '/NH']).includes('postgres')) return [];
  const found = identify(pid);
  return found === undefined ? [] : [found];
}

function tryRun(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    // lsof answers with status 1 when it finds nothing.
    if (error instanceof Error && 'status' in error) return '';
    throw error;
  }
}
