import {
  PolicyIndexError,
  type BuildInfo,
  type EmbeddedChunk,
  type IndexFingerprint,
  type PolicyHit,
  type PolicyHits,
  type PolicyIndex,
  type PolicyQuery,
  type VersionInfo,
  type VersionKey,
} from '../../domain/policies.ts';
import { ANALYSIS_VERSION } from '../analysis.ts';
import {
  assertAnswerable,
  assertDates,
  assertName,
  assertSameFingerprint,
  assertVectors,
  contentHash,
  instant,
} from '../checks.ts';
import { fuse, type Ranking } from '../fusion.ts';
import { unit } from '../unit.ts';
import {
  ALIASES,
  ANY,
  BULK,
  bytesOf,
  CHANGED,
  COUNT,
  cosineWith,
  FUSED,
  HITS,
  hitOf,
  IDS,
  INDICES,
  instantOrNever,
  oneSided,
  SIDES,
  vectorOf,
  VERSIONS,
  type Meta,
  type ReadHit,
  type Side,
} from './answers.ts';
import { connect, refusal, ServerRefusal } from './connection.ts';
import { modelShelf } from './model-shelf.ts';
import {
  buildDefinition,
  EVER,
  LEXICAL,
  NEVER,
  ofVersions,
  readBody,
  searchBody,
  sidesOf,
} from './requests.ts';

const BULK_CHUNKS = 500;
const PAGE = 5000;
/** Versions named in one query. */
const VERSIONS_AT_ONCE = 200;

/**
 * OpenSearch's hybrid query scores every chunk that has a word of the question, while a query of words alone skips what
 * cannot be among the best: 9 ms against 2 ms at 100,000 chunks. Up to this many its own fusion is used; beyond, both
 * sides are asked for at once and fused here, by the same rule.
 */
const PIPELINE_CHUNKS = 20_000;

const NAMED_SCORES = { include_named_queries_score: 'true' };

type Build = { readonly name: string; readonly meta: Meta };

