/** One question's answer: the ids found, best first, and those that should be. */
export type Judged = { readonly found: readonly string[]; readonly relevant: ReadonlySet<string> };

/** Normalised discounted cumulative gain of the first ten, every relevant id worth the same. */
export function ndcgAt10({ found, relevant }: Judged): number {
  const gain = found
    .slice(0, 10)
    .reduce((sum, id, place) => sum + (relevant.has(id) ? discount(place) : 0), 0);
  let ideal = 0;
  for (let place = 0; place < Math.min(10, relevant.size); place += 1) ideal += discount(place);
  return ideal === 0 ? 0 : gain / ideal;
}

export function recallAt(k: number, { found, relevant }: Judged): number {
  if (relevant.size === 0) return 0;
  return new Set(found.slice(0, k).filter((id) => relevant.has(id))).size / relevant.size;
}

/** One over the place of the first relevant id; 0 when there is none. */
export function reciprocalRank({ found, relevant }: Judged): number {
  const place = found.findIndex((id) => relevant.has(id));
  return place < 0 ? 0 : 1 / (place + 1);
}

/**
 * Area under the ROC curve: how often a question that can be answered scores above one that cannot. A tie is half a
 * win.
 */
export function rocAuc(answerable: readonly number[], unanswerable: readonly number[]): number {
  let wins = 0;
  for (const yes of answerable) {
    for (const no of unanswerable) wins += yes > no ? 1 : yes === no ? 0.5 : 0;
  }
  return wins / (answerable.length * unanswerable.length);
}

/** The share of the first `k` of one list that is among the first `k` of the other. */
export function overlapAt(k: number, one: readonly string[], other: readonly string[]): number {
  const [a, b] = [one.slice(0, k), new Set(other.slice(0, k))];
  const most = Math.max(a.length, b.size);
  return most === 0 ? 1 : a.filter((id) => b.has(id)).length / most;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function discount(place: number): number {
  return 1 / Math.log2(place + 2);
}
