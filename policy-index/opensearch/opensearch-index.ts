import {
  PolicyIndexError,
  type BuildInfo,
  type EmbeddedChunk,
  type IndexFingerprint,
  type PolicyHits,
  type PolicyIndex,
  type PolicyQuery,
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
import { unit } from '../unit.ts';
import { aliasKeeper } from './aliases.ts';
import { ANY, BULK, bytesOf, COUNT, IDS, INDICES, vectorOf, type Meta } from './answers.ts';
import { connect, ServerRefusal } from './connection.ts';
import { type Build, buildFinder, isMissing } from './find-build.ts';
import { modelShelf } from './model-shelf.ts';
import { buildDefinition, EVER, NEVER } from './requests.ts';
import { PIPELINE_CHUNKS, searcher } from './search.ts';
import { standingKeeper } from './standing.ts';

const BULK_CHUNKS = 500;
const PAGE = 5000;

/** The policy index in OpenSearch: a build is an index, and a search names the one that its alias points to. */
export function openOpenSearchIndex(options: {
  readonly url: string;
  readonly now?: () => Date;
  readonly pipelineChunks?: number;
}): PolicyIndex {
  const { url, now = () => new Date(), pipelineChunks = PIPELINE_CHUNKS } = options;
  const server = connect(url);
  const models = modelShelf(server);
  const { look, find } = buildFinder(server);
  const { search: searchIn, read } = searcher(server, pipelineChunks);
  const { aliasesOf, ...aliases } = aliasKeeper(server, find);
  const standing = standingKeeper(server, refreshed);

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
    return info(name);
  }

  async function search(target: string, query: PolicyQuery): Promise<PolicyHits> {
    const build = await find(target);
    assertAnswerable(build.name, build.meta.fingerprint, query);
    assertSameAnalysis(build);
    const asked = withUnitVector(query);
    try {
      const hits = await searchIn(build, asked);
      return { hits, build: build.name, fingerprint: build.meta.fingerprint };
    } catch (error) {
      // The alias moved after it was read, and the build it pointed to is gone: ask the one it points to now.
      if (isMissing(error) && (await find(target)).name !== build.name) return search(target, query);
      throw error;
    }
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

  async function builds(): Promise<readonly BuildInfo[]> {
    const all = await server.ask(INDICES, {
      method: 'GET',
      path: '/*',
      query: { filter_path: '*.mappings._meta' },
    });
    const found: BuildInfo[] = [];
    for (const name of all.map((build) => build.name).sort()) {
      try {
        found.push(await info(name));
      } catch (error) {
        // Another process may drop it between the list and the look.
        if ((await look(name)).length > 0) throw error;
      }
    }
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

  async function refreshed(target: string): Promise<string> {
    const { name } = await find(target);
    await refresh(name);
    return name;
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
    ...aliases,
    ...standing,
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

function assertSameAnalysis({ name, meta }: Build): void {
  if (meta.analysis === ANALYSIS_VERSION) return;
  throw new PolicyIndexError(
    'other_fingerprint',
    `Build ${name} was analysed by ${meta.analysis}, this version by ${ANALYSIS_VERSION}. ` +
      'Make a new build: countersign policy ingest',
  );
}
