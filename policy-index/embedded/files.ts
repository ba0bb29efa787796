import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PolicyIndexError } from '../../domain/policies.ts';

const DIGEST_BYTES = 32;
const TEMPORARY = '.tmp-';
const NUMBERED = /^\d{10}\.json$/;

/** Writes a file that is either there, whole and on disk, or not there at all. */
export async function writeWhole(path: string, body: Uint8Array): Promise<void> {
  await rename(writeAside(path, body), path);
  syncFolder(dirname(path));
}

/** @throws {PolicyIndexError} corrupt, when the bytes are not those that were written. */
export async function readWhole(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  const body = bytes.subarray(DIGEST_BYTES);
  if (!digest(body).equals(bytes.subarray(0, DIGEST_BYTES))) {
    throw new PolicyIndexError(
      'corrupt',
      `${path} is not what was written. Make a new build: countersign policy ingest`,
    );
  }
  return body;
}

/**
 * A value kept as a row of numbered files, the highest of which counts. A file of the next number can be made once:
 * whoever makes it has changed the value, and everybody else must look again. No lock can be left behind.
 */
export function numberedValue<T>(folder: string) {
  async function read(): Promise<{ readonly number: number; readonly value: T } | undefined> {
    for (;;) {
      const number = await highest(folder);
      if (number === 0) return undefined;
      try {
        const body = await readWhole(fileOf(folder, number));
        // Only `claim` writes here, and the checksum says that it is what was written.
        return { number, value: JSON.parse(body.toString('utf8')) as T };
      } catch (error) {
        // Replaced and tidied away since the folder was listed.
        if (!isMissing(error) || (await highest(folder)) === number) throw error;
      }
    }
  }

  /** Makes `value` the one after `number`; false when somebody else was first. */
  async function claim(number: number, value: T): Promise<boolean> {
    await mkdir(folder, { recursive: true });
    const path = fileOf(folder, number + 1);
    const aside = writeAside(path, Buffer.from(JSON.stringify(value)));
    try {
      await link(aside, path);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await rm(aside, { force: true });
    }
    syncFolder(folder);
    // The number may have been used and tidied away long ago, by faster ones.
    if ((await highest(folder)) !== number + 1) return false;
    await tidy(folder, number);
    return true;
  }

  return { read, claim, number: () => highest(folder) };
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

export async function listed(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith(TEMPORARY)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function writeAside(path: string, body: Uint8Array): string {
  const aside = join(dirname(path), `${TEMPORARY}${randomUUID()}`);
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeAll(file, digest(body));
    writeAll(file, body);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return aside;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    // Windows cannot do this and need not: its renames are ordered.
    if (!hasCode(error, 'EPERM')) throw error;
  } finally {
    closeSync(handle);
  }
}

async function highest(folder: string): Promise<number> {
  const last = (await listed(folder)).filter((name) => NUMBERED.test(name)).at(-1);
  return last === undefined ? 0 : Number.parseInt(last, 10);
}

/** Leaves the two highest: a reader that has just listed the folder still finds what it saw. */
async function tidy(folder: string, number: number): Promise<void> {
  for (const name of await listed(folder)) {
    if (NUMBERED.test(name) && Number.parseInt(name, 10) < number)
      await rm(join(folder, name), { force: true });
  }
}

function fileOf(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(10, '0')}.json`);
}

function digest(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest();
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
