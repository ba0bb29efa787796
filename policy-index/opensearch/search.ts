import type { PolicyHit, PolicyQuery } from '../../domain/policies.ts';
import { fuse, type Ranking } from '../fusion.ts';
import { cosineWith, FUSED, HITS, hitOf, oneSided, SIDES, type ReadHit, type Side } from './answers.ts';
import { type Connection, refusal } from './connection.ts';
import type { Build } from './find-build.ts';
import { LEXICAL, readBody, searchBody, sidesOf } from './requests.ts';

/**
 * OpenSearch's hybrid query scores every chunk that has a word of the question, while a query of words alone skips what
 * cannot be among the best: 9 ms against 2 ms at 100,000 chunks. Up to this many its own fusion is used; beyond, both
 * sides are asked for at once and fused here, by the same rule.
 */
export const PIPELINE_CHUNKS = 20_000;

const NAMED_SCORES = { include_named_queries_score: 'true' };

/** @param pipelineChunks up to how many chunks a build is searched by OpenSearch's own hybrid query */
export function searcher(server: Connection, pipelineChunks: number) {
  function wayOf({ meta: { chunks = 0 } }: Build, { mode }: PolicyQuery) {
    if (mode !== 'hybrid') return searchOne;
    return chunks > pipelineChunks ? searchSides : searchBoth;
  }

  async function searchOne(name: string, query: PolicyQuery): Promise<readonly PolicyHit[]> {
    const body = searchBody(query);
    const answer = await server.ask(HITS, { method: 'POST', path: `/${name}/_search`, body });
    return answer.hits.hits.map(({ _source, _score }) => hitOf(_source, oneSided(query.mode, _score)));
  }

  async function searchBoth(name: string, query: PolicyQuery): Promise<readonly PolicyHit[]> {
    const fused = await server.ask(FUSED, {
      method: 'POST',
      path: `/${name}/_search`,
      query: NAMED_SCORES,
      body: searchBody(query),
    });
    const ids = fused.hits.hits.map(({ fields }) => fields.chunk_id[0]);
    const stored = await read(name, ids);
    return fused.hits.hits.flatMap(({ fields, _score: score, matched_queries: matched }) =>
      bothSided(query, stored.get(fields.chunk_id[0]), { bm25: matched?.[LEXICAL], score }),
    );
  }

  async function searchSides(name: string, query: PolicyQuery): Promise<readonly PolicyHit[]> {
    const { responses } = await server.ask(SIDES, {
      method: 'POST',
      path: `/${name}/_msearch`,
      bulk: sidesOf(query),
    });
    const [bm25, knn] = responses.map(foundBy);
    const fused = fuse(bm25 ?? [], knn ?? [], query.fusion ?? 'minmax').slice(0, query.k);
    const ids = fused.map(({ id }) => id);
    const stored = await read(name, ids, query.text);
    return fused.flatMap(({ id, scores: { score } }) => {
      const hit = stored.get(id);
      return bothSided(query, hit, { bm25: hit?.matched_queries?.[LEXICAL], score });
    });
  }

  async function read(
    name: string,
    ids: readonly string[],
    question?: string,
  ): Promise<ReadonlyMap<string, ReadHit>> {
    if (ids.length === 0) return new Map();
    const body = readBody(ids, question);
    const query = question === undefined ? {} : { query: NAMED_SCORES };
    const answer = await server.ask(HITS, { method: 'POST', path: `/${name}/_search`, body, ...query });
    return new Map(answer.hits.hits.map((hit) => [hit._source.chunk.id, hit]));
  }

  return {
    search: (build: Build, query: PolicyQuery) => wayOf(build, query)(build.name, query),
    read,
  };
}

/** @throws what the server made of that side alone */
function foundBy(side: Side): Ranking<string> {
  if ('error' in side) throw refusal(side.status, side.error.type);
  return side.hits.hits;
}

/** None when the chunk was removed since it was found. */
function bothSided(
  { embedding }: PolicyQuery,
  hit: ReadHit | undefined,
  { bm25 = null, score }: { readonly bm25: number | null | undefined; readonly score: number },
): readonly PolicyHit[] {
  if (!hit) return [];
  const cosine = cosineWith(embedding?.vector ?? new Float32Array(), hit._source);
  return [hitOf(hit._source, { bm25, cosine, score })];
}
