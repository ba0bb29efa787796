import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { removeEmbeddedPostgres } from '../../adapters/embedded/remove.ts';
import { end } from '../../platform/processes.ts';
import { HomeInUse, liveRun, readRun } from '../../platform/run-file.ts';
import { loadCommandSettings } from '../../platform/state.ts';

/** What an installation keeps. Nothing else in the directory is touched. */
const OURS =
  /^(installation|secrets|postgres|run)\.json|^(cache|policy-history|policy-index|postgres|temporal|postgres-[\w.-]+)$|^temporal\.(db|log)|^countersign\.log|^start\.lock$/;

export function register(program: Command): void {
  program
    .command('reset')
    .description(
      'Delete everything this installation keeps: database, workflows, keys. The next start is a first one.',
    )
    .option('--json', 'print the result as JSON')
    .action(runReset);
}

async function runReset(options: { readonly json?: true }): Promise<void> {
  const { home } = loadCommandSettings(process.env);
  const removed = existsSync(home) ? await empty(home) : [];
  const text =
    removed.length === 0
      ? `Nothing to delete in ${home}.`
      : `Deleted what was kept in ${home}. \`npm start\` begins afresh.`;
  process.stdout.write(`${options.json === true ? JSON.stringify({ home, removed }) : text}\n`);
}

/** @throws {HomeInUse} while a stack runs on it */
async function empty(home: string): Promise<readonly string[]> {
  const live = liveRun(home);
  if (live !== undefined) throw new HomeInUse(home, live);
  const names = readdirSync(home).filter((name) => OURS.test(name));
  if (names.length > 0 && !names.includes('installation.json')) {
    throw new Error(`${home} is not a state directory of Countersign; nothing was deleted.`);
  }
  // A killed start leaves its servers at work on these files.
  for (const server of Object.values(readRun(home)?.started ?? {})) await end(server, 15, 'SIGINT');
  await removeEmbeddedPostgres(home);
  // Last the file that makes it ours: a reset that is killed half-way can be repeated.
  const last = (name: string) => (name === 'installation.json' ? 1 : 0);
  for (const name of names.toSorted((a, b) => last(a) - last(b)))
    rmSync(join(home, name), { recursive: true, force: true });
  return names;
}
