import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicyIndex } from '../../domain/policies.ts';
import { openPolicyIndex } from '../../policy-index/open-index.ts';
import { chooseRetrieval, type RetrievalChoice } from '../../policy-index/retrieval-choice.ts';
import { demoEvalSet, sharedEvalSet, type EvalSet } from './eval-sets.ts';
import { measure, type Figures } from './figures.ts';
import { belowFloor, nameOf, readFloor, recordFloor, type Row } from './floor.ts';
import { ASKED_AT } from './question-set.ts';
import { buildFor, stagesWith } from './retrieval.ts';

const STAGES = new Set(['BM25', 'kNN', 'hybrid', 'hybrid + rerank']);

/** `npm run eval:policies [-- --record]`: one table, and exit code 1 when a figure is below its floor. */
async function main(): Promise<void> {
  const rows: Row[] = [];
  const notes: string[] = [];
  const modelsFolder = process.env['POLICY_MODELS'] ?? '.countersign/models';
  const choices = [
    {
      name: 'LSA',
      choice: await chooseRetrieval({ embedder: { kind: 'lsa' }, reranker: { kind: 'auto' }, modelsFolder }),
    },
    ...(await localChoice(modelsFolder, notes)),
  ];
  for (const { name, choice } of choices) {
    for (const set of await setsFor(choice, notes)) {
      rows.push(...(await rowsOf(set, name, choice)));
    }
    await choice.close();
  }
  print(rows, notes);
  if (process.argv.includes('--record')) return recordFloor(rows, readFloor());
  const worse = belowFloor(rows, readFloor());
  for (const line of worse) console.error(`below the floor: ${line}`);
  process.exitCode = worse.length > 0 ? 1 : 0;
}

async function localChoice(
  modelsFolder: string,
  notes: string[],
): Promise<readonly { readonly name: string; readonly choice: RetrievalChoice }[]> {
  const choice = await chooseRetrieval({
    embedder: { kind: 'auto' },
    reranker: { kind: 'auto' },
    modelsFolder,
  });
  const reranker = choice.reranker?.name ?? '';
  // Rounded weights find a little else, and are held to their own figures.
  if (reranker.startsWith('max-sim/'))
    return [{ name: reranker.includes('/q8/') ? 'MiniLM int8' : 'MiniLM', choice }];
  notes.push('Not measured: the local model (countersign model pull, or POLICY_MODELS).');
  await choice.close();
  return [];
}

async function setsFor({ embedders }: RetrievalChoice, notes: string[]): Promise<readonly EvalSet[]> {
  const shared = sharedEvalSet();
  const missing = 'Not measured: MTRAG-UN (data/retrieval below COUNTERSIGN_SHARED, default ../shared).';
  if (shared === undefined && !notes.includes(missing)) notes.push(missing);
  return [await demoEvalSet(embedders.tokenizer), ...(shared === undefined ? [] : [shared])];
}

/** Builds the set's index once and asks it in every way. */
async function rowsOf(
  set: EvalSet,
  name: string,
  { embedders, reranker }: RetrievalChoice,
): Promise<readonly Row[]> {
  const { embedder } = await embedders.building(set.chunks.map(({ indexText }) => indexText));
  const vectors = await embedder.embed(set.cases.map(({ text }) => text));
  return withIndex(async (index, target) => {
    await buildFor(index, target, set.chunks, embedder);
    await index.supersede(target, set.superseded, ASKED_AT);
    const rows: Row[] = [];
    for (const stage of stagesWith(reranker).filter((one) => STAGES.has(one.name))) {
      const figures = await measure({ index, target, stage, embedder, set, vectors });
      const engine = index.engine === 'embedded' ? 'embedded' : 'OpenSearch';
      rows.push({ engine, set: set.name, embedder: name, stage: stage.name, figures });
    }
    return rows;
  });
}

/** OpenSearch when there is one (TEST_OPENSEARCH_URL), the embedded index otherwise. */
async function withIndex<T>(work: (index: PolicyIndex, target: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'policy-eval-'));
  const url = process.env['TEST_OPENSEARCH_URL'];
  const index = openPolicyIndex(url, folder);
  const target = `policy-eval-${process.pid}`;
  try {
    return await work(index, target);
  } finally {
    await index.drop(target);
    await index.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const COLUMNS: readonly (readonly [title: string, figure: (figures: Figures) => string])[] = [
  ['nDCG@10', ({ ndcgAt10 }) => ndcgAt10.toFixed(3)],
  ['recall@3', ({ recallAt3 }) => recallAt3.toFixed(3)],
  ['recall@5', ({ recallAt5 }) => recallAt5.toFixed(3)],
  ['MRR', ({ mrr }) => mrr.toFixed(3)],
  ['cited', ({ cited }) => cited.toFixed(3)],
  ['verified', ({ verified }) => verified.toFixed(3)],
  ['AUC', ({ abstentionAuc }) => abstentionAuc.toFixed(3)],
  ['trust', ({ confidenceAuc }) => confidenceAuc.toFixed(3)],
  ['leaked', ({ leaked }) => String(leaked)],
];

function print(rows: readonly Row[], notes: readonly string[]): void {
  const width = Math.max(...rows.map((row) => nameOf(row).length));
  console.log([''.padEnd(width), ...COLUMNS.map(([title]) => title.padStart(8))].join('  '));
  for (const row of rows) {
    const cells = COLUMNS.map(([, figure]) => figure(row.figures).padStart(8));
    console.log([nameOf(row).padEnd(width), ...cells].join('  '));
  }
  for (const note of notes) console.log(note);
}

await main();
