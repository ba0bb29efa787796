import type { Fusion, HitScores } from '../domain/policies.ts';

/** Chunk numbers or ids with their scores, best first. */
export type Ranking<Id> = readonly { readonly id: Id; readonly score: number }[];

export type Fused<Id> = { readonly id: Id; readonly scores: HitScores };

/** How deep each side is read before fusion, in both engines. */
export const FUSION_DEPTH = 100;

export const RRF_CONSTANT = 60;
export const WEIGHT = 0.5;
/** OpenSearch gives the last of a list this instead of 0, so that being found is better than not being found. */
const MINMAX_FLOOR = 0.001;

/** Puts two rankings together as OpenSearch's hybrid query does. A tie keeps the order of BM25, then of cosine. */
export function fuse<Id>(bm25: Ranking<Id>, knn: Ranking<Id>, fusion: Fusion): readonly Fused<Id>[] {
  const share = fusion === 'rrf' ? byRank : byMinMax;
  const found = new Map<Id, { bm25: number | null; cosine: number | null; score: number }>();
  const collect = (ranking: Ranking<Id>, side: 'bm25' | 'cosine') => {
    const shareOf = share(ranking);
    ranking.forEach(({ id, score }, place) => {
      const entry = found.get(id) ?? { bm25: null, cosine: null, score: 0 };
      entry[side] = score;
      entry.score += shareOf(score, place);
      found.set(id, entry);
    });
  };
  collect(bm25, 'bm25');
  collect(knn, 'cosine');
  return [...found].map(([id, scores]) => ({ id, scores })).sort((a, b) => b.scores.score - a.scores.score);
}

type Share = (score: number, place: number) => number;

function byRank(): Share {
  return (_score, place) => 1 / (RRF_CONSTANT + place + 1);
}

function byMinMax(ranking: Ranking<unknown>): Share {
  const highest = ranking[0]?.score ?? 0;
  const lowest = ranking.at(-1)?.score ?? 0;
  if (highest === lowest) return () => WEIGHT;
  return (score) => WEIGHT * (score === lowest ? MINMAX_FLOOR : (score - lowest) / (highest - lowest));
}
