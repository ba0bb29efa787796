import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { State } from '../../platform/state.ts';
import { isRoot, type OsUser, ownUser, userOf } from './os-user.ts';

/** Where the database lives and whose it is. */
export type Place = {
  /** Holds the data directory and what belongs to it. */
  readonly folder: string;
  readonly data: string;
  /** Undefined: ours. */
  readonly user: OsUser | undefined;
  /** Where programs go that the user cannot reach in the checkout. */
  readonly programs: string;
};

const PLACE = z.object({ folder: z.string() });
export const dataFolderName = 'data';
/** Where the databases of starts as root live, one folder for each installation. */
export const OUTSIDE = '/var/lib/countersign';

/**
 * A plain user's database lives in the state directory. Root's cannot: PostgreSQL runs as another user, who may
 * not enter a directory of mode 0700, so it lives outside and the state directory remembers where.
 */
export function findPlace(state: State, say: (line: string) => void): Place {
  const note = join(state.home, 'postgres.json');
  const known = existsSync(note) ? PLACE.parse(JSON.parse(readFileSync(note, 'utf8'))).folder : undefined;
  const folder = known ?? (isRoot() ? join(OUTSIDE, state.installationId) : join(state.home, 'postgres'));
  if (known === undefined) writeFileSync(note, `${JSON.stringify({ folder })}\n`, { mode: 0o600 });
  if (!isRoot()) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return { folder, data: join(folder, dataFolderName), user: undefined, programs: state.home };
  }
  const user = existsSync(folder) ? ownerOf(folder) : ownUser();
  mkdirSync(OUTSIDE, { recursive: true, mode: 0o755 });
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chownSync(folder, user.uid, user.gid);
    say(
      `Started as root: PostgreSQL runs as the system user "${user.name}", with its data in ${folder} (it may not enter ${state.home}).`,
    );
  }
  return { folder, data: join(folder, dataFolderName), user, programs: OUTSIDE };
}

function ownerOf(folder: string): OsUser {
  const { uid } = statSync(folder);
  if (uid !== 0) return userOf(uid);
  // A start that was killed between making the folder and giving it away.
  const user = ownUser();
  chownSync(folder, user.uid, user.gid);
  return user;
}
