import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  PolicyIndexError,
  type EmbeddedChunk,
  type IndexFingerprint,
  type VersionKey,
} from '../../domain/policies.ts';
import { ANALYSIS_VERSION } from '../analysis.ts';
import { assertDates, assertSameFingerprint, assertVectors, contentHash } from '../checks.ts';
import { versionKey } from '../version-key.ts';
import { isMissing, listed, numberedValue, readWhole, writeWhole } from './files.ts';
import { createMemoryBuild, later, type MemoryBuild, type Standing } from './memory-build.ts';
import { readSegment, writeSegment } from './segments.ts';

type Manifest = {
  readonly fingerprint: IndexFingerprint;
  readonly analysis: string;
  readonly createdAt: string;
};

/** What changes about a build after its chunks are there. */
type State = {
  readonly sealed: boolean;
  readonly standing: Readonly<Record<string, Standing>>;
  readonly removed: readonly string[];
};

const FRESH: State = { sealed: false, standing: {}, removed: [] };

export type OpenedBuild = {
  readonly name: string;
  readonly manifest: Manifest;
  readonly memory: MemoryBuild;
  readonly sealed: boolean;
  readonly contentHash: string;
  readonly chunks: number;
};

/**
 * One build in its folder: `manifest`, `segments/`, `state/` and `model`, every file with its checksum. What another
 * process changed is seen at the next `open`.
 */
