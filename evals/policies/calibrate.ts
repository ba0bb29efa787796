import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CALIBRATION_FILE,
  evidenceOf,
  LEAST_KNOWN,
  type Calibration,
  type Calibrations,
  type Evidence,
} from '../../policy-index/answerability.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { chooseRetrieval, type RetrievalChoice } from '../../policy-index/retrieval-choice.ts';
import { demoEvalSet, sharedEvalSet, type EvalSet } from './eval-sets.ts';
import { fitLogistic, foldsOf, predict, type Sample } from './logistic.ts';
import { mean, rocAuc } from './measures.ts';
import { ASKED_AT } from './question-set.ts';
import { ask, buildFor, type Stage } from './retrieval.ts';

/** Of the questions that have an answer, as many may be told that they have none. */
const LOST = 0.06;
const DEPTH = 100;
const FOLDS = 5;
/** Few questions have no answer, so one way to part them says little. */
const ROUNDS = 4;

type Way = Pick<Calibration, 'embedder' | 'reranker' | 'leastKnown'> & {
  readonly signs: readonly (keyof Evidence)[];
};

/**
 * `npm run calibrate:policies [-- --write]`: fits how evidence becomes confidence, and prints what five-fold
 * cross-validation says of it, per set. Only the demo set and the visible part of MTRAG-UN are looked at; few signs,
 * and ridge regularisation, so that it holds for other subjects.
 */
async function main(): Promise<void> {
  const modelsFolder = process.env['POLICY_MODELS'] ?? '.countersign/models';
  const calibrations: Calibration[] = [];
  for (const kind of ['auto', 'lsa'] as const) {
    const choice = await chooseRetrieval({
      embedder: { kind },
      reranker: { kind: kind === 'auto' ? 'auto' : 'none' },
      modelsFolder,
    });
    if (kind === 'auto' && choice.reranker === undefined)
      throw new Error('The local model is needed: countersign model pull, or POLICY_MODELS.');
    for (const way of waysOf(kind)) calibrations.push(await calibrate(way, choice));
    await choice.close();
  }
  const file: Calibrations = {
    fitted:
      'npm run calibrate:policies -- --write: logistic regression (ridge 1, sets and classes weighed alike) ' +
      'on the demo questions and the visible part of MTRAG-UN',
    calibrations,
  };
  if (process.argv.includes('--write'))
    await writeFile(CALIBRATION_FILE, `${JSON.stringify(file, undefined, 2)}\n`);
}

function waysOf(kind: 'auto' | 'lsa'): readonly Way[] {
  if (kind === 'lsa')
    return [
      { embedder: 'lsa-', reranker: null, signs: ['cosine', 'joint', 'seen'], leastKnown: LEAST_KNOWN },
      { embedder: null, reranker: null, signs: ['coverage', 'seen'], leastKnown: LEAST_KNOWN },
    ];
  return [
    // The reranker looks for each word, and by the same vectors: cosine and coverage have nothing to add.
    { embedder: 'onnx/', reranker: 'max-sim/', signs: ['seen', 'rerank', 'margin'] },
    { embedder: 'onnx/', reranker: null, signs: ['cosine', 'joint', 'seen'] },
  ];
}

async function calibrate(way: Way, choice: RetrievalChoice): Promise<Calibration> {
  const samples = (await Promise.all((await sets(choice)).map((set) => samplesOf(set, way, choice)))).flat();
  const weighed = balanced(samples);
  const model = fitLogistic(weighed);
  report(way, weighed);
  const sorted = weighed
    .filter(({ isAnswerable }) => isAnswerable)
    .map((one) => predict(model, one.evidence))
    .sort((a, b) => a - b);
  const doubtFrom = Math.min(sorted[Math.floor(sorted.length * LOST)] ?? 0, 0.5);
  const signs = Object.fromEntries(
    way.signs.map((name, i) => [
      name,
      {
        mean: round(model.means[i] ?? 0),
        deviation: round(model.deviations[i] ?? 1),
        weight: round(model.weights[i] ?? 0),
      },
    ]),
  );
  const { signs: _, ...known } = way;
  return { ...known, bias: round(model.bias), signs, doubtFrom: round(doubtFrom), answerFrom: 0.5 };
}

async function sets({ embedders }: RetrievalChoice): Promise<readonly EvalSet[]> {
  const shared = sharedEvalSet();
  if (shared === undefined) throw new Error('MTRAG-UN is needed: data/retrieval below COUNTERSIGN_SHARED.');
  return [await demoEvalSet(embedders.tokenizer), shared];
}

async function samplesOf(
  set: EvalSet,
  way: Way,
  { embedders, reranker }: RetrievalChoice,
): Promise<Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), 'policy-calibrate-'));
  const index = openEmbeddedIndex({ folder });
  const { embedder } = await embedders.building(set.chunks.map(({ indexText }) => indexText));
  const stage: Stage = {
    name: 'calibrate',
    mode: way.embedder === null ? 'bm25' : 'hybrid',
    ...(way.reranker === null || reranker === undefined ? {} : { reranker }),
  };
  try {
    await buildFor(index, 'calibrate', set.chunks, embedder);
    await index.supersede('calibrate', set.superseded, ASKED_AT);
    const samples: Sample[] = [];
    for (const { text, filter, answerable } of set.cases) {
      if (answerable === undefined) continue;
      const [vector] = await embedder.embed([text]);
      const question = { text, vector: vector ?? new Float32Array(), embedder: embedder.fingerprint };
      const evidence = evidenceOf(text, await ask(index, 'calibrate', stage, question, filter, DEPTH));
      const signs = way.signs.flatMap((name) => evidence[name] ?? []);
      if (signs.length < way.signs.length) continue;
      samples.push({ set: set.name, isAnswerable: answerable, evidence: signs, weight: 1 });
    }
    return samples;
  } finally {
    await index.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each set counts alike, and in each the questions with and without an answer. */
function balanced(samples: readonly Sample[]): readonly Sample[] {
  const same = (one: Sample, other: Sample) =>
    one.set === other.set && one.isAnswerable === other.isAnswerable;
  return samples.map((one) => ({
    ...one,
    weight: samples.length / 4 / samples.filter((other) => same(one, other)).length,
  }));
}

/** What models say of samples that they were not fitted on: of a fifth of both sets, and of one set by the other. */
function report({ embedder, reranker }: Way, samples: readonly Sample[]): void {
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    foldsOf(samples, FOLDS, round).flatMap(({ train, test }) => predicted(train, test)),
  );
  console.log(`${embedder ?? 'words'} ${reranker ?? ''}`);
  for (const name of new Set(samples.map(({ set }) => set))) {
    const isOwn = ({ set }: Sample) => set === name;
    const folded = mean(rounds.map((round) => auc(round.filter(isOwn))));
    const across = auc(
      predicted(
        samples.filter((one) => !isOwn(one)),
        samples.filter(isOwn),
      ),
    );
    console.log(
      `  ${name}: AUC ${folded.toFixed(3)} by folds, ${across.toFixed(3)} fitted on the other set alone`,
    );
  }
}

type Predicted = Sample & { readonly confidence: number };

function predicted(train: readonly Sample[], test: readonly Sample[]): readonly Predicted[] {
  const model = fitLogistic(train);
  return test.map((one) => ({ ...one, confidence: predict(model, one.evidence) }));
}

function auc(of: readonly Predicted[]): number {
  return rocAuc(
    of.filter(({ isAnswerable }) => isAnswerable).map(({ confidence }) => confidence),
    of.filter(({ isAnswerable }) => !isAnswerable).map(({ confidence }) => confidence),
  );
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

await main();
