import type { Ranking } from '../fusion.ts';

/** Keeps the `k` best of what it is offered; of equals, the one with the lower number, as Lucene does. */
export function createTop(k: number) {
  // A heap whose root is the worst of those kept.
  const numbers = new Int32Array(k);
  const scores = new Float64Array(k);
  let size = 0;

  const isWorse = (a: number, b: number) => {
    const [one, other] = [at(scores, a), at(scores, b)];
    return one < other || (one === other && at(numbers, a) > at(numbers, b));
  };
  const swap = (a: number, b: number) => {
    [numbers[a], numbers[b]] = [at(numbers, b), at(numbers, a)];
    [scores[a], scores[b]] = [at(scores, b), at(scores, a)];
  };
  const rise = (from: number) => {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!isWorse(child, parent)) return;
      swap(child, parent);
      child = parent;
    }
  };
  const sink = () => {
    for (let parent = 0; ;) {
      let worst = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < size && isWorse(child, worst)) worst = child;
      }
      if (worst === parent) return;
      swap(parent, worst);
      parent = worst;
    }
  };

  return {
    offer(number: number, score: number): void {
      if (size < k) {
        numbers[size] = number;
        scores[size] = score;
        size += 1;
        rise(size - 1);
        return;
      }
      const worst = at(scores, 0);
      if (score < worst || (score === worst && number > at(numbers, 0))) return;
      numbers[0] = number;
      scores[0] = score;
      sink();
    },
    /** Best first. */
    ranking(): Ranking<number> {
      return Array.from({ length: size }, (_, i) => ({ id: at(numbers, i), score: at(scores, i) })).sort(
        (a, b) => b.score - a.score || a.id - b.id,
      );
    },
  };
}

/** Reads where the index is known to be inside: typed arrays answer `undefined` outside only. */
function at(values: Int32Array | Float64Array, index: number): number {
  return values[index] ?? 0;
}
