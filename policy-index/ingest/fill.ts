import { PolicyIndexError, type Chunk, type Embedder, type IndexFingerprint } from '../../domain/policies.ts';
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
  await fill(deps, publication.build, answering, said);
  await fill(deps, publication.record, all, said);
}

async function fill(
  deps: IngestDeps,
  build: string,
  versions: readonly PlannedPolicy[],
  said: Said,
): Promise<void> {
  const { index, embedders } = deps;
  const cut = versions.map((one) => ({ one, chunks: chunkDocument(one, embedders.tokenizer) }));
  const all = cut.flatMap(({ chunks }) => chunks);
  if (await isComplete(deps, build, all)) return;
  const { embedder, model } = await embedders.building(all.map(({ indexText }) => indexText));
  await open(deps, build, {
    embedder: embedder.fingerprint,
    dimensions: embedder.dimensions,
    chunker: chunkerFingerprint(embedders.tokenizer),
  });
  const present = new Set(await index.chunkIds(build));
  let done = 0;
  for (const { one, chunks } of cut) {
    done += 1;
    await add(
      deps,
      build,
      embedder,
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

async function add(
  { index }: IngestDeps,
  build: string,
  embedder: Embedder,
  chunks: readonly Chunk[],
  verifiedAt: string,
): Promise<void> {
  for (let from = 0; from < chunks.length; from += BATCH) {
    const batch = chunks.slice(from, from + BATCH);
    const vectors = await embedder.embed(batch.map(({ indexText }) => indexText));
    const ready = batch.flatMap((chunk, place) => {
      const vector = vectors[place];
      return vector === undefined ? [] : [{ chunk, vector }];
    });
    await index.add(build, ready, verifiedAt);
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
