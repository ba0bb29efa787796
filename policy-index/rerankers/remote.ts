import { z } from 'zod';
import type { Reranker } from '../../domain/policies.ts';
import { createPoster, joined } from '../http.ts';

/** A cross-encoder has read both texts: it decides more than half. */
const WEIGHT = 0.6;

const ANSWER = z.object({
  results: z.array(z.object({ index: z.int().nonnegative(), relevance_score: z.number() })),
});

/** Any service with Cohere's `/rerank`: Cohere, Jina, vLLM, llama.cpp, text-embeddings-inference behind a proxy. */
export function remoteReranker(options: {
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
}): Reranker {
  const { url, model, ...rest } = options;
  const post = createPoster(rest);
  return {
    name: `rerank/${model}`,
    weight: WEIGHT,
    rerank: async (query, passages, signal) => {
      const documents = passages.map(({ text }) => text);
      const body = { model, query, documents, top_n: documents.length };
      const { results } = await post(joined(url, 'rerank'), body, ANSWER, signal);
      const scores = new Map(results.map(({ index, relevance_score: score }) => [index, score]));
      if (scores.size !== passages.length) throw new Error('The reranker left passages out.');
      return passages.map((_, index) => scores.get(index) ?? 0);
    },
  };
}
