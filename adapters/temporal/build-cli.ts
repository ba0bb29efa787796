import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** The last version whose go.mod lets `go install` have it. */
const MODULE = 'github.com/temporalio/cli';
const VERSION = 'v1.5.1';

export type BuildProgress = {
  readonly note: (text: string) => void;
  readonly at: (done: number, total: number) => void;
};

/** Builds the Temporal CLI into `folder`. Answers why not, if not. */
export async function buildCli(folder: string, { note, at }: BuildProgress): Promise<string | undefined> {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) return 'Go is not installed';
  note('getting the sources of the Temporal CLI');
  const source = await download();
  if (source === undefined) return `the sources of ${MODULE}@${VERSION} cannot be had`;
  const total = await countPackages(source, note);
  mkdirSync(folder, { recursive: true });
  note('building the Temporal CLI, once');
  let done = 0;
  const status = await runGo(
    ['install', '-v', `${MODULE}/cmd/temporal@${VERSION}`],
    { GOBIN: folder },
    () => {
      done += 1;
      // Packages that Go has in its cache are not named, so the end may come early.
      at(Math.min(done, total), total);
    },
  );
  return status === 0 ? undefined : `go install ended with ${status}`;
}

async function download(): Promise<string | undefined> {
  let answer = '';
  const status = await runGo(['mod', 'download', '-json', `${MODULE}@${VERSION}`], {}, (line) => {
    answer += line;
  });
  if (status !== 0) return undefined;
  const parsed = z.object({ Dir: z.string() }).safeParse(JSON.parse(answer));
  return parsed.success ? parsed.data.Dir : undefined;
}

/** How many packages there are to compile; this also brings their sources here. */
async function countPackages(source: string, note: (text: string) => void): Promise<number> {
  let count = 0;
  await runGo(
    ['list', '-mod=readonly', '-deps', './cmd/temporal'],
    {},
    (line) => {
      if (line.startsWith('go: downloading')) note(line.slice('go: '.length));
      else count += 1;
    },
    source,
  );
  return count;
}

function runGo(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
  cwd?: string,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', [...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    createInterface(child.stdout).on('line', onLine);
    createInterface(child.stderr).on('line', onLine);
    child.once('error', reject);
    child.once('close', resolve);
  });
}
