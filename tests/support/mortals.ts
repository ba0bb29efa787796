import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '../chaos/eventually.ts';
import { asAdmin } from './database.ts';

/** Processes that are killed, or kill themselves. None outlives the test. */
export function mortals() {
  const children = new Set<ChildProcess>();
  const gone = async (child: ChildProcess) => {
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    children.delete(child);
  };
  return {
    /** Runs the script at `url`; what it says comes as `message`. */
    start: (url: URL, env: Readonly<Record<string, string>>): ChildProcess => {
      const child = fork(fileURLToPath(url), {
        execArgv: ['--import', 'tsx'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: { ...process.env, ...env },
      });
      children.add(child);
      return child;
    },
    kill: async (child: ChildProcess): Promise<void> => {
      child.kill('SIGKILL');
      await gone(child);
    },
    /** By its own hand, without a word. */
    killedItself: async (child: ChildProcess): Promise<void> => {
      await gone(child);
      assert.equal(child.signalCode, 'SIGKILL');
    },
    close: async (): Promise<void> => {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all([...children].map(gone));
    },
  };
}

/**
 * Holds `lock` in a transaction of its own until somebody waits for it, and for `work`, which finds that somebody in the
 * middle of a transaction.
 */
export async function whileWaitedFor(url: string, lock: string, work: () => Promise<void>): Promise<void> {
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
                      and xact_start is not null`;
  await asAdmin(async (holder) => {
    await holder.query(`begin; ${lock}`);
    await asAdmin(
      (other) =>
        eventually(
          'somebody waits for the lock',
          async () => (await other.query(waiting)).rowCount === 1,
          60,
        ),
      url,
    );
    await work();
    await holder.query('rollback');
  }, url);
}
