import type {
  Chunk,
  Embedder,
  Fusion,
  PolicyFilter,
  PolicyIndex,
  Reranker,
  SearchMode,
} from '../../domain/policies.ts';
import { rerankHits, type RankedHit } from '../../policy-index/rerank.ts';
import { ASKED_AT } from './question-set.ts';

/** One way to search: what a row of the table measures. */
export type Stage = {
  readonly name: string;
  readonly mode: SearchMode;
  readonly fusion?: Fusion;
  readonly reranker?: Reranker;
};

const BATCH = 64;
/** As many as a rerank looks at, and no fewer than the measures count. */
const DEPTH = 20;

/** Builds, seals and answers with the build's name. The embedder is given, so that stages share one set of vectors. */
export async function buildFor(
  index: PolicyIndex,
  name: string,
  chunks: readonly Chunk[],
  embedder: Embedder,
): Promise<string> {
  const { fingerprint, dimensions } = embedder;
  await index.openBuild(name, { embedder: fingerprint, dimensions, chunker: 'as-given' });
  for (let at = 0; at < chunks.length; at += BATCH) {
    const batch = chunks.slice(at, at + BATCH);
    const vectors = await embedder.embed(batch.map(({ indexText }) => indexText));
    await index.add(name, pair(batch, vectors), ASKED_AT);
  }
  await index.seal(name);
  return name;
}

/** The hits of one question, as a stage finds and orders them. */
export async function ask(
  index: PolicyIndex,
  target: string,
  stage: Stage,
  question: { readonly text: string; readonly vector: Float32Array; readonly embedder: string },
  filter: PolicyFilter,
  k = DEPTH,
): Promise<readonly RankedHit[]> {
  const { text, vector, embedder } = question;
  const { hits } = await index.search(target, {
    text,
    embedding: { vector, embedder },
    mode: stage.mode,
    ...(stage.fusion === undefined ? {} : { fusion: stage.fusion }),
    filter,
    k,
  });
  return rerankHits(text, hits, stage.reranker);
}

/** The four stages every embedder is measured in, and the other fusion. */
export function stagesWith(reranker: Reranker | undefined): readonly Stage[] {
  return [
    { name: 'BM25', mode: 'bm25' },
    { name: 'kNN', mode: 'knn' },
    { name: 'hybrid', mode: 'hybrid' },
    { name: 'hybrid (RRF)', mode: 'hybrid', fusion: 'rrf' },
    ...(reranker ? [{ name: 'hybrid + rerank', mode: 'hybrid', reranker } as const] : []),
  ];
}

function pair(chunks: readonly Chunk[], vectors: readonly Float32Array[]) {
  return chunks.map((chunk, i) => ({ chunk, vector: vectors[i] ?? new Float32Array() }));
}
