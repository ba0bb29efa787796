import {
  PolicyIndexError,
  type Chunk,
  type EmbeddedChunk,
  type Embedder,
  type IndexFingerprint,
  type PolicyIndex,
} from '../../domain/policies.ts';
import type { PlannedPolicy, Publication } from '../../domain/policy-registry.ts';
import { chunkDocument, chunkerFingerprint } from '../chunk.ts';
import type { IngestDeps } from './deps.ts';

/** Chunks that are embedded and kept at once; what a kill between two batches costs. */
const BATCH = 32;

export type Said = (progress: string) => Promise<void>;

/**
 * Makes both builds of the publication, beside the live ones: chunks, embeds and checks them. What a kill left is gone
 * on with.
 *
 * @throws {PolicyIndexError} corrupt, when a build does not hold what was put into it; it is dropped then
 */
export async function fillPolicies(deps: IngestDeps, publication: Publication, said: Said): Promise<void> {
  const all = await deps.registry.versionsOf(publication.number, deps.moment());
  const answering = all.filter(({ supersededAt }) => supersededAt === null);
  const live = (await deps.registry.publications()).find(({ state }) => state === 'live');
  const earlier = live === undefined ? [] : [live.record];
  await fill(deps, publication.build, answering, earlier, said);
  await fill(deps, publication.record, all, [publication.build, ...earlier], said);
}

async function fill(
  deps: IngestDeps,
  build: string,
  versions: readonly PlannedPolicy[],
  earlier: readonly string[],
  said: Said,
): Promise<void> {
  const { index, embedders } = deps;
  const cut = versions.map((one) => ({ one, chunks: chunkDocument(one, embedders.tokenizer) }));
  const all = cut.flatMap(({ chunks }) => chunks);
  if (await isComplete(deps, build, all)) return;
  const { embedder, model } = await embedders.building(all.map(({ indexText }) => indexText));
  const fingerprint = {
    embedder: embedder.fingerprint,
    dimensions: embedder.dimensions,
    chunker: chunkerFingerprint(embedders.tokenizer),
  };
  await open(deps, build, fingerprint);
  const embed = embedOnce(embedder, await comparable(deps, earlier, fingerprint), index);
  const present = new Set(await index.chunkIds(build));
  let done = 0;
  for (const { one, chunks } of cut) {
    done += 1;
    await add(
      deps,
      build,
      embed,
      chunks.filter(({ id }) => !present.has(id)),
      one.verifiedAt,
    );
    await said(`${build}: ${done} of ${cut.length} versions`);
  }
  if (model !== null) await index.keepModel(build, model);
  await index.seal(build);
  await markSuperseded(deps, build, versions);
  if (await isComplete(deps, build, all)) return;
  await index.drop(build);
  throw new PolicyIndexError('corrupt', `${build} did not hold what was put into it, and was dropped.`);
}

/** Sealed, with these chunks and no others. */
async function isComplete({ index }: IngestDeps, build: string, wanted: readonly Chunk[]): Promise<boolean> {
  try {
    if ((await index.info(build)).state !== 'sealed') return false;
    const [ids, found] = [new Set(wanted.map(({ id }) => id)), await index.chunkIds(build)];
    return found.length === ids.size && found.every((id) => ids.has(id));
  } catch (error) {
    if (error instanceof PolicyIndexError && error.problem === 'no_build') return false;
    throw error;
  }
}

/** A build that was begun otherwise, with another embedder or of other texts, is begun anew. */
async function open({ index }: IngestDeps, build: string, fingerprint: IndexFingerprint): Promise<void> {
  try {
    await index.openBuild(build, fingerprint);
    if ((await index.info(build)).state === 'open') return;
  } catch (error) {
    if (!(error instanceof PolicyIndexError) || error.problem !== 'other_fingerprint') throw error;
  }
  await index.drop(build);
  await index.openBuild(build, fingerprint);
}

type Embed = (chunks: readonly Chunk[]) => Promise<readonly EmbeddedChunk[]>;

/** Embeds what none of the builds has: a chunk of the same id, cut by the same rules, has the same text. */
function embedOnce(embedder: Embedder, builds: readonly string[], index: PolicyIndex): Embed {
  return async (chunks) => {
    const known = new Map<string, Float32Array>();
    for (const build of builds) {
      const missing = chunks.filter(({ id }) => !known.has(id)).map(({ id }) => id);
      for (const [id, vector] of await index.vectors(build, missing)) known.set(id, vector);
    }
    const fresh = chunks.filter(({ id }) => !known.has(id));
    const vectors = fresh.length === 0 ? [] : await embedder.embed(fresh.map(({ indexText }) => indexText));
    for (const [place, { id }] of fresh.entries()) {
      const vector = vectors[place];
      if (vector !== undefined) known.set(id, vector);
    }
    return chunks.flatMap((chunk) => {
      const vector = known.get(chunk.id);
      return vector === undefined ? [] : [{ chunk, vector }];
    });
  };
}

/** Of the builds, those whose vectors are as this embedder would make them. */
async function comparable(
  { index }: IngestDeps,
  builds: readonly string[],
  { embedder, chunker }: IndexFingerprint,
): Promise<readonly string[]> {
  const known = await index.builds();
  return known
    .filter(
      ({ name, fingerprint }) =>
        builds.includes(name) && fingerprint.embedder === embedder && fingerprint.chunker === chunker,
    )
    .map(({ name }) => name);
}

async function add(
  { index }: IngestDeps,
  build: string,
  embed: Embed,
  chunks: readonly Chunk[],
  verifiedAt: string,
): Promise<void> {
  for (let from = 0; from < chunks.length; from += BATCH) {
    const batch = chunks.slice(from, from + BATCH);
    await index.add(build, await embed(batch), verifiedAt);
  }
}

async function markSuperseded(
  { index }: IngestDeps,
  build: string,
  versions: readonly PlannedPolicy[],
): Promise<void> {
  const instants = new Set(versions.flatMap(({ supersededAt }) => supersededAt ?? []));
  for (const at of instants)
    await index.supersede(
      build,
      versions.filter(({ supersededAt }) => supersededAt === at),
      at,
    );
}
