import type { PolicyHit, Reranker } from '../domain/policies.ts';

/** A hit with its place after the second look. `rerank` is the reranker's own score, null for hits it did not see. */
export type RankedHit = PolicyHit & { readonly rerank: number | null; readonly score: number };

/** The first of them get a second look; those below keep their order. */
const RERANKED = 20;

/**
 * Mixes the retrieval's score with the reranker's, each brought to 0 to 1 among the hits that are looked at.
 * The chunk's `indexText` is what is looked at: a passage is understood under its title.
 */
export async function rerankHits(
  question: string,
  hits: readonly PolicyHit[],
  reranker: Reranker | undefined,
  signal?: AbortSignal,
): Promise<readonly RankedHit[]> {
  const unseen = (hit: PolicyHit): RankedHit => ({ ...hit, rerank: null, score: hit.scores.score });
  if (!reranker) return hits.map(unseen);
  const seen = hits.slice(0, RERANKED);
  const passages = seen.map(({ chunk }) => ({ id: chunk.id, text: chunk.indexText }));
  const scores = await reranker.rerank(question, passages, signal);
  const fused = toUnitInterval(seen.map((hit) => hit.scores.score));
  const own = toUnitInterval(scores);
  const { weight } = reranker;
  const mixed = seen
    .map((hit, i) => ({
      ...hit,
      rerank: scores[i] ?? null,
      score: (1 - weight) * (fused[i] ?? 0) + weight * (own[i] ?? 0),
    }))
    .sort((a, b) => b.score - a.score);
  return [...mixed, ...hits.slice(RERANKED).map(unseen)];
}

function toUnitInterval(scores: readonly number[]): readonly number[] {
  const lowest = Math.min(...scores);
  const span = Math.max(...scores) - lowest;
  return scores.map((score) => (span === 0 ? 1 : (score - lowest) / span));
}
