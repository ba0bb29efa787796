import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { PolicySourceError, type PolicySource, type StoredVersion } from '../../domain/policy-source.ts';

/** What is larger is listed and never copied. */
const MOST_KEPT_BYTES = 1024 * 1024;
const VERSION_ID = /^(\d{1,9})-[0-9a-f]{64}$/;

/**
 * A folder of Markdown files. Files have no versions, so each listing keeps a copy of every content it has not seen
 * last under that name in `history` (a folder of our own): an edited file is a new version, and the old one stays
 * readable. One process at a time lists; others may read.
 */
export function folderSource(folder: string, history: string): PolicySource {
  const root = resolve(folder);
  const kept = resolve(history);
  return {
    description: `folder ${root}`,
    versions: () => asked(root, () => list(root, kept)),
    read: (version) => asked(root, () => read(kept, version)),
    close: async () => {},
  };
}

async function list(root: string, kept: string): Promise<readonly StoredVersion[]> {
  const live = new Map<string, string>();
  const large: StoredVersion[] = [];
  for (const key of await filesOf(root)) {
    const path = join(root, key);
    const { size, mtime } = await stat(path);
    if (size > MOST_KEPT_BYTES) {
      const versionId = createHash('sha256').update(`${size} ${mtime.toISOString()}`).digest('hex');
      large.push({ key, versionId, storedAt: mtime.toISOString(), bytes: size, isLatest: true });
    } else live.set(key, await keep(kept, key, await readFile(path)));
  }
  const tooLarge = new Set(large.map(({ key }) => key));
  const versions = (await keptKeys(kept)).map((key) =>
    versionsOf(kept, key, tooLarge.has(key) ? undefined : live.get(key)),
  );
  const all = [...(await Promise.all(versions)).flat(), ...large];
  return all.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Keeps the bytes, unless they are the last that were kept under this key. Gives their version's id. */
async function keep(kept: string, key: string, bytes: Uint8Array): Promise<string> {
  const ids = await idsOf(kept, key);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const last = ids.at(-1);
  if (last?.endsWith(hash) === true) return last;
  const versionId = `${last === undefined ? 1 : sequenceOf(last) + 1}-${hash}`;
  const path = join(kept, encodeURIComponent(key), versionId);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A listing that is killed half-way must not leave half a version.
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
  return versionId;
}

async function versionsOf(
  kept: string,
  key: string,
  latest: string | undefined,
): Promise<readonly StoredVersion[]> {
  const ids = await idsOf(kept, key);
  return Promise.all(
    ids.map(async (versionId) => {
      const { size, mtime } = await stat(join(kept, encodeURIComponent(key), versionId));
      return { key, versionId, storedAt: mtime.toISOString(), bytes: size, isLatest: versionId === latest };
    }),
  );
}

async function read(
  kept: string,
  { key, versionId }: Pick<StoredVersion, 'key' | 'versionId'>,
): Promise<Uint8Array | undefined> {
  const bytes = VERSION_ID.test(versionId)
    ? await ifThere(readFile(join(kept, encodeURIComponent(key), versionId)))
    : undefined;
  if (bytes === undefined) return undefined;
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (versionId.endsWith(hash)) return bytes;
  throw new PolicySourceError(`A kept version in ${kept} does not match its checksum: ${versionId}`);
}

async function keptKeys(kept: string): Promise<readonly string[]> {
  return ((await ifThere(readdir(kept))) ?? []).map((name) => decodeURIComponent(name)).sort();
}

async function idsOf(kept: string, key: string): Promise<readonly string[]> {
  const names = (await ifThere(readdir(join(kept, encodeURIComponent(key))))) ?? [];
  return names.filter((name) => VERSION_ID.test(name)).sort((a, b) => sequenceOf(a) - sequenceOf(b));
}

function sequenceOf(versionId: string): number {
  return Number(VERSION_ID.exec(versionId)?.[1] ?? 0);
}

/** Links are not followed: what is published lies in the folder. */
async function filesOf(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function asked<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new PolicySourceError(`The policy folder ${root} cannot be read: ${code}`, { cause: error });
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
