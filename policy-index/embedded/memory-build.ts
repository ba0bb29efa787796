import type {
  Chunk,
  EmbeddedChunk,
  HitScores,
  PolicyFilter,
  PolicyHit,
  PolicyQuery,
  VersionInfo,
} from '../../domain/policies.ts';
import { analyse, askedText } from '../analysis.ts';
import { instant } from '../checks.ts';
import { fuse, FUSION_DEPTH, type Fused, type Ranking } from '../fusion.ts';
import { versionKey } from '../version-key.ts';
import { createPostings } from './postings.ts';
import { createVectors } from './vectors.ts';

/** What can change about a version after it was added. */
export type Standing = { readonly verifiedAt: string; readonly supersededAt: string | null };

type Version = {
  /** Any of its chunks: what a filter asks about is the same in all of them. */
  readonly first: Chunk;
  /** Milliseconds; the filter must not parse dates for every question. */
  readonly from: number;
  readonly to: number;
  standing: Standing;
  chunks: number;
  removed: boolean;
};

/** A build as it is searched: everything in memory. */
export type MemoryBuild = ReturnType<typeof createMemoryBuild>;

export function createMemoryBuild(dimensions: number) {
  const postings = createPostings();
  const vectors = createVectors(dimensions);
  const chunks: (Chunk | undefined)[] = [];
  const versionOf: Version[] = [];
  const numberOf = new Map<string, number>();
  const versions = new Map<string, Version>();

  function add(batch: readonly EmbeddedChunk[], verifiedAt: string): void {
    for (const { chunk, vector } of batch) {
      forget(chunk.id);
      const version = versionFor(chunk, verifiedAt);
      version.chunks += 1;
      numberOf.set(chunk.id, chunks.length);
      chunks.push(withoutDouble(chunk));
      versionOf.push(version);
      postings.add(analyse(chunk.indexText));
      vectors.add(vector);
    }
  }

  function forget(id: string): void {
    const number = numberOf.get(id);
    if (number === undefined) return;
    const version = versionOf[number];
    if (version) version.chunks -= 1;
    chunks[number] = undefined;
    numberOf.delete(id);
  }

  function versionFor(chunk: Chunk, verifiedAt: string): Version {
    const key = versionKey(chunk);
    const known = versions.get(key);
    if (known) {
      known.standing = { ...known.standing, verifiedAt: later(known.standing.verifiedAt, verifiedAt) };
      return known;
    }
    const version: Version = {
      first: chunk,
      from: chunk.effectiveFrom === null ? -Infinity : instant(chunk.effectiveFrom, 'effectiveFrom'),
      to: chunk.effectiveTo === null ? Infinity : instant(chunk.effectiveTo, 'effectiveTo'),
      standing: { verifiedAt, supersededAt: null },
      chunks: 0,
      removed: false,
    };
    versions.set(key, version);
    return version;
  }

  function stand(key: string, standing: Standing): void {
    const version = versions.get(key);
    if (version) version.standing = standing;
  }

  function remove(key: string): void {
    const version = versions.get(key);
    if (!version || version.removed) return;
    version.removed = true;
    chunks.forEach((chunk, number) => {
      if (chunk && versionOf[number] === version) forget(chunk.id);
    });
  }

  function search(query: PolicyQuery): readonly PolicyHit[] {
    const admitted = new Set([...versions.values()].filter(admits(query.filter)));
    const passes = (number: number) => {
      const version = versionOf[number];
      return chunks[number] !== undefined && version !== undefined && admitted.has(version);
    };
    return rank(query, passes)
      .slice(0, query.k)
      .flatMap(({ id, scores }) => {
        const [chunk, version] = [chunks[id], versionOf[id]];
        if (!chunk || !version) return [];
        return [{ chunk: { ...chunk }, scores: explained(query, id, scores), ...version.standing }];
      });
  }

  function rank(query: PolicyQuery, passes: (number: number) => boolean): readonly Fused<number>[] {
    const { mode, k, embedding, fusion } = query;
    const depth = mode === 'hybrid' ? Math.max(FUSION_DEPTH, k) : k;
    const bm25 = mode === 'knn' ? [] : postings.search(analyse(askedText(query.text)), depth, passes);
    const knn = mode === 'bm25' || !embedding ? [] : vectors.search(embedding.vector, depth, passes);
    if (mode === 'hybrid') return fuse(bm25, knn, fusion ?? 'minmax');
    return mode === 'bm25' ? alone(bm25, 'bm25') : alone(knn, 'cosine');
  }

  /** Both sides of a hybrid hit, also of one that was not among the best of the one. */
  function explained({ mode, embedding, text }: PolicyQuery, number: number, scores: HitScores): HitScores {
    if (mode !== 'hybrid' || !embedding) return scores;
    return {
      bm25: scores.bm25 ?? postings.scoreOf(analyse(askedText(text)), number),
      cosine: scores.cosine ?? vectors.cosine(embedding.vector, number),
      score: scores.score,
    };
  }

  return {
    add,
    stand,
    remove,
    search,
    chunkIds: () => [...numberOf.keys()].sort(),
    vectorsOf: (ids: readonly string[]) =>
      new Map(
        ids.flatMap((id) => {
          const number = numberOf.get(id);
          return number === undefined ? [] : [[id, vectors.at(number)] as const];
        }),
      ),
    versions: (): readonly VersionInfo[] =>
      [...versions.values()]
        .filter((version) => version.chunks > 0)
        .map(({ first: { tenant, docId, docVersion }, chunks: count, standing }) => ({
          tenant,
          docId,
          docVersion,
          chunks: count,
          ...standing,
        })),
    standingOf: (key: string) => versions.get(key)?.standing,
    chunksOf: (key: string) => versions.get(key)?.chunks ?? 0,
  };
}

export function later(a: string, b: string): string {
  return Date.parse(b) > Date.parse(a) ? b : a;
}

function alone(ranking: Ranking<number>, side: 'bm25' | 'cosine'): readonly Fused<number>[] {
  return ranking.map(({ id, score }) => ({
    id,
    scores: { bm25: null, cosine: null, [side]: score, score },
  }));
}

function admits(filter: PolicyFilter): (version: Version) => boolean {
  const at = instant(filter.effectiveAt, 'effectiveAt');
  const since =
    filter.verifiedSince === undefined ? -Infinity : instant(filter.verifiedSince, 'verifiedSince');
  return ({ first, from, to, standing, removed }) =>
    !removed &&
    first.tenant === filter.tenant &&
    filter.audiences.includes(first.audience) &&
    (filter.languages?.includes(first.language) ?? true) &&
    (filter.kinds?.includes(first.kind) ?? true) &&
    from <= at &&
    at < to &&
    Date.parse(standing.verifiedAt) >= since &&
    (standing.supersededAt === null ||
      (filter.withSuperseded === true && at < Date.parse(standing.supersededAt)));
}

/** `indexText` ends with `text`; joined again, the engine keeps the two as one piece of memory. */
function withoutDouble(chunk: Chunk): Chunk {
  const { indexText, text } = chunk;
  if (!indexText.endsWith(text)) return chunk;
  return { ...chunk, indexText: indexText.slice(0, indexText.length - text.length) + text };
}
