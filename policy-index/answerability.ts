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
  /**
   * The best product of the two in one of the first five hits: near in meaning, and with the rare words. A vector of
   * words alone leaves out those that it does not know, so that the rest of the question looks nearer than it is.
   */
  readonly joint: number;
  /** The share of the question's words that any hit has. */
  readonly seen: number;
  /**
   * The share of the question, weighed alike, that any hit has; numbers of orders and the like left out. 1 in Chinese and Japanese, where what is looked for are
   * pairs of characters, many of which are no words.
   */
  readonly known: number;
  /** The reranker's own score of the first hit. */
  readonly rerank: number;
  /** By how much that is more than what the reranker said of all it saw; null when it saw too few to tell. */
  readonly margin: number | null;
};
export const SIGNS = [
  'cosine',
  'coverage',
  'joint',
  'seen',
  'rerank',
  'margin',
] as const satisfies readonly (keyof Evidence)[];

/** Where nothing but words is known of a question, most of it must be known for an answer. */
export const LEAST_KNOWN = 0.5;
/** Just not sure enough for one. */
const HELD_BACK = 0.01;

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
  /** `known` from which on an answer can be sure; left out: whatever is known. */
  leastKnown: z.number().optional(),
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
/** Of an order, a parcel or an item: no policy speaks of one, and none need. */
const IDENTIFIER = /^(?:\d{4,}|(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{5,})$/u;
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
    total === 0 ? 0 : sum(asked.map((term, i) => (of.has(term) ? (weights[i] ?? 0) : 0))) / total;
  const first = hits.slice(0, FIRST_HITS).map(({ scores }, place) => {
    const coverage = covered(terms[place] ?? new Set());
    return { coverage, joint: coverage * Math.max(0, scores.cosine ?? 0) };
  });
  const isSeen = asked.map((term) => terms.some((of) => of.has(term)));
  const seen = isSeen.filter(Boolean).length;
  return {
    cosine: Math.max(0, ...hits.map(({ scores }) => scores.cosine ?? 0)),
    coverage: Math.max(0, ...first.map(({ coverage }) => coverage)),
    joint: Math.max(0, ...first.map(({ joint }) => joint)),
    seen: asked.length === 0 ? 0 : seen / asked.length,
    known: CJK.test(question) ? 1 : knownShare(asked, weights, isSeen),
    rerank: hits[0]?.rerank ?? 0,
    margin: marginOf(hits.flatMap(({ rerank }) => (rerank === null ? [] : [rerank]))),
  };
}

function knownShare(
  asked: readonly string[],
  weights: readonly number[],
  isSeen: readonly boolean[],
): number {
  const ofRules = weights.map((weight, i) => (IDENTIFIER.test(asked[i] ?? '') ? 0 : weight));
  const total = sum(ofRules);
  return total === 0 ? 1 : sum(ofRules.filter((_, i) => isSeen[i])) / total;
}

function marginOf(reranked: readonly number[]): number | null {
  if (reranked.length < LEAST_RERANKED) return null;
  return Math.max(...reranked) - sum(reranked) / reranked.length;
}

/**
 * 0 to 1. A sign that there is not speaks neither for nor against. A question of which too little is known is answered
 * by nothing that is found, however near that is to the rest of it.
 */
export function confidenceOf(calibration: Calibration, evidence: Evidence): number {
  const { bias, signs, leastKnown = 0, answerFrom } = calibration;
  const logit = SIGNS.reduce((at, name) => {
    const [sign, value] = [signs[name], evidence[name]];
    if (sign === undefined || value === null) return at;
    return at + (sign.weight * (value - sign.mean)) / sign.deviation;
  }, bias);
  const confidence = 1 / (1 + Math.exp(-logit));
  return evidence.known < leastKnown ? Math.min(confidence, answerFrom - HELD_BACK) : confidence;
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
