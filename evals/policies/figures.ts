import type { Embedder, PolicyIndex } from '../../domain/policies.ts';
import {
  calibrationFor,
  confidenceOf,
  evidenceOf,
  readCalibrations,
} from '../../policy-index/answerability.ts';
import { instant } from '../../policy-index/checks.ts';
import type { RankedHit } from '../../policy-index/rerank.ts';
import type { EvalCase, EvalSet } from './eval-sets.ts';
import { mean, ndcgAt10, recallAt, reciprocalRank, rocAuc } from './measures.ts';
import { ask, type Stage } from './retrieval.ts';

/** One row of the table; every figure from 0 to 1. */
export type Figures = {
  readonly ndcgAt10: number;
  readonly recallAt3: number;
  readonly recallAt5: number;
  readonly mrr: number;
  /** Questions whose first passage holds the answer: what would be quoted. */
  readonly cited: number;
  /** Passages found that stand in their stored version, word by word. */
  readonly verified: number;
  /** Area under the ROC curve of the retrieval's own score, answerable against unanswerable. */
  readonly abstentionAuc: number;
  /** The same of the calibrated confidence, which decides whether an answer is given. */
  readonly confidenceAuc: number;
  /** Passages found that the asker may not read, or that did not hold on the day asked about. */
  readonly leaked: number;
};
export const FIGURES = [
  'ndcgAt10',
  'recallAt3',
  'recallAt5',
  'mrr',
  'cited',
  'verified',
  'abstentionAuc',
  'confidenceAuc',
  'leaked',
] as const satisfies readonly (keyof Figures)[];

type Answered = { readonly asked: EvalCase; readonly hits: readonly RankedHit[] };

type Measured = {
  readonly index: PolicyIndex;
  readonly target: string;
  readonly stage: Stage;
  readonly embedder: Embedder;
  readonly set: EvalSet;
  /** Of the questions, in their order. */
  readonly vectors: readonly Float32Array[];
};

/** As many hits as an answer weighs. */
const DEPTH = 100;

/** Asks every question of a set in one way, and judges what came back. */
export async function measure(options: Measured): Promise<Figures> {
  const { index, target, stage, embedder, set, vectors } = options;
  const answered: Answered[] = [];
  for (const [place, asked] of set.cases.entries()) {
    const question = {
      text: asked.text,
      vector: vectors[place] ?? new Float32Array(),
      embedder: embedder.fingerprint,
    };
    answered.push({ asked, hits: await ask(index, target, stage, question, asked.filter, DEPTH) });
  }
  return judge(options, answered);
}

function judge({ set, stage, embedder }: Measured, answered: readonly Answered[]): Figures {
  const judged = answered
    .filter(({ asked }) => asked.relevant.size > 0)
    .map(({ asked, hits }) => ({ found: hits.map(({ chunk }) => chunk.id), relevant: asked.relevant }));
  const everyHit = answered.flatMap(({ asked, hits }) => hits.map((hit) => ({ asked, hit })));
  const calibration = calibrationFor(
    readCalibrations(),
    stage.mode === 'bm25' ? null : embedder.fingerprint,
    stage.reranker?.name ?? null,
  );
  const auc = (confidenceIn: (one: Answered) => number) =>
    rocAuc(
      answered.filter(({ asked }) => asked.answerable === true).map(confidenceIn),
      answered.filter(({ asked }) => asked.answerable === false).map(confidenceIn),
    );
  return {
    ndcgAt10: mean(judged.map(ndcgAt10)),
    recallAt3: mean(judged.map((one) => recallAt(3, one))),
    recallAt5: mean(judged.map((one) => recallAt(5, one))),
    mrr: mean(judged.map(reciprocalRank)),
    cited: mean(judged.map(({ found, relevant }) => (relevant.has(found[0] ?? '') ? 1 : 0))),
    verified: mean(everyHit.map(({ hit }) => (set.storedText(hit.chunk) === hit.chunk.text ? 1 : 0))),
    abstentionAuc: auc(({ hits }) => confidence(stage, hits)),
    confidenceAuc: auc(({ asked, hits }) => confidenceOf(calibration, evidenceOf(asked.text, hits))),
    leaked: everyHit.filter(({ asked, hit }) => isLeak(asked, hit)).length,
  };
}

/** Fused and reranked scores say which passage is best, and not how good it is: the cosine and BM25 do. */
function confidence({ mode }: Stage, hits: readonly RankedHit[]): number {
  return Math.max(0, ...hits.map(({ scores }) => (mode === 'bm25' ? scores.bm25 : scores.cosine) ?? 0));
}

function isLeak({ filter }: EvalCase, { chunk }: RankedHit): boolean {
  const at = instant(filter.effectiveAt, 'effectiveAt');
  const { effectiveFrom: from, effectiveTo: to } = chunk;
  const holds = (from === null || instant(from, 'from') <= at) && (to === null || at < instant(to, 'to'));
  return !holds || !filter.audiences.includes(chunk.audience) || chunk.tenant !== filter.tenant;
}
