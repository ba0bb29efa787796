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
import { mean, ndcgAt10, recallAt, reciprocalRank, type Judged } from './measures.ts';
import { ASKED_AT, type LabelledQuestion } from './question-set.ts';

/** One way to search: what a row of the table measures. */
export type Stage = {
  readonly name: string;
  readonly mode: SearchMode;
  readonly fusion?: Fusion;
  readonly reranker?: Reranker;
};

export type StageFigures = {
  readonly stage: string;
  readonly questions: number;
  readonly ndcgAt10: number;
  readonly recallAt5: number;
  readonly mrr: number;
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
): Promise<readonly RankedHit[]> {
  const { text, vector, embedder } = question;
  const { hits } = await index.search(target, {
    text,
    embedding: { vector, embedder },
    mode: stage.mode,
    ...(stage.fusion === undefined ? {} : { fusion: stage.fusion }),
    filter,
    k: DEPTH,
  });
  return rerankHits(text, hits, stage.reranker);
}

/** Measures one stage over every question that has something to find. */
export async function measureStage(options: {
  readonly index: PolicyIndex;
  readonly target: string;
  readonly stage: Stage;
  readonly embedder: Embedder;
  readonly questions: readonly LabelledQuestion[];
  readonly filter: PolicyFilter;
}): Promise<StageFigures> {
  const { index, target, stage, embedder, filter } = options;
  const questions = options.questions.filter(({ relevant }) => relevant.size > 0);
  const vectors = await embedder.embed(questions.map(({ text }) => text));
  const judged: Judged[] = [];
  for (const [i, { text, relevant }] of questions.entries()) {
    const vector = vectors[i] ?? new Float32Array();
    const asked = { text, vector, embedder: embedder.fingerprint };
    const hits = await ask(index, target, stage, asked, filter);
    judged.push({ found: hits.map(({ chunk }) => chunk.id), relevant });
  }
  return {
    stage: stage.name,
    questions: judged.length,
    ndcgAt10: mean(judged.map(ndcgAt10)),
    recallAt5: mean(judged.map((each) => recallAt(5, each))),
    mrr: mean(judged.map(reciprocalRank)),
  };
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
