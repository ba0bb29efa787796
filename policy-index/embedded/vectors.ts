import type { Ranking } from '../fusion.ts';
import { unit } from '../unit.ts';
import type { Passes } from './postings.ts';
import { createTop } from './top.ts';

/** Exact nearest neighbours by cosine over unit vectors in one block of memory. */
export function createVectors(dimensions: number) {
  let block = new Float32Array(256 * dimensions);
  let count = 0;

  return {
    add(vector: Float32Array): void {
      if ((count + 1) * dimensions > block.length) {
        const larger = new Float32Array(block.length * 2);
        larger.set(block);
        block = larger;
      }
      block.set(unit(vector), count * dimensions);
      count += 1;
    },
    search(vector: Float32Array, k: number, passes: Passes): Ranking<number> {
      const top = createTop(k);
      const question = unit(vector);
      for (let number = 0; number < count; number += 1) {
        if (passes(number)) top.offer(number, cosine(question, number));
      }
      return top.ranking();
    },
    at: (number: number) => block.slice(number * dimensions, (number + 1) * dimensions),
    cosine: (vector: Float32Array, number: number) => cosine(unit(vector), number),
  };

  function cosine(question: Float32Array, number: number): number {
    const start = number * dimensions;
    // Four sums instead of one: the processor need not wait for the last addition before the next.
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (; i + 3 < dimensions; i += 4) {
      a += (question[i] ?? 0) * (block[start + i] ?? 0);
      b += (question[i + 1] ?? 0) * (block[start + i + 1] ?? 0);
      c += (question[i + 2] ?? 0) * (block[start + i + 2] ?? 0);
      d += (question[i + 3] ?? 0) * (block[start + i + 3] ?? 0);
    }
    for (; i < dimensions; i += 1) a += (question[i] ?? 0) * (block[start + i] ?? 0);
    return a + b + c + d;
  }
}
