import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PolicyIndexError, type BuildInfo, type PolicyIndex } from '../../domain/policies.ts';
import { assertAnswerable, assertName } from '../checks.ts';
import { buildFiles, type OpenedBuild } from './build-files.ts';
import { listed, numberedValue } from './files.ts';

/** Builds held in memory: the live one, the one before it, and the one being made. */
const BUILDS_KEPT = 3;

/**
 * The policy index inside this process: BM25 as Lucene computes it, exact cosine and OpenSearch's fusion over chunks
 * in memory, kept in a folder. Several processes may use one folder: each sees what another changed at its next call.
 */
export function openEmbeddedIndex(options: {
  readonly folder: string;
  readonly now?: () => Date;
}): PolicyIndex {
  const { folder, now = () => new Date() } = options;
  const buildsFolder = join(folder, 'builds');
  const aliasesFolder = join(folder, 'aliases');
  const kept = new Map<string, ReturnType<typeof buildFiles>>();

  function files(name: string) {
    assertName(name);
    const found = kept.get(name) ?? buildFiles(join(buildsFolder, name), name);
    // Put last again: the first of the map is the one that was not used for the longest time.
    kept.delete(name);
    kept.set(name, found);
    const [oldest] = kept.keys();
    if (kept.size > BUILDS_KEPT && oldest !== undefined) kept.delete(oldest);
    return found;
  }

  const alias = (name: string) => numberedValue<{ build: string }>(join(aliasesFolder, name));

  async function resolve(target: string): Promise<string> {
    assertName(target);
    return (await alias(target).read())?.value.build ?? target;
  }

  async function load(target: string): Promise<OpenedBuild> {
    return files(await resolve(target)).load();
  }

  async function aliasesOf(name: string): Promise<readonly string[]> {
    const pointing: string[] = [];
    for (const each of await listed(aliasesFolder)) {
      if ((await alias(each).read())?.value.build === name) pointing.push(each);
    }
    return pointing;
  }

  async function infoOf(build: OpenedBuild): Promise<BuildInfo> {
    return {
      name: build.name,
      state: build.sealed ? 'sealed' : 'open',
      fingerprint: build.manifest.fingerprint,
      chunks: build.chunks,
      contentHash: build.contentHash,
      aliases: await aliasesOf(build.name),
      createdAt: build.manifest.createdAt,
    };
  }

  async function pointAlias(name: string, to: string, from: string | undefined): Promise<void> {
    assertName(name);
    const current = await alias(name).read();
    if (current?.value.build === to) return;
    if (current?.value.build !== from) throw aliasMoved(name, current?.value.build, from);
    if (!(await files(to).load()).sealed) {
      throw new PolicyIndexError('not_sealed', `Build ${to} is still open: seal it before it goes live.`);
    }
    if (await alias(name).claim(current?.number ?? 0, { build: to })) return;
    const winner = (await alias(name).read())?.value.build;
    if (winner !== to) throw aliasMoved(name, winner, from);
  }

  async function drop(name: string): Promise<void> {
    const [pointing] = await aliasesOf(name);
    if (pointing !== undefined) {
      throw new PolicyIndexError('in_use', `Build ${name} is live under ${pointing} and stays.`);
    }
    await files(name).drop();
    kept.delete(name);
  }

  return {
    engine: 'embedded',
    openBuild: async (name, fingerprint) => files(name).open(fingerprint, now().toISOString()),
    add: async (name, chunks, verifiedAt) => files(name).add(chunks, verifiedAt),
    keepModel: async (name, model) => files(name).keepModel(model),
    model: async (target) => files(await resolve(target)).model(),
    seal: async (name) => infoOf(await files(name).seal()),
    chunkIds: async (target) => (await load(target)).memory.chunkIds(),
    vectors: async (target, ids) => (await load(target)).memory.vectorsOf(ids),
    search: async (target, query) => {
      const build = await load(target);
      const { fingerprint } = build.manifest;
      assertAnswerable(build.name, fingerprint, query);
      return { hits: build.memory.search(query), build: build.name, fingerprint };
    },
    pointAlias,
    // It is one file here, and cannot point to two.
    mendAlias: async (name, to) => pointAlias(name, to, (await alias(name).read())?.value.build),
    resolveAlias: async (name) => {
      assertName(name);
      const current = await alias(name).read();
      return current ? [current.value.build] : [];
    },
    supersede: async (target, versions, at) =>
      void (await files(await resolve(target)).supersede(versions, at)),
    verify: async (target, versions, at) => void (await files(await resolve(target)).verify(versions, at)),
    remove: async (target, versions) => files(await resolve(target)).remove(versions),
    versions: async (target) => (await load(target)).memory.versions(),
    info: async (target) => infoOf(await load(target)),
    builds: async () => {
      const found: BuildInfo[] = [];
      for (const name of await listed(buildsFolder)) {
        try {
          found.push(await infoOf(await files(name).load()));
        } catch (error) {
          // Another process may drop it between the look at the folder and the look into it.
          if ((await listed(buildsFolder)).includes(name)) throw error;
        }
      }
      return found;
    },
    drop,
    check: async () => {
      try {
        await mkdir(buildsFolder, { recursive: true });
        await access(buildsFolder, constants.R_OK | constants.W_OK);
      } catch (error) {
        throw new PolicyIndexError('unreachable', 'The folder of the policy index cannot be written.', {
          cause: error,
        });
      }
    },
    close: async () => kept.clear(),
  };
}

function aliasMoved(name: string, found: string | undefined, believed: string | undefined): PolicyIndexError {
  return new PolicyIndexError(
    'alias_moved',
    `Alias ${name} points to ${found ?? 'nothing'}, not to ${believed ?? 'nothing'}.`,
  );
}
