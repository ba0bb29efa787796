import { createHash } from 'node:crypto';
import {
  PolicyIndexError,
  type EmbeddedChunk,
  type IndexFingerprint,
  type PolicyQuery,
} from '../domain/policies.ts';

const NAME = /^[a-z][a-z0-9_-]{0,99}$/;
const MOST_HITS = 100;

/** @throws {PolicyIndexError} bad_query */
export function assertName(name: string): void {
  if (!NAME.test(name)) {
    throw new PolicyIndexError(
      'bad_query',
      'Builds and aliases are named with up to 100 small letters, digits, - and _.',
    );
  }
}

/** @throws {PolicyIndexError} other_fingerprint */
export function assertSameFingerprint(name: string, found: IndexFingerprint, wanted: IndexFingerprint): void {
  const differing = (['embedder', 'dimensions', 'chunker'] as const).filter(
    (part) => found[part] !== wanted[part],
  );
  if (differing.length === 0) return;
  throw new PolicyIndexError(
    'other_fingerprint',
    `Build ${name} was made with another ${differing.join(', ')}: ${describe(found)}, not ${describe(wanted)}. ` +
      'Make a new build: countersign policy ingest',
  );
}

/** @throws {PolicyIndexError} wrong_dimension */
export function assertVectors(chunks: readonly EmbeddedChunk[], dimensions: number): void {
  for (const { vector } of chunks) assertVector(vector, dimensions);
}

/** @throws {PolicyIndexError} bad_query */
export function assertDates(chunks: readonly EmbeddedChunk[], verifiedAt: string): void {
  instant(verifiedAt, 'verifiedAt');
  for (const { chunk } of chunks) {
    if (chunk.effectiveFrom !== null) instant(chunk.effectiveFrom, 'effectiveFrom');
    if (chunk.effectiveTo !== null) instant(chunk.effectiveTo, 'effectiveTo');
  }
}

/** Milliseconds of an ISO 8601 date or instant. @throws {PolicyIndexError} bad_query */
export function instant(text: string, what: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw new PolicyIndexError('bad_query', `${what} is not an ISO 8601 date or instant.`);
  return at;
}

/** What a build may be asked, in both engines. @throws {PolicyIndexError} bad_query, other_embedder, wrong_dimension */
export function assertAnswerable(build: string, fingerprint: IndexFingerprint, query: PolicyQuery): void {
  const { k, mode, embedding, filter } = query;
  if (!Number.isInteger(k) || k < 1 || k > MOST_HITS) {
    throw new PolicyIndexError('bad_query', `Between 1 and ${MOST_HITS} hits can be asked for.`);
  }
  instant(filter.effectiveAt, 'effectiveAt');
  if (filter.verifiedSince !== undefined) instant(filter.verifiedSince, 'verifiedSince');
  if (mode === 'bm25') return;
  if (!embedding) throw new PolicyIndexError('bad_query', `A search by ${mode} needs the question's vector.`);
  if (embedding.embedder !== fingerprint.embedder) {
    throw new PolicyIndexError(
      'other_embedder',
      `Build ${build} holds vectors of ${fingerprint.embedder}; the question was embedded by ${embedding.embedder}. ` +
        'Configure the former, or make a new build: countersign policy ingest',
    );
  }
  assertVector(embedding.vector, fingerprint.dimensions);
}

/** SHA-256 over the sorted ids, which name content and place. */
export function contentHash(sortedIds: readonly string[]): string {
  return createHash('sha256').update(sortedIds.join('\n')).digest('hex');
}

function assertVector(vector: Float32Array, dimensions: number): void {
  if (vector.length !== dimensions) {
    throw new PolicyIndexError(
      'wrong_dimension',
      `A vector has ${vector.length} dimensions, the build ${dimensions}.`,
    );
  }
  if (!vector.every(Number.isFinite)) {
    throw new PolicyIndexError('wrong_dimension', 'A vector holds something that is not a number.');
  }
  if (!vector.some((value) => value !== 0)) {
    throw new PolicyIndexError('wrong_dimension', 'A vector of nothing but zeros points nowhere.');
  }
}

function describe({ embedder, dimensions, chunker }: IndexFingerprint): string {
  return `${embedder} (${dimensions} dimensions, chunks ${chunker})`;
}
