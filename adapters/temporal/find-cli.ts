import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildCli } from './build-cli.ts';
import { TemporalMissing } from './connect.ts';

export type FindOptions = {
  readonly cliPath: string | undefined;
  /** Where a downloaded one is kept. */
  readonly downloads: string;
  readonly searchPath: string;
  readonly note: (text: string) => void;
  readonly at: (done: number, total: number) => void;
};

const EXE = process.platform === 'win32' ? '.exe' : '';

/** Binaries built once serve every checkout of this user. */
function cacheFolder(): string {
  return join(homedir(), '.cache', 'countersign', 'bin');
}

/**
 * A Temporal CLI: the one named, the one on the PATH, the SDK's download, or one built by Go.
 *
 * @throws {TemporalMissing} naming all the ways, and what became of each
 */
export async function findCli(options: FindOptions): Promise<string> {
  const { cliPath, downloads, note } = options;
  if (cliPath !== undefined) return named(cliPath);
  const ready = [onPath(options.searchPath), downloaded(downloads), built()].find(
    (found) => found !== undefined,
  );
  if (ready !== undefined) return ready;
  note('downloading a Temporal CLI');
  const downloadProblem = await download(downloads, note);
  const fetched = downloaded(downloads);
  if (fetched !== undefined) return fetched;
  const buildProblem = await buildCli(cacheFolder(), options);
  const compiled = built();
  if (compiled !== undefined) return compiled;
  throw new TemporalMissing(allTheWays(downloadProblem, buildProblem));
}

function named(path: string): string {
  if (works(path)) return path;
  throw new TemporalMissing(`TEMPORAL_CLI_PATH is ${path}, and that is no Temporal CLI that runs here.`);
}

function onPath(searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, `temporal${EXE}`))
    .find((path) => existsSync(path) && works(path));
}

function built(): string | undefined {
  const path = join(cacheFolder(), `temporal${EXE}`);
  return existsSync(path) && works(path) ? path : undefined;
}

function downloaded(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => name.startsWith('temporal-') && !name.includes('.download'))
    .map((name) => join(folder, name))
    .find(works);
}

function works(path: string): boolean {
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** Answers what went wrong, if anything did. Given up when no byte has come for twenty seconds. */
async function download(folder: string, note: (text: string) => void): Promise<string | undefined> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const script = fileURLToPath(new URL('./download.ts', import.meta.url));
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;
  const child = spawn(process.execPath, ['--import', loader, script, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-4000);
  });
  let bytes = 0;
  let grewAt = Date.now();
  const watch = setInterval(() => {
    const size = sizeOf(folder);
    if (size > bytes) grewAt = Date.now();
    bytes = size;
    note(`downloading a Temporal CLI, ${Math.round(bytes / 1e6)} MB`);
    if (Date.now() - grewAt > 20_000) child.kill('SIGKILL');
  }, 500);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    if (status === 0) return undefined;
    return status === null ? 'nothing came for 20 s' : (/^\w*Error: (.*)$/m.exec(said)?.[1] ?? 'it failed');
  } finally {
    clearInterval(watch);
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

function allTheWays(downloadProblem: string | undefined, buildProblem: string | undefined): string {
  return [
    'There is no Temporal to be had. Any one of these helps:',
    '  - set TEMPORAL_ADDRESS=host:port to a server that runs',
    '  - start one on 127.0.0.1:7233 (TEMPORAL_PORT looks elsewhere)',
    '  - install the Temporal CLI (package manager, container image, https://docs.temporal.io/cli) so that `temporal` is on the PATH, or set TEMPORAL_CLI_PATH',
    `  - let it be downloaded: ${downloadProblem ?? 'what came does not run here'}`,
    `  - install Go, and it is built once (3 to 6 minutes): ${buildProblem ?? 'what was built does not run here'}`,
  ].join('\n');
}
