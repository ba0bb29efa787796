import type { Ranking } from '../fusion.ts';
import { rememberedLength } from './length-norm.ts';
import { createTop } from './top.ts';

const K1 = 1.2;
const B = 0.75;

/** Chunk number and frequency, alternating. */
type Posting = { values: Uint32Array; used: number };

export type Passes = (number: number) => boolean;

/**
 * An inverted index that ranks by BM25 as Lucene computes it. Chunks are numbered in the order in which they come.
 * One that is deleted goes on counting in the statistics, as in Lucene until it merges.
 */
export function createPostings() {
  const postings = new Map<string, Posting>();
  let lengths = new Uint32Array(1024);
  let count = 0;
  let totalTerms = 0;
  let scores = new Float64Array(0);

  function add(terms: readonly string[]): void {
    const number = count;
    for (const [term, frequency] of counted(terms)) append(postings, term, number, frequency);
    lengths = withRoom(lengths, number + 1);
    lengths[number] = rememberedLength(terms.length);
    totalTerms += terms.length;
    count += 1;
  }

  function search(terms: readonly string[], k: number, passes: Passes): Ranking<number> {
    if (scores.length < count) scores = new Float64Array(lengths.length);
    const touched: number[] = [];
    for (const [term, weight] of counted(terms)) {
      const posting = postings.get(term);
      if (posting) accumulate(posting, weight, touched);
    }
    const top = createTop(k);
    for (const number of touched) {
      if (passes(number)) top.offer(number, scores[number] ?? 0);
      scores[number] = 0;
    }
    return top.ranking();
  }

  function accumulate({ values, used }: Posting, weight: number, touched: number[]): void {
    const idf = rarity(used / 2);
    const meanLength = totalTerms / count;
    for (let at = 0; at < used; at += 2) {
      const number = values[at] ?? 0;
      const sum = scores[number] ?? 0;
      if (sum === 0) touched.push(number);
      scores[number] = sum + weight * idf * saturation(values[at + 1] ?? 0, lengths[number] ?? 0, meanLength);
    }
  }

  /** The score of one chunk, whether it is among the best or not; null without a term in common. */
  function scoreOf(terms: readonly string[], number: number): number | null {
    let score: number | null = null;
    for (const [term, weight] of counted(terms)) {
      const posting = postings.get(term);
      const frequency = posting ? frequencyIn(posting, number) : 0;
      if (!posting || frequency === 0) continue;
      const share = saturation(frequency, lengths[number] ?? 0, totalTerms / count);
      score = (score ?? 0) + weight * rarity(posting.used / 2) * share;
    }
    return score;
  }

  function rarity(holding: number): number {
    return Math.log(1 + (count - holding + 0.5) / (holding + 0.5));
  }

  return { add, search, scoreOf };
}

function saturation(frequency: number, length: number, meanLength: number): number {
  return frequency / (frequency + K1 * (1 - B + (B * length) / meanLength));
}

/** Chunks come in the order of their numbers, so a posting can be searched by halves. */
function frequencyIn({ values, used }: Posting, number: number): number {
  let [low, high] = [0, used / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[2 * middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low < used / 2 && values[2 * low] === number ? (values[2 * low + 1] ?? 0) : 0;
}

/** A word asked twice counts twice, as in Lucene. */
function counted(terms: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

function append(postings: Map<string, Posting>, term: string, number: number, frequency: number): void {
  let posting = postings.get(term);
  if (!posting) {
    posting = { values: new Uint32Array(4), used: 0 };
    postings.set(term, posting);
  }
  posting.values = withRoom(posting.values, posting.used + 2);
  posting.values[posting.used] = number;
  posting.values[posting.used + 1] = frequency;
  posting.used += 2;
}

function withRoom(values: Uint32Array<ArrayBuffer>, needed: number): Uint32Array<ArrayBuffer>;
function withRoom(values: Uint32Array, needed: number): Uint32Array;
function withRoom(values: Uint32Array, needed: number): Uint32Array {
  if (needed <= values.length) return values;
  const larger = new Uint32Array(values.length * 2);
  larger.set(values);
  return larger;
}
