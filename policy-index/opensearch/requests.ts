import type { Fusion, PolicyFilter, PolicyQuery, VersionKey } from '../../domain/policies.ts';
import { ANALYZER, askedText } from '../analysis.ts';
import { instant } from '../checks.ts';
import { FUSION_DEPTH, RRF_CONSTANT, WEIGHT } from '../fusion.ts';

/** Bounds of time in milliseconds: "since ever" and "until further notice" are numbers like all others. */
export const EVER = -8.64e15;
export const NEVER = 8.64e15;

export const LEXICAL = 'bm25';

/** What a build is made of. One shard, so that the statistics behind BM25 are those of the whole. */
export function buildDefinition(dimensions: number, meta: object): object {
  return {
    settings: {
      number_of_shards: 1,
      // Every node that could hold a copy holds one; a single node is not yellow for want of another.
      auto_expand_replicas: '0-1',
      'index.knn': true,
      analysis: ANALYZER,
    },
    mappings: {
      dynamic: 'strict',
      _meta: meta,
      properties: {
        search_text: { type: 'text', analyzer: 'policy_text' },
        vector: {
          type: 'knn_vector',
          dimension: dimensions,
          // Named, because the default engine is native code that not every installation has.
          method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
        },
        // Read back for the scores of a hit: from `vector` itself a hit's numbers come ten times as slowly.
        vector_bytes: { type: 'binary' },
        chunk_id: { type: 'keyword' },
        tenant: { type: 'keyword' },
        doc_id: { type: 'keyword' },
        doc_version: { type: 'keyword' },
        kind: { type: 'keyword' },
        audience: { type: 'keyword' },
        language: { type: 'keyword' },
        effective_from: { type: 'long' },
        effective_to: { type: 'long' },
        verified_at: { type: 'long' },
        superseded_at: { type: 'long' },
        chunk: { type: 'object', enabled: false },
      },
    },
  };
}

/** The body of `_search`. */
export function searchBody(query: PolicyQuery): object {
  const { mode, k, fusion = 'minmax' } = query;
  const base = { size: k, _source: SHOWN, track_total_hits: false };
  if (mode === 'bm25') return { ...base, query: lexical(query) };
  if (mode === 'knn') return { ...base, query: nearest(query, k) };
  const depth = depthOf(query);
  return {
    ...base,
    // With one shard all that is fused is fetched as well, so only ids are; the few hits are read afterwards.
    ...IDS_ALONE,
    query: { hybrid: { pagination_depth: depth, queries: [lexical(query), nearest(query, depth)] } },
    search_pipeline: { phase_results_processors: [FUSION_PROCESSOR[fusion]] },
  };
}

/** Both sides of a hybrid query, each by itself, for `_msearch`: BM25 first. To be put together by `fuse`. */
export function sidesOf(query: PolicyQuery): readonly object[] {
  const depth = depthOf(query);
  const base = { size: depth, track_total_hits: false, ...IDS_ALONE };
  return [lexical(query), nearest(query, depth)].flatMap((side) => [{}, { ...base, query: side }]);
}

/**
 * The chunks of these ids. As a search, since asking for each by its id takes twice as long. With a question, also what
 * BM25 says of each.
 */
export function readBody(ids: readonly string[], question?: string): object {
  const base = { size: ids.length, _source: SHOWN, track_total_hits: false };
  const chosen = { terms: { chunk_id: ids } };
  if (question === undefined) return { ...base, query: { constant_score: { filter: chosen } } };
  return { ...base, query: { bool: { filter: [chosen], should: [matching(question)] } } };
}

const IDS_ALONE = { _source: false, stored_fields: '_none_', docvalue_fields: ['chunk_id'] };

function depthOf({ k }: PolicyQuery): number {
  return Math.max(FUSION_DEPTH, k);
}

/** What is read of a chunk that is found. */
const SHOWN = ['chunk', 'verified_at', 'superseded_at', 'vector_bytes'];

const FUSION_PROCESSOR: Record<Fusion, object> = {
  minmax: {
    'normalization-processor': {
      normalization: { technique: 'min_max' },
      combination: { technique: 'arithmetic_mean', parameters: { weights: [WEIGHT, WEIGHT] } },
    },
  },
  rrf: { 'score-ranker-processor': { combination: { technique: 'rrf', rank_constant: RRF_CONSTANT } } },
};

function lexical({ text, filter }: PolicyQuery): object {
  return { bool: { must: [matching(text)], filter: filterOf(filter) } };
}

/** Named, so that a hit of several queries tells the score of this one. */
function matching(text: string): object {
  return { match: { search_text: { query: askedText(text), _name: LEXICAL } } };
}

function nearest({ embedding, filter }: PolicyQuery, k: number): object {
  const vector = Array.from(embedding?.vector ?? []);
  return { knn: { vector: { vector, k, filter: { bool: { filter: filterOf(filter) } } } } };
}

function filterOf(filter: PolicyFilter): readonly object[] {
  const at = instant(filter.effectiveAt, 'effectiveAt');
  return [
    { term: { tenant: filter.tenant } },
    { terms: { audience: filter.audiences } },
    ...(filter.languages ? [{ terms: { language: filter.languages } }] : []),
    ...(filter.kinds ? [{ terms: { kind: filter.kinds } }] : []),
    { range: { effective_from: { lte: at } } },
    { range: { effective_to: { gt: at } } },
    ...(filter.verifiedSince === undefined
      ? []
      : [{ range: { verified_at: { gte: instant(filter.verifiedSince, 'verifiedSince') } } }]),
    filter.withSuperseded === true
      ? { range: { superseded_at: { gt: at } } }
      : { term: { superseded_at: NEVER } },
  ];
}

/** Matches every chunk of these versions. */
export function ofVersions(versions: readonly VersionKey[]): object {
  const should = versions.map(({ tenant, docId, docVersion }) => ({
    bool: {
      filter: [{ term: { tenant } }, { term: { doc_id: docId } }, { term: { doc_version: docVersion } }],
    },
  }));
  return { bool: { should, minimum_should_match: 1 } };
}
