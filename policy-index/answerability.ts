import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { analyse, askedText } from './analysis.ts';
import type { RankedHit } from './rerank.ts';

/** What the best hits tell about whether the documents answer at all. Each has a meaning without the others. */
export type Evidence = {
  /** The best cosine of any hit. */
  readonly cosine: number;
  /** The share of the question, weighed by how rare its words are, that one of the first five hits has. */
  readonly coverage: number;
  /** The share of the question's words that any hit has. */
  readonly seen: number;
  /** The reranker's own score of the first hit. */
  readonly rerank: number;
  /** By how much that is more than what the reranker said of all it saw; null when it saw too few to tell. */
  readonly margin: number | null;
};
export const SIGNS = [
  'cosine',
  'coverage',
  'seen',
  'rerank',
  'margin',
] as const satisfies readonly (keyof Evidence)[];

const CALIBRATION = z.strictObject({
  /** How the fingerprint of the embedder begins; null: no vectors were used. */
  embedder: z.string().nullable(),
  /** How the name of the reranker begins; null: there was none. */
  reranker: z.string().nullable(),
  bias: z.number(),
  signs: z.partialRecord(
    z.enum(SIGNS),
    z.strictObject({ mean: z.number(), deviation: z.number().positive(), weight: z.number() }),
  ),
  /** Below the first nothing is quoted; from the second on the answer is taken to be there. */
  doubtFrom: z.number(),
  answerFrom: z.number(),
});
const FILE = z.strictObject({ fitted: z.string(), calibrations: z.array(CALIBRATION).min(1) });
export type Calibration = z.output<typeof CALIBRATION>;
export type Calibrations = z.output<typeof FILE>;

export const CALIBRATION_FILE = new URL('./answerability.json', import.meta.url);

const FIRST_HITS = 5;
/** Among fewer passages than this, none stands out. */
const LEAST_RERANKED = 5;
/** A question of no more words than this can mean several things. */
const OPEN_WORDS = 2;
/** Chinese and Japanese come in pairs of characters, of which a word makes three or so. */
const OPEN_PAIRS = 7;
const CJK = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;
/** How close another document must come to the first, to be meant as well. */
const OPEN_SHARE = 0.6;

/** @throws {Error} when the file is not what it should be */
export function readCalibrations(): readonly Calibration[] {
  return FILE.parse(JSON.parse(readFileSync(CALIBRATION_FILE, 'utf8'))).calibrations;
}

/** The calibration for who embedded and who reranked; without one of their own, the one that reads words alone. */
export function calibrationFor(
  all: readonly Calibration[],
  embedder: string | null,
  reranker: string | null,
): Calibration {
  const fits = (prefix: string | null, name: string | null) =>
    prefix === null ? name === null : name?.startsWith(prefix) === true;
  const own = all.find((one) => fits(one.embedder, embedder) && fits(one.reranker, reranker));
  const bare = all.find((one) => one.reranker === null && fits(one.embedder, embedder));
  const words = all.find((one) => one.embedder === null);
  const found = own ?? bare ?? words;
  if (found === undefined) throw new Error('There is no calibration for words alone.');
  return found;
}

/**
 * How rare a word is, is read off the hits themselves: whatever has a rare word is among the first hundred. So no
 * index has to tell its statistics.
 */
export function evidenceOf(question: string, hits: readonly RankedHit[]): Evidence {
  const asked = [...new Set(analyse(askedText(question)))];
  const terms = hits.map(({ chunk }) => new Set(analyse(chunk.indexText)));
  const weights = asked.map((term) => rarity(terms.filter((of) => of.has(term)).length, hits.length));
  const total = sum(weights);
  const covered = (of: ReadonlySet<string>) =>
    sum(asked.map((term, i) => (of.has(term) ? (weights[i] ?? 0) : 0)));
  const seen = asked.filter((term) => terms.some((of) => of.has(term))).length;
  return {
    cosine: Math.max(0, ...hits.map(({ scores }) => scores.cosine ?? 0)),
    coverage: total === 0 ? 0 : Math.max(0, ...terms.slice(0, FIRST_HITS).map(covered)) / total,
    seen: asked.length === 0 ? 0 : seen / asked.length,
    rerank: hits[0]?.rerank ?? 0,
    margin: marginOf(hits.flatMap(({ rerank }) => (rerank === null ? [] : [rerank]))),
  };
}

function marginOf(reranked: readonly number[]): number | null {
  if (reranked.length < LEAST_RERANKED) return null;
  return Math.max(...reranked) - sum(reranked) / reranked.length;
}

/** 0 to 1. A sign that there is not speaks neither for nor against. */
export function confidenceOf({ bias, signs }: Calibration, evidence: Evidence): number {
  const logit = SIGNS.reduce((at, name) => {
    const [sign, value] = [signs[name], evidence[name]];
    if (sign === undefined || value === null) return at;
    return at + (sign.weight * (value - sign.mean)) / sign.deviation;
  }, bias);
  return 1 / (1 + Math.exp(-logit));
}

export function verdictOf(
  { doubtFrom, answerFrom }: Calibration,
  confidence: number,
): 'answer' | 'doubt' | 'nothing' {
  if (confidence >= answerFrom) return 'answer';
  return confidence >= doubtFrom ? 'doubt' : 'nothing';
}

/** So little is asked that another document fits nearly as well as the first. */
export function isOpenQuestion(question: string, hits: readonly RankedHit[]): boolean {
  const most = CJK.test(question) ? OPEN_PAIRS : OPEN_WORDS;
  const [first] = hits;
  if (first === undefined || new Set(analyse(askedText(question))).size > most) return false;
  const rival = hits.find(({ chunk }) => chunk.docId !== first.chunk.docId);
  return rival !== undefined && rival.score >= first.score * OPEN_SHARE;
}

function rarity(found: number, of: number): number {
  return Math.log(1 + (of - found + 0.5) / (found + 0.5));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
