import assert from 'node:assert/strict';
import type { PolicyHit, Reranker } from '../../domain/policies.ts';
import { rerankHits } from '../../policy-index/rerank.ts';
import { chunkNumber, VERIFIED } from './embedded-support.ts';

function hit(number: number, score: number): PolicyHit {
  const { chunk } = chunkNumber(number);
  return { chunk, scores: { bm25: score, cosine: null, score }, verifiedAt: VERIFIED, supersededAt: null };
}

const hits = [hit(1, 9), hit(2, 8), hit(3, 1)];
const numbers = async (reranker: Reranker | undefined, from: readonly PolicyHit[] = hits) =>
  (await rerankHits('q', from, reranker)).map(({ chunk }) => chunk.id.slice('chunk-'.length));
const rating = (weight: number, scores: readonly number[]): Reranker => ({
  name: 'test',
  weight,
  rerank: async (_question, passages) => passages.map((_, i) => scores[i] ?? 0),
});

describe('A second look at the hits', () => {
  it('leaves the order alone when nobody looks', async () => {
    assert.deepEqual(await numbers(undefined), ['1', '2', '3']);
  });

  it('mixes both scores by the reranker’s weight', async () => {
    assert.deepEqual(await numbers(rating(0.5, [0, 1, 0.5])), ['2', '1', '3']);
    assert.deepEqual(await numbers(rating(1, [0, 0.5, 1])), ['3', '2', '1']);
    assert.deepEqual(await numbers(rating(0, [0, 0.5, 1])), ['1', '2', '3']);
  });

  it('keeps the order where the reranker sees no difference', async () => {
    assert.deepEqual(await numbers(rating(0.9, [5, 5, 5])), ['1', '2', '3']);
  });

  it('looks at the first twenty, and keeps those below in their order', async () => {
    const many = Array.from({ length: 25 }, (_, i) => hit(i, 100 - i));
    let seen = 0;
    const counting: Reranker = {
      ...rating(1, []),
      rerank: async (_question, passages) => {
        seen = passages.length;
        return passages.map((_, i) => i);
      },
    };
    const order = await numbers(counting, many);
    assert.deepEqual([seen, order[0], order.slice(20)], [20, '19', ['20', '21', '22', '23', '24']]);
  });

  it('says what the reranker said, and nothing of those it did not see', async () => {
    const [first] = await rerankHits('q', hits, rating(1, [3, 2, 1]));
    const [unseen] = await rerankHits('q', hits, undefined);
    assert.deepEqual([first?.rerank, unseen?.rerank], [3, null]);
  });

  it('has nothing to look at where nothing was found', async () => {
    assert.deepEqual(await numbers(rating(1, []), []), []);
  });
});
