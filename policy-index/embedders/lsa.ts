import { createHash } from 'node:crypto';
import { EmbedderError, type Embedder, type Tokenizer } from '../../domain/policies.ts';
import { analyse, ANALYSIS_VERSION } from '../analysis.ts';
import { unit } from '../unit.ts';
import { rightSingularVectors, type SparseRow } from './svd.ts';

const RANK = 384;
/** The commonest terms are kept of a larger vocabulary. */
const MOST_TERMS = 30_000;
/** Texts the model is fitted to, taken evenly from a larger corpus. */
const MOST_TEXTS = 5_000;
const VERSION = `lsa-1/${ANALYSIS_VERSION}`;

/** A word is a token: runs of letters and digits, and each Chinese, Japanese or Korean pair. */
export const LSA_TOKENIZER: Tokenizer = {
  name: `words/${ANALYSIS_VERSION}`,
  // Nothing is cut: all words of a text count.
  maxTokens: Number.MAX_SAFE_INTEGER,
  countTokens: (text) => text.match(TOKEN)?.length ?? 0,
};

const TOKEN = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]|[\p{L}\p{M}\p{N}_]+/gu;

type Header = { readonly terms: readonly string[]; readonly idf: readonly number[]; readonly rank: number };

/**
 * Latent semantic analysis: the strongest directions of the corpus's own words. It knows no synonym that the corpus
 * does not show, and needs nothing but the corpus. The model is the return value; `readLsa` makes it an embedder.
 */
export async function fitLsa(texts: readonly string[]): Promise<Uint8Array> {
  const step = Math.max(1, texts.length / MOST_TEXTS);
  const sample = Array.from(
    { length: Math.min(texts.length, MOST_TEXTS) },
    (_, i) => texts[Math.floor(i * step)] ?? '',
  );
  const frequencies = sample.map((text) => frequenciesOf(analyse(text)));
  const documentsWith = new Map<string, number>();
  for (const found of frequencies) {
    for (const term of found.keys()) documentsWith.set(term, (documentsWith.get(term) ?? 0) + 1);
  }
  const kept = [...documentsWith]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, MOST_TERMS)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (kept.length === 0) throw new EmbedderError('There are no words to fit an embedder to.');
  const terms = kept.map(([term]) => term);
  const idf = kept.map(([, count]) => Math.log((1 + sample.length) / (1 + count)) + 1);
  const columnOf = new Map(terms.map((term, column) => [term, column]));
  const rows = frequencies
    .map((found) => weigh(found, columnOf, idf))
    .filter(({ columns }) => columns.length > 0);
  const { width, values } = await rightSingularVectors(rows, terms.length, RANK);
  return pack({ terms, idf, rank: width }, Float32Array.from(values));
}

/** @throws {EmbedderError} when the bytes are not a model. */
export function readLsa(model: Uint8Array): Embedder {
  const { header, vectors } = unpack(model);
  const { terms, idf, rank } = header;
  const columnOf = new Map(terms.map((term, column) => [term, column]));
  // One more than the model has: a text without a known word needs a direction of its own, far from all others.
  const dimensions = rank + 1;
  const hash = createHash('sha256').update(model).digest('hex').slice(0, 16);

  function embedOne(text: string): Float32Array {
    const { columns, values } = weigh(frequenciesOf(analyse(text)), columnOf, idf);
    const vector = new Float32Array(dimensions);
    columns.forEach((column, i) => {
      const weight = values[i] ?? 0;
      for (let d = 0; d < rank; d += 1) {
        vector[d] = (vector[d] ?? 0) + weight * (vectors[column * rank + d] ?? 0);
      }
    });
    if (vector.every((value) => value === 0)) vector[rank] = 1;
    return unit(vector);
  }

  return {
    ...LSA_TOKENIZER,
    fingerprint: `${VERSION}/${hash}`,
    dimensions,
    embed: async (texts) => texts.map(embedOne),
  };
}

function frequenciesOf(terms: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const term of terms) found.set(term, (found.get(term) ?? 0) + 1);
  return found;
}

/** Term frequency, dampened, times rarity; at length 1. */
function weigh(
  frequencies: ReadonlyMap<string, number>,
  columnOf: ReadonlyMap<string, number>,
  idf: readonly number[],
): SparseRow {
  const columns: number[] = [];
  const values: number[] = [];
  for (const [term, count] of frequencies) {
    const column = columnOf.get(term);
    if (column === undefined) continue;
    columns.push(column);
    values.push((1 + Math.log(count)) * (idf[column] ?? 0));
  }
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return { columns, values: values.map((value) => value / length) };
}

function pack(header: Header, vectors: Float32Array): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, Buffer.from(vectors.buffer)]);
}

function unpack(model: Uint8Array): { readonly header: Header; readonly vectors: Float32Array } {
  try {
    const bytes = Buffer.from(model);
    const start = 4 + bytes.readUInt32LE(0);
    // Written by `pack`; whoever keeps it checks that it is what was written.
    const header = JSON.parse(bytes.toString('utf8', 4, start)) as Header;
    const vectors = new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer);
    if (vectors.length !== header.terms.length * header.rank) throw new RangeError('It is cut short.');
    return { header, vectors };
  } catch (error) {
    throw new EmbedderError('The embedder kept with the build cannot be read. Make a new build.', {
      cause: error,
    });
  }
}
