import { createPolicyRegistry } from '../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../adapters/postgres/policy-runs.ts';
import type { Pools } from '../adapters/postgres/pools.ts';
import type { BodyDeps } from '../activities/index.ts';
import type { PolicyIndex } from '../domain/policies.ts';
import type { PolicyFinder, PolicyVersions } from '../domain/policy-answers.ts';
import type { PolicySource } from '../domain/policy-source.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { createPolicyFinder } from '../policy-index/find-policies.ts';
import { POLICY_ALIAS, RECORD_ALIAS, type IngestDeps } from '../policy-index/ingest/deps.ts';
import { withLexicalCopy } from '../policy-index/lexical-copy.ts';
import { instructionLikelihood, SUSPICIOUS } from '../policy-index/instruction-signs.ts';
import { openPolicyIndex } from '../policy-index/open-index.ts';
import { chooseRetrieval, type RetrievalChoice } from '../policy-index/retrieval-choice.ts';
import { openRewriter } from '../policy-index/rewriters/remote.ts';
import { rewriting } from '../policy-index/rewriters/rewriting.ts';
import { bucketSource } from '../policy-index/sources/bucket.ts';
import { folderSource } from '../policy-index/sources/folder.ts';

/** The policies as one process has them. */
export type Policies = {
  /** For questions. */
  readonly answers: BodyDeps['policies'];
  /** For whoever keeps them. */
  ingest(): Promise<IngestDeps>;
  close(): Promise<void>;
};

type Settings = Pick<Config, 'policies' | 'retrieval' | 'opensearchUrl' | 'clockOffsetMs'>;

/**
 * The index that the configuration names, and the registry in Postgres. A local model is loaded when it is first needed:
 * not every process is asked about policies.
 */
export function openPolicies(
  config: Settings,
  pools: Pick<Pools, 'write' | 'system'>,
  log: Logger,
): Policies {
  const registry = createPolicyRegistry(pools);
  const index = openPolicyIndex(config.opensearchUrl, config.policies.indexFolder);
  const source = sourceOf(config);
  const retrieval = once(() => chooseRetrieval(config.retrieval));
  const rewriter = openRewriter(config.retrieval.rewriter);
  const finders = once(async () => findersOver(index, registry, await retrieval.get(), config, log));
  return {
    answers: {
      finder: lazily(finders.get),
      versions: registry,
      rewrite:
        rewriter &&
        rewriting(rewriter, (error) =>
          log.warn({ err: error, rewriter: rewriter.name }, 'a question is looked up with those before it'),
        ),
    },
    ingest: async () => ({
      source,
      registry,
      runs: createPolicyRuns(pools),
      index,
      embedders: (await retrieval.get()).embedders,
      fusion: config.retrieval.fusion,
      supersededMs: config.policies.supersededSeconds * 1000,
      syncMs: config.policies.syncSeconds * 1000,
      moment: () => ({
        at: new Date().toISOString(),
        today: new Date(Date.now() + config.clockOffsetMs).toISOString(),
      }),
    }),
    close: async () => {
      await Promise.all([index.close(), source.close(), retrieval.made()?.then((one) => one.close())]);
    },
  };
}

function sourceOf({ policies: { source, historyFolder } }: Settings): PolicySource {
  return source.kind === 'folder' ? folderSource(source.folder, historyFolder) : bucketSource(source);
}

type Finders = { readonly now: PolicyFinder; readonly past: PolicyFinder };

function findersOver(
  index: PolicyIndex,
  versions: PolicyVersions,
  { embedders, reranker }: RetrievalChoice,
  { retrieval: { fusion } }: Settings,
  log: Logger,
): Finders {
  const over = (alias: string) =>
    createPolicyFinder({
      index,
      alias,
      embedders,
      reranker,
      fusion,
      onDegraded: (error) => log.warn({ err: error }, 'policies are searched with less than is configured'),
    });
  const copied = (finder: PolicyFinder) =>
    withLexicalCopy(finder, {
      versions,
      tokenizer: embedders.tokenizer,
      onIndexChange: (isAvailable) =>
        log[isAvailable ? 'info' : 'warn'](
          isAvailable
            ? 'the policy index answers again'
            : 'the policy index is away; policies are searched in a copy, by words alone',
        ),
    });
  return { now: copied(over(POLICY_ALIAS)), past: copied(over(RECORD_ALIAS)) };
}

/** What holds today is asked of one build, and what held once of the other, which has every version. */
function lazily(finders: () => Promise<Finders>): PolicyFinder {
  return {
    build: async () => (await finders()).now.build(),
    find: async (question) => {
      const { now, past } = await finders();
      return question.inThePast ? past.find(question) : now.find(question);
    },
    suspicion: instructionLikelihood,
    suspicious: SUSPICIOUS,
  };
}

/** Made at the first use, for all; again after a failure. */
function once<T>(make: () => Promise<T>) {
  let made: Promise<T> | undefined;
  return {
    get: () => {
      const making = (made ??= make());
      making.catch(() => {
        if (made === making) made = undefined;
      });
      return making;
    },
    made: () => made,
  };
}
