import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { end } from '../../platform/processes.ts';
import { endBackends, findPostmaster } from './leftovers.ts';
import { dataFolderName, OUTSIDE } from './place.ts';

const PLACE = z.object({ folder: z.string() });

/** Ends the server of this home, if one runs, and deletes its data, wherever the home says it is. */
export async function removeEmbeddedPostgres(home: string): Promise<void> {
  const note = join(home, 'postgres.json');
  if (!existsSync(note)) return;
  const { folder } = PLACE.parse(JSON.parse(readFileSync(note, 'utf8')));
  const data = join(folder, dataFolderName);
  const running = findPostmaster(data);
  if (running !== undefined) await end(running.process, 15, 'SIGINT');
  await endBackends(data);
  // A damaged note must not make us delete somebody else's directory.
  const isOurs = dirname(folder) === OUTSIDE || folder === join(home, 'postgres');
  if (isOurs) rmSync(folder, { recursive: true, force: true });
  rmSync(note, { force: true });
}
