import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A row of a sparse matrix: columns and their values. */
export type SparseRow = { readonly columns: readonly number[]; readonly values: readonly number[] };

/** Dense, row after row. */
type Dense = { readonly width: number; readonly values: Float64Array };

/** More directions than are asked for are followed: the last ones are found less exactly than the first. */
const OVERSAMPLING = 16;
const POWER_ITERATIONS = 2;
const SEED = 42;
/** A direction this much weaker than the strongest is rounding, not content. */
const NEGLIGIBLE = 1e-10;

/**
 * The `rank` strongest right singular vectors of a sparse matrix, as a matrix of `width` rows, by Halko, Martinsson
 * and Tropp's randomised range finder (2011). The same input gives the same output.
 */
export async function rightSingularVectors(
  rows: readonly SparseRow[],
  width: number,
  rank: number,
): Promise<Dense> {
  const directions = Math.min(rank + OVERSAMPLING, rows.length, width);
  let range = await orthonormal(times(rows, randomDense(width, directions)), directions);
  // With as many directions as rows the range is exact, and there is nothing to sharpen.
  const iterations = directions === rows.length ? 0 : POWER_ITERATIONS;
  for (let i = 0; i < iterations; i += 1) {
    range = await orthonormal(times(rows, transposedTimes(rows, width, range)), directions);
  }
  return orthonormal(transposedTimes(rows, width, range), rank);
}

function times(rows: readonly SparseRow[], dense: Dense): Dense {
  const { width, values } = dense;
  const product = new Float64Array(rows.length * width);
  rows.forEach((row, number) => {
    row.columns.forEach((column, i) => {
      addScaled(product, number * width, values, column * width, width, row.values[i] ?? 0);
    });
  });
  return { width, values: product };
}

function transposedTimes(rows: readonly SparseRow[], height: number, dense: Dense): Dense {
  const { width, values } = dense;
  const product = new Float64Array(height * width);
  rows.forEach((row, number) => {
    row.columns.forEach((column, i) => {
      addScaled(product, column * width, values, number * width, width, row.values[i] ?? 0);
    });
  });
  return { width, values: product };
}

/** An orthonormal base of the column space, strongest direction first, at most `most` of them. */
async function orthonormal(dense: Dense, most: number): Promise<Dense> {
  const { width, values } = dense;
  // Between the long sums a worker reports that it is alive.
  await new Promise(setImmediate);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram(dense), {
    assumeSymmetric: true,
  });
  const strongest = Math.max(...realEigenvalues);
  const kept = realEigenvalues
    .map((value, index) => ({ value, index }))
    .filter(({ value }) => value > strongest * NEGLIGIBLE)
    .sort((a, b) => b.value - a.value)
    .slice(0, most);
  const turn = new Float64Array(width * kept.length);
  kept.forEach(({ value, index }, to) => {
    for (let from = 0; from < width; from += 1) {
      turn[from * kept.length + to] = eigenvectorMatrix.get(from, index) / Math.sqrt(value);
    }
  });
  await new Promise(setImmediate);
  const height = values.length / width;
  const product = new Float64Array(height * kept.length);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const scale = values[row * width + column] ?? 0;
      addScaled(product, row * kept.length, turn, column * kept.length, kept.length, scale);
    }
  }
  return { width: kept.length, values: product };
}

/** Products of all pairs of columns. */
function gram({ width, values }: Dense): Matrix {
  const sums = new Float64Array(width * width);
  for (let start = 0; start < values.length; start += width) {
    for (let a = 0; a < width; a += 1) {
      addScaled(sums, a * width + a, values, start + a, width - a, values[start + a] ?? 0);
    }
  }
  const matrix = Matrix.zeros(width, width);
  for (let a = 0; a < width; a += 1) {
    for (let b = a; b < width; b += 1) {
      matrix.set(a, b, sums[a * width + b] ?? 0);
      matrix.set(b, a, sums[a * width + b] ?? 0);
    }
  }
  return matrix;
}

function addScaled(
  into: Float64Array,
  to: number,
  from: Float64Array,
  at: number,
  count: number,
  scale: number,
): void {
  if (scale === 0) return;
  for (let i = 0; i < count; i += 1) into[to + i] = (into[to + i] ?? 0) + scale * (from[at + i] ?? 0);
}

/** Numbers from -1 to 1: as good a start as Gaussian ones, and simpler. */
function randomDense(height: number, width: number): Dense {
  const generator = xoroshiro128plus(SEED);
  const values = new Float64Array(height * width);
  for (let i = 0; i < values.length; i += 1) values[i] = 2 * uniformFloat64(generator) - 1;
  return { width, values };
}
