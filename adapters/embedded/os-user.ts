import { execFileSync, spawnSync } from 'node:child_process';

/** An account of the operating system. */
export type OsUser = { readonly name: string; readonly uid: number; readonly gid: number };

const NAME = 'countersign';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The account PostgreSQL runs under when we are root, which it refuses. Made at the first need. */
export function ownUser(): OsUser {
  const known = findUser(NAME);
  if (known !== undefined) return known;
  createUser();
  const made = findUser(NAME);
  if (made === undefined) throw new Error(CANNOT);
  return made;
}

const CANNOT =
  `PostgreSQL refuses to run as root, and the system user "${NAME}" cannot be made here. ` +
  'Start as a plain user, make that user yourself, or set DATABASE_URL.';

function createUser(): void {
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME]],
    ['adduser', ['-S', '-D', '-H', NAME]],
  ];
  for (const [command, args] of ways) {
    if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return;
  }
  throw new Error(CANNOT);
}

function findUser(name: string): OsUser | undefined {
  const uid = idOf('-u', name);
  const gid = idOf('-g', name);
  return uid === undefined || gid === undefined ? undefined : { name, uid, gid };
}

/** The account that owns a directory made earlier. */
export function userOf(uid: number): OsUser {
  const gid = idOf('-g', String(uid));
  if (gid === undefined) throw new Error(`There is no user ${uid} any more, and its database is still here`);
  return { name: execFileSync('id', ['-un', String(uid)], { encoding: 'utf8' }).trim(), uid, gid };
}

function idOf(flag: string, who: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, who], { encoding: 'utf8' });
  return status === 0 ? Number(stdout.trim()) : undefined;
}
