import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Reranker } from '../../domain/policies.ts';
import type { LocalModel } from '../embedders/local-model.ts';

/** Measured: below, the retrieval decides alone; above, single words outweigh the sentence. */
const WEIGHT = 0.35;
const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024;
/** Few, so that a question in between is not kept waiting. */
const PREPARED_AT_ONCE = 4;
/** A number from -1 to 1 in one byte. */
const SCALE = 127;

type Passage = { readonly width: number; readonly vectors: Int8Array };

/**
 * Late interaction (ColBERT's MaxSim) over the token vectors of the local model: each word of the question looks for
 * its best counterpart in the passage. A passage's vectors are computed once and kept, in a byte per number.
 */
export function createMaxSimReranker(model: LocalModel, cacheBytes = DEFAULT_CACHE_BYTES): Reranker {
  const kept = new LRUCache<string, Passage>({
    maxSize: cacheBytes,
    sizeCalculation: ({ vectors }) => vectors.length + 100,
  });

  async function passagesOf(texts: readonly string[]): Promise<readonly Passage[]> {
    const keys = texts.map((text) => createHash('sha256').update(text).digest('base64'));
    const missing = keys.flatMap((key, i) => (kept.has(key) ? [] : [{ key, text: texts[i] ?? '' }]));
    const fresh = new Map<string, Passage>();
    const vectors = await model.tokenVectors(missing.map(({ text }) => text));
    missing.forEach(({ key }, i) => {
      const passage = compact(vectors[i]?.tokens ?? []);
      fresh.set(key, passage);
      kept.set(key, passage);
    });
    return keys.map((key) => fresh.get(key) ?? kept.get(key) ?? compact([]));
  }

  return {
    name: `max-sim/${model.fingerprint}`,
    weight: WEIGHT,
    rerank: async (question, passages) => {
      const [asked] = await model.tokenVectors([question]);
      const found = await passagesOf(passages.map(({ text }) => text));
      return found.map((passage) => maxSim(asked?.tokens ?? [], passage));
    },
    prepare: async (passages, signal) => {
      for (let at = 0; at < passages.length; at += PREPARED_AT_ONCE) {
        signal?.throwIfAborted();
        await passagesOf(passages.slice(at, at + PREPARED_AT_ONCE).map(({ text }) => text));
      }
    },
  };
}

/** The mean, over the question's words, of the best cosine with a word of the passage. */
function maxSim(asked: readonly Float32Array[], { width, vectors }: Passage): number {
  let sum = 0;
  for (const token of asked) {
    let best = -SCALE;
    for (let start = 0; start < vectors.length; start += width) {
      let product = 0;
      for (let d = 0; d < width; d += 1) product += (token[d] ?? 0) * (vectors[start + d] ?? 0);
      if (product > best) best = product;
    }
    sum += best / SCALE;
  }
  return asked.length === 0 ? 0 : sum / asked.length;
}

function compact(tokens: readonly Float32Array[]): Passage {
  const width = tokens[0]?.length ?? 1;
  const vectors = new Int8Array(tokens.length * width);
  tokens.forEach((token, row) => {
    for (let d = 0; d < width; d += 1) vectors[row * width + d] = Math.round((token[d] ?? 0) * SCALE);
  });
  return { width, vectors };
}