/** The policy index in OpenSearch: a build is an index, and a search names the one that its alias points to. */
export function openOpenSearchIndex(options: {
  readonly url: string;
  readonly now?: () => Date;
  readonly pipelineChunks?: number;
}): PolicyIndex {
  const { url, now = () => new Date(), pipelineChunks = PIPELINE_CHUNKS } = options;
  const server = connect(url);
  const models = modelShelf(server);

  /** Names and `_meta` of what the target stands for; an index that is not ours counts as none. */
  async function look(target: string): Promise<readonly Build[]> {
    assertName(target);
    try {
      return await server.ask(INDICES, {
        method: 'GET',
        path: `/${target}`,
        query: { filter_path: '*.mappings._meta' },
      });
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async function find(target: string): Promise<Build> {
    const [build, ...others] = await look(target);
    if (!build) {
      throw new PolicyIndexError(
        'no_build',
        `There is no policy index ${target}. Make one: countersign policy ingest`,
      );
    }
    if (others.length > 0)
      throw aliasBroken(
        target,
        [build, ...others].map(({ name }) => name),
      );
    return build;
  }

  async function openBuild(name: string, fingerprint: IndexFingerprint): Promise<void> {
    assertName(name);
    const meta: Meta = {
      made_by: 'countersign',
      fingerprint,
      analysis: ANALYSIS_VERSION,
      created_at: now().toISOString(),
      sealed: false,
    };
    try {
      const body = buildDefinition(fingerprint.dimensions, meta);
      await server.build(ANY, { method: 'PUT', path: `/${name}`, body });
    } catch (error) {
      if (!(error instanceof ServerRefusal) || error.type !== 'resource_already_exists_exception')
        throw error;
      assertSameFingerprint(name, (await find(name)).meta.fingerprint, fingerprint);
    }
  }

  async function add(name: string, chunks: readonly EmbeddedChunk[], verifiedAt: string): Promise<void> {
    const { meta } = await find(name);
    if (meta.sealed) throw new PolicyIndexError('sealed', `Build ${name} is sealed: nothing can be added.`);
    assertVectors(chunks, meta.fingerprint.dimensions);
    assertDates(chunks, verifiedAt);
    for (let at = 0; at < chunks.length; at += BULK_CHUNKS) {
      const bulk = chunks
        .slice(at, at + BULK_CHUNKS)
        .flatMap((each) => [{ index: { _id: each.chunk.id } }, stored(each, verifiedAt)]);
      const answer = await server.build(BULK, { method: 'POST', path: `/${name}/_bulk`, bulk });
      const failed = answer.items.find(({ index }) => index?.error !== undefined);
      if (failed) throw new Error(`OpenSearch did not take a chunk in: ${failed.index?.error?.type}`);
    }
  }

  async function seal(name: string): Promise<BuildInfo> {
    const { meta } = await find(name);
    if (!meta.sealed) {
      await server.build(ANY, { method: 'POST', path: `/${name}/_flush` });
      // One segment: deleted chunks no longer count in the statistics, and one graph is searched instead of many.
      await server.build(ANY, {
        method: 'POST',
        path: `/${name}/_forcemerge`,
        query: { max_num_segments: '1' },
      });
      await refresh(name);
      const { count: chunks } = await server.build(COUNT, { method: 'GET', path: `/${name}/_count` });
      const body = { _meta: { ...meta, sealed: true, chunks } };
      await server.build(ANY, { method: 'PUT', path: `/${name}/_mapping`, body });
    }
    await refresh(name);
    return info(name);
  }

  async function search(target: string, query: PolicyQuery): Promise<PolicyHits> {
    const build = await find(target);
    assertAnswerable(build.name, build.meta.fingerprint, query);
    assertSameAnalysis(build);
    const asked = withUnitVector(query);
    try {
      const hits = await wayOf(build, query)(build.name, asked);
      return { hits, build: build.name, fingerprint: build.meta.fingerprint };
    } catch (error) {
      // The alias moved after it was read, and the build it pointed to is gone: ask the one it points to now.
      if (isMissing(error) && (await find(target)).name !== build.name) return search(target, query);
      throw error;
    }
  }

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

  async function vectors(target: string, ids: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const { name } = await find(target);
    const found = new Map<string, Float32Array>();
    for (let at = 0; at < ids.length; at += BULK_CHUNKS) {
      const stored = await read(name, ids.slice(at, at + BULK_CHUNKS));
      for (const [id, { _source }] of stored) found.set(id, vectorOf(_source.vector_bytes));
    }
    return found;
  }

  async function chunkIds(target: string): Promise<readonly string[]> {
    const { name } = await find(target);
    await refresh(name);
    const ids: string[] = [];
    for (;;) {
      const last = ids.at(-1);
      const body = {
        size: PAGE,
        _source: false,
        sort: [{ chunk_id: 'asc' }],
        ...(last === undefined ? {} : { search_after: [last] }),
      };
      const page = await server.build(IDS, { method: 'POST', path: `/${name}/_search`, body });
      ids.push(...page.hits.hits.map(({ sort: [id] }) => id));
      if (page.hits.hits.length < PAGE) return ids;
    }
  }

  async function info(target: string): Promise<BuildInfo> {
    const { name, meta } = await find(target);
    const ids = await chunkIds(name);
    return {
      name,
      state: meta.sealed ? 'sealed' : 'open',
      fingerprint: meta.fingerprint,
      chunks: ids.length,
      contentHash: contentHash([...ids].sort()),
      aliases: await aliasesOf(name),
      createdAt: meta.created_at,
    };
  }

  async function aliasesOf(name: string): Promise<readonly string[]> {
    const found = await server.ask(ALIASES, { method: 'GET', path: `/${name}/_alias` });
    return Object.keys(found[name]?.aliases ?? {}).sort();
  }

  async function resolveAlias(alias: string): Promise<readonly string[]> {
    assertName(alias);
    try {
      return Object.keys(await server.ask(ALIASES, { method: 'GET', path: `/_alias/${alias}` })).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async function pointAlias(alias: string, to: string, from: string | undefined): Promise<void> {
    const current = await resolveAlias(alias);
    if (current.length > 1) throw aliasBroken(alias, current);
    if (current[0] === to) return;
    if (current[0] !== from) throw aliasMoved(alias, current[0], from);
    await assertSealed(to);
    const remove = from === undefined ? [] : [{ remove: { index: from, alias, must_exist: true } }];
    const actions = [...remove, { add: { index: to, alias } }];
    try {
      await server.build(ANY, { method: 'POST', path: '/_aliases', body: { actions } });
    } catch (error) {
      if (isMissing(error)) throw aliasMoved(alias, (await resolveAlias(alias))[0], from);
      throw error;
    }
    if (from === undefined) await assertAlone(alias, to);
  }

  async function assertSealed(name: string): Promise<void> {
    if ((await find(name)).meta.sealed) return;
    throw new PolicyIndexError('not_sealed', `Build ${name} is still open: seal it before it goes live.`);
  }

  async function mendAlias(alias: string, to: string): Promise<void> {
    await assertSealed(to);
    const others = (await resolveAlias(alias)).filter((name) => name !== to);
    const actions = [...others.map((index) => ({ remove: { index, alias } })), { add: { index: to, alias } }];
    await server.build(ANY, { method: 'POST', path: '/_aliases', body: { actions } });
  }

  /** An alias can be made twice at the same time; the later of the two takes its own back. */
  async function assertAlone(alias: string, to: string): Promise<void> {
    const pointing = await resolveAlias(alias);
    const first = pointing[0];
    if (pointing.length < 2 || first === to) return;
    const actions = [{ remove: { index: to, alias } }];
    await server.build(ANY, { method: 'POST', path: '/_aliases', body: { actions } });
    throw aliasMoved(alias, first, undefined);
  }

  async function change(target: string, versions: readonly VersionKey[], script: object): Promise<void> {
    const { name } = await find(target);
    await refresh(name);
    for (const some of slices(versions)) {
      await server.build(CHANGED, {
        method: 'POST',
        path: `/${name}/_update_by_query`,
        query: { refresh: 'true' },
        body: { query: ofVersions(some), script },
      });
    }
  }

  async function remove(target: string, versions: readonly VersionKey[]): Promise<number> {
    const { name } = await find(target);
    await refresh(name);
    let count = 0;
    for (const some of slices(versions)) {
      const answer = await server.build(CHANGED, {
        method: 'POST',
        path: `/${name}/_delete_by_query`,
        query: { refresh: 'true' },
        body: { query: ofVersions(some) },
      });
      count += answer.deleted ?? 0;
    }
    return count;
  }

  async function versions(target: string): Promise<readonly VersionInfo[]> {
    const { name } = await find(target);
    await refresh(name);
    const found: VersionInfo[] = [];
    let after: Readonly<Record<string, string>> | undefined;
    do {
      const { aggregations } = await server.build(VERSIONS, {
        method: 'POST',
        path: `/${name}/_search`,
        body: versionsBody(after),
      });
      found.push(...aggregations.versions.buckets.map(versionOf));
      after = aggregations.versions.after_key;
    } while (after !== undefined);
    return found;
  }

  async function builds(): Promise<readonly BuildInfo[]> {
    const all = await server.ask(INDICES, {
      method: 'GET',
      path: '/*',
      query: { filter_path: '*.mappings._meta' },
    });
    const found: BuildInfo[] = [];
    for (const name of all.map((build) => build.name).sort()) found.push(await info(name));
    return found;
  }

  async function drop(name: string): Promise<void> {
    const build = (await look(name)).find((each) => each.name === name);
    if (!build) return;
    const [alias] = await aliasesOf(name);
    if (alias !== undefined) {
      throw new PolicyIndexError('in_use', `Build ${name} is live under ${alias} and stays.`);
    }
    await models.drop(name);
    await server.build(ANY, { method: 'DELETE', path: `/${name}`, query: { ignore_unavailable: 'true' } });
  }

  async function refresh(name: string): Promise<void> {
    await server.build(ANY, { method: 'POST', path: `/${name}/_refresh` });
  }

  return {
    engine: 'opensearch',
    openBuild,
    add,
    keepModel: async (name, model) => models.keep((await find(name)).name, model),
    model: async (target) => models.read((await find(target)).name),
    seal,
    chunkIds: async (target) => [...(await chunkIds(target))].sort(),
    search,
    pointAlias,
    mendAlias,
    resolveAlias,
    supersede: (target, some, at) => change(target, some, supersedeScript(instant(at, 'at'))),
    verify: (target, some, at) => change(target, some, verifyScript(instant(at, 'at'))),
    remove,
    versions,
    vectors,
    info,
    builds,
    drop,
    check: async () => {
      await server.ask(ANY, { method: 'GET', path: '/' });
    },
    close: () => server.close(),
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

function stored({ chunk, vector: given }: EmbeddedChunk, verifiedAt: string): object {
  const vector = unit(given);
  return {
    search_text: chunk.indexText,
    vector: Array.from(vector),
    vector_bytes: bytesOf(vector),
    chunk_id: chunk.id,
    tenant: chunk.tenant,
    doc_id: chunk.docId,
    doc_version: chunk.docVersion,
    kind: chunk.kind,
    audience: chunk.audience,
    language: chunk.language,
    effective_from: chunk.effectiveFrom === null ? EVER : instant(chunk.effectiveFrom, 'effectiveFrom'),
    effective_to: chunk.effectiveTo === null ? NEVER : instant(chunk.effectiveTo, 'effectiveTo'),
    verified_at: instant(verifiedAt, 'verifiedAt'),
    superseded_at: NEVER,
    chunk,
  };
}

function withUnitVector(query: PolicyQuery): PolicyQuery {
  const { embedding } = query;
  return embedding ? { ...query, embedding: { ...embedding, vector: unit(embedding.vector) } } : query;
}

function supersedeScript(at: number): object {
  return {
    source: `if (ctx._source.superseded_at < params.never) { ctx.op = 'noop' } else { ctx._source.superseded_at = params.at }`,
    params: { at, never: NEVER },
  };
}

function verifyScript(at: number): object {
  return {
    source: `if (ctx._source.verified_at >= params.at) { ctx.op = 'noop' } else { ctx._source.verified_at = params.at }`,
    params: { at },
  };
}

function versionsBody(after: Readonly<Record<string, string>> | undefined): object {
  const fields = ['tenant', 'doc_id', 'doc_version'];
  const sources = fields.map((field) => ({ [field]: { terms: { field } } }));
  return {
    size: 0,
    aggs: {
      versions: {
        composite: { size: 1000, sources, ...(after === undefined ? {} : { after }) },
        aggs: {
          verified: { max: { field: 'verified_at' } },
          superseded: { min: { field: 'superseded_at' } },
        },
      },
    },
  };
}

type Bucket = ReturnType<typeof VERSIONS.parse>['aggregations']['versions']['buckets'][number];

function versionOf({ key, doc_count: chunks, verified, superseded }: Bucket): VersionInfo {
  return {
    tenant: key.tenant,
    docId: key.doc_id,
    docVersion: key.doc_version,
    chunks,
    verifiedAt: new Date(verified.value).toISOString(),
    supersededAt: instantOrNever(superseded.value),
  };
}

function slices(versions: readonly VersionKey[]): readonly (readonly VersionKey[])[] {
  return Array.from({ length: Math.ceil(versions.length / VERSIONS_AT_ONCE) }, (_, i) =>
    versions.slice(i * VERSIONS_AT_ONCE, (i + 1) * VERSIONS_AT_ONCE),
  );
}

function assertSameAnalysis({ name, meta }: Build): void {
  if (meta.analysis === ANALYSIS_VERSION) return;
  throw new PolicyIndexError(
    'other_fingerprint',
    `Build ${name} was analysed by ${meta.analysis}, this version by ${ANALYSIS_VERSION}. ` +
      'Make a new build: countersign policy ingest',
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof ServerRefusal && error.status === 404;
}

function aliasBroken(alias: string, builds: readonly string[]): PolicyIndexError {
  return new PolicyIndexError(
    'alias_broken',
    `Alias ${alias} points to ${builds.join(' and ')}; it must point to one. Mend it: countersign policy ingest`,
  );
}

function aliasMoved(name: string, found: string | undefined, believed: string | undefined): PolicyIndexError {
  return new PolicyIndexError(
    'alias_moved',
    `Alias ${name} points to ${found ?? 'nothing'}, not to ${believed ?? 'nothing'}.`,
  );
}
