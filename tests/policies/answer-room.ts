import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchPolicies } from '../../activities/policies/search-policies.ts';
import {
  EmbedderError,
  type Embedder,
  type EmbedderChoice,
  type PolicyDocument,
  type PolicyIndex,
} from '../../domain/policies.ts';
import type { PolicyVersions, Rewrite, StandingPolicy } from '../../domain/policy-answers.ts';
import { chunkDocument } from '../../policy-index/chunk.ts';
import { fitLsa, LSA_TOKENIZER, readLsa } from '../../policy-index/embedders/lsa.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { createPolicyFinder } from '../../policy-index/find-policies.ts';
import { createHeadingReranker } from '../../policy-index/rerankers/headings.ts';
import { freshCache, NOW } from '../support/world.ts';

export const LIVE = 'policy';

/** A document among the published ones; what is given replaces its field. */
export function document(text: string, fields: Partial<PolicyDocument> = {}): PolicyDocument {
  return {
    tenant: 'manga',
    docId: 'returns',
    docVersion: '1-aaaaaaaaaaaa',
    title: 'Returns',
    sourceUrl: 'https://mangado.example/policies/returns',
    kind: 'returns',
    audience: 'customer',
    language: 'en',
    effectiveFrom: '2026-01-01',
    effectiveTo: null,
    text,
    ...fields,
  };
}

/** Published documents with an index over them, as an ingest leaves them. The test may spoil any part. */
export async function answerRoom(
  published: readonly (PolicyDocument & { readonly supersededAt?: string })[],
  given: { readonly index?: PolicyIndex; readonly live?: string } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'policy-answers-'));
  const { index = openEmbeddedIndex({ folder }), live = LIVE } = given;
  const stored = new Map<string, StandingPolicy>();
  const verifiedAt = new Date().toISOString();
  const name = ({ tenant, docId, docVersion }: Pick<PolicyDocument, 'tenant' | 'docId' | 'docVersion'>) =>
    JSON.stringify([tenant, docId, docVersion]);
  for (const { supersededAt, ...one } of published)
    stored.set(name(one), { ...one, verifiedAt, supersededAt: supersededAt ?? null });
  const versions: PolicyVersions = {
    find: async (key) => stored.get(name(key)),
    list: async (tenant) => [...stored.values()].filter((one) => one.tenant === tenant),
  };
  const chunks = published.flatMap((one) => chunkDocument(one, LSA_TOKENIZER));
  const embedder = readLsa(await fitLsa(chunks.map(({ indexText }) => indexText)));
  let builds = 0;

  /** Makes a build and points the alias to it. */
  async function build(from: string | undefined, of = chunks): Promise<string> {
    const target = `${live}-v${(builds += 1)}`;
    const { fingerprint, dimensions } = embedder;
    await index.openBuild(target, { embedder: fingerprint, dimensions, chunker: 'test' });
    const vectors = await embedder.embed(of.map(({ indexText }) => indexText));
    const pairs = of.map((chunk, i) => ({ chunk, vector: vectors[i] ?? new Float32Array() }));
    await index.add(target, pairs, verifiedAt);
    await index.seal(target);
    await index.supersede(
      target,
      published.filter((one) => one.supersededAt !== undefined),
      verifiedAt,
    );
    await index.pointAlias(live, target, from);
    return target;
  }
  const first = await build(undefined);

  const finderOver = (through: PolicyIndex, embeds: Embedder = embedder) =>
    createPolicyFinder({
      index: through,
      alias: live,
      embedders: always(embeds),
      reranker: createHeadingReranker(),
      fusion: 'minmax',
      embedMs: 300,
    });

  return {
    index,
    embedder,
    finder: finderOver(index),
    finderOver,
    chunks,
    first,
    build,
    versions,
    /** What is kept of a version, changed behind the back of whoever published it. */
    change: (key: Pick<PolicyDocument, 'tenant' | 'docId' | 'docVersion'>, to: Partial<StandingPolicy>) => {
      const found = stored.get(name(key));
      if (found) stored.set(name(key), { ...found, ...to });
    },
    body: ({
      through = index,
      embeds = embedder,
      cache = freshCache(),
      realNow = () => new Date(),
      now = NOW,
      rewrite,
    }: {
      readonly through?: PolicyIndex;
      readonly embeds?: Embedder;
      readonly cache?: ReturnType<typeof freshCache>;
      readonly realNow?: () => Date;
      readonly now?: Date;
      readonly rewrite?: Rewrite;
    } = {}) =>
      searchPolicies({
        cache,
        versions,
        finder: finderOver(through, embeds),
        rewrite,
        clock: { now: () => now },
        realTime: { now: realNow },
      }),
    close: async () => {
      await index.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An embedder that is away. */
export function awayEmbedder(like: Embedder): Embedder {
  return { ...like, embed: () => Promise.reject(new EmbedderError('The model does not answer.')) };
}

/** One that never answers. */
export function hangingEmbedder(like: Embedder): Embedder {
  return { ...like, embed: () => new Promise(() => undefined) };
}

function always(embedder: Embedder): EmbedderChoice {
  return {
    description: 'test',
    tokenizer: LSA_TOKENIZER,
    building: async () => ({ embedder, model: null }),
    reading: async () => embedder,
  };
}

export type AnswerRoom = Awaited<ReturnType<typeof answerRoom>>;