export function buildFiles(folder: string, name: string) {
  const manifestPath = join(folder, 'manifest');
  const segments = join(folder, 'segments');
  const states = numberedValue<State>(join(folder, 'state'));
  let loaded:
    { memory: MemoryBuild; segments: Set<string>; stateNumber: number; sealed: boolean } | undefined;
  let manifest: Manifest | undefined;
  let summary: { ids: number; hash: string } | undefined;
  /** Loading and changing one after the other: a batch must not be taken in twice. */
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work, work);
    turn = result.catch(() => undefined);
    return result;
  }

  async function readManifest(): Promise<Manifest> {
    try {
      // Only `create` writes it, and the checksum says that it is what was written.
      manifest ??= JSON.parse((await readWhole(manifestPath)).toString('utf8')) as Manifest;
    } catch (error) {
      if (isMissing(error)) throw noBuild(name);
      throw error;
    }
    if (manifest.analysis !== ANALYSIS_VERSION) throw otherAnalysis(name, manifest.analysis);
    return manifest;
  }

  async function create(fingerprint: IndexFingerprint, now: string): Promise<void> {
    await mkdir(segments, { recursive: true });
    await mkdir(join(folder, 'state'), { recursive: true });
    const fresh: Manifest = { fingerprint, analysis: ANALYSIS_VERSION, createdAt: now };
    await writeWhole(manifestPath, Buffer.from(JSON.stringify(fresh)));
  }

  async function load(): Promise<OpenedBuild> {
    const found = await readManifest();
    const into = (loaded ??= {
      memory: createMemoryBuild(found.fingerprint.dimensions),
      segments: new Set(),
      stateNumber: 0,
      sealed: false,
    });
    if (!into.sealed) await takeInSegments(into);
    const stateNumber = await states.number();
    if (stateNumber !== into.stateNumber) await takeInState(into);
    summary ??= summaryOf(into.memory);
    return {
      name,
      manifest: found,
      memory: into.memory,
      sealed: into.sealed,
      contentHash: summary.hash,
      chunks: summary.ids,
    };
  }

  async function takeInSegments(into: NonNullable<typeof loaded>): Promise<void> {
    for (const segment of await listed(segments)) {
      if (into.segments.has(segment)) continue;
      const { chunks, verifiedAt } = await readSegment(segments, segment);
      for (let at = 0; at < chunks.length; at += LOAD_SLICE) {
        into.memory.add(chunks.slice(at, at + LOAD_SLICE), verifiedAt);
        // A gateway that loads a large build goes on answering meanwhile.
        await new Promise(setImmediate);
      }
      into.segments.add(segment);
      summary = undefined;
    }
  }

  async function takeInState(into: NonNullable<typeof loaded>): Promise<void> {
    const state = await states.read();
    if (!state) return;
    // Sealed by another process: its last segments may have come after those that were taken in.
    if (state.value.sealed && !into.sealed) await takeInSegments(into);
    for (const [key, standing] of Object.entries(state.value.standing)) into.memory.stand(key, standing);
    for (const key of state.value.removed) into.memory.remove(key);
    into.sealed = state.value.sealed;
    into.stateNumber = state.number;
    summary = undefined;
  }

  async function change(how: (state: State, build: OpenedBuild) => State): Promise<OpenedBuild> {
    for (;;) {
      const build = await load();
      const state = await states.read();
      const [number, value] = [state?.number ?? 0, state?.value ?? FRESH];
      const next = how(value, build);
      if (next === value || (await states.claim(number, next))) return load();
    }
  }

  async function add(chunks: readonly EmbeddedChunk[], verifiedAt: string): Promise<void> {
    const build = await load();
    if (build.sealed) throw new PolicyIndexError('sealed', `Build ${name} is sealed: nothing can be added.`);
    assertVectors(chunks, build.manifest.fingerprint.dimensions);
    assertDates(chunks, verifiedAt);
    await writeSegment(segments, { chunks, verifiedAt }, build.manifest.fingerprint.dimensions);
    await load();
  }

  function stand(versions: readonly VersionKey[], how: (now: Standing) => Standing): Promise<OpenedBuild> {
    return change((state, { memory }) => {
      const changed = versions.flatMap((version) => {
        const now = memory.standingOf(versionKey(version));
        return now ? [[versionKey(version), how(now)] as const] : [];
      });
      return { ...state, standing: { ...state.standing, ...Object.fromEntries(changed) } };
    });
  }

  async function removeVersions(versions: readonly VersionKey[]): Promise<number> {
    let count = 0;
    await change((state, { memory }) => {
      const keys = [...new Set(versions.map(versionKey))].filter((key) => memory.chunksOf(key) > 0);
      count = keys.reduce((sum, key) => sum + memory.chunksOf(key), 0);
      return keys.length === 0 ? state : { ...state, removed: [...state.removed, ...keys] };
    });
    return count;
  }

  return {
    open: (fingerprint: IndexFingerprint, now: string) =>
      inTurn(async () => {
        try {
          assertSameFingerprint(name, (await readManifest()).fingerprint, fingerprint);
        } catch (error) {
          if (!(error instanceof PolicyIndexError) || error.problem !== 'no_build') throw error;
          await create(fingerprint, now);
        }
      }),
    load: () => inTurn(load),
    add: (chunks: readonly EmbeddedChunk[], verifiedAt: string) => inTurn(() => add(chunks, verifiedAt)),
    seal: () => inTurn(() => change((state) => (state.sealed ? state : { ...state, sealed: true }))),
    supersede: (versions: readonly VersionKey[], at: string) =>
      inTurn(() => stand(versions, (now) => ({ ...now, supersededAt: now.supersededAt ?? at }))),
    verify: (versions: readonly VersionKey[], at: string) =>
      inTurn(() => stand(versions, (now) => ({ ...now, verifiedAt: later(now.verifiedAt, at) }))),
    remove: (versions: readonly VersionKey[]) => inTurn(() => removeVersions(versions)),
    keepModel: (model: Uint8Array) =>
      inTurn(async () => {
        await readManifest();
        await writeWhole(join(folder, 'model'), model);
      }),
    model: () =>
      inTurn(async () => {
        await readManifest();
        return readWhole(join(folder, 'model')).catch((error: unknown) => {
          if (isMissing(error)) return undefined;
          throw error;
        });
      }),
    /** Gone in one step; a kill while the files go leaves a folder that no name leads to. */
    drop: () =>
      inTurn(async () => {
        const aside = join(dirname(folder), `.tmp-${randomUUID()}`);
        try {
          await rename(folder, aside);
        } catch (error) {
          if (!isMissing(error)) throw error;
          return;
        }
        await rm(aside, { recursive: true, force: true });
      }),
  };
}

/** Chunks taken in between two looks at whatever else waits; some milliseconds. */
const LOAD_SLICE = 100;

function summaryOf(memory: MemoryBuild): { ids: number; hash: string } {
  const ids = memory.chunkIds();
  return { ids: ids.length, hash: contentHash(ids) };
}

function noBuild(name: string): PolicyIndexError {
  return new PolicyIndexError(
    'no_build',
    `There is no policy index ${name}. Make one: countersign policy ingest`,
  );
}

function otherAnalysis(name: string, analysis: string): PolicyIndexError {
  return new PolicyIndexError(
    'other_fingerprint',
    `Build ${name} was analysed by ${analysis}, this version by ${ANALYSIS_VERSION}. ` +
      'Make a new build: countersign policy ingest',
  );
}
