import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chunk, EmbeddedChunk } from '../../domain/policies.ts';
import { listed, readWhole, writeWhole } from './files.ts';

/** Chunks as they are kept: `indexText` ends with `text`, so only what stands before it is written. */
type Header = {
  readonly verifiedAt: string;
  readonly dimensions: number;
  readonly chunks: readonly (Omit<Chunk, 'indexText'> & { readonly before: string })[];
};

export type Segment = { readonly chunks: readonly EmbeddedChunk[]; readonly verifiedAt: string };

/**
 * Writes one batch as one file, named after its content: a repeat finds the file and writes nothing.
 * Answers with the file's name, and whether it was new.
 */
export async function writeSegment(
  folder: string,
  { chunks, verifiedAt }: Segment,
  dimensions: number,
): Promise<{ readonly name: string; readonly isNew: boolean }> {
  await mkdir(folder, { recursive: true });
  const header: Header = { verifiedAt, dimensions, chunks: chunks.map(({ chunk }) => stored(chunk)) };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const body = Buffer.concat([length, json, ...chunks.map(({ vector }) => bytesOf(vector))]);
  const present = await listed(folder);
  const content = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const known = present.find((name) => name.endsWith(`-${content}.segment`));
  if (known !== undefined) return { name: known, isNew: false };
  // The number keeps the order of arrival, which decides between equal scores and between two of one id.
  const name = `${String(present.length).padStart(6, '0')}-${content}.segment`;
  await writeWhole(join(folder, name), body);
  return { name, isNew: true };
}

/** @throws {PolicyIndexError} corrupt */
export async function readSegment(folder: string, name: string): Promise<Segment> {
  const body = await readWhole(join(folder, name));
  const start = 4 + body.readUInt32LE(0);
  // Only `writeSegment` writes here, and the checksum says that it is what was written.
  const header = JSON.parse(body.toString('utf8', 4, start)) as Header;
  const { verifiedAt, dimensions } = header;
  const chunks = header.chunks.map((kept, index) => ({
    chunk: restored(kept),
    vector: vectorAt(body, start + index * dimensions * 4, dimensions),
  }));
  return { chunks, verifiedAt };
}

function stored({ indexText, ...chunk }: Chunk): Header['chunks'][number] {
  const before = indexText.endsWith(chunk.text)
    ? indexText.slice(0, indexText.length - chunk.text.length)
    : indexText;
  return { ...chunk, before };
}

function restored({ before, ...chunk }: Header['chunks'][number]): Chunk {
  return { ...chunk, indexText: before + chunk.text };
}

function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** Copied, because a view of four-byte numbers cannot start at any byte. */
function vectorAt(body: Buffer, at: number, dimensions: number): Float32Array {
  const bytes = new Uint8Array(dimensions * 4);
  bytes.set(body.subarray(at, at + bytes.length));
  return new Float32Array(bytes.buffer);
}
