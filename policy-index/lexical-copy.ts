import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { PolicyIndexError, type Tokenizer } from '../domain/policies.ts';
import type {
  PolicyFinder,
  PolicyFinding,
  PolicyQuestion,
  PolicyVersions,
  StandingPolicy,
} from '../domain/policy-answers.ts';
import { readCalibrations } from './answerability.ts';
import { chunkDocument } from './chunk.ts';
import { createMemoryBuild, type MemoryBuild } from './embedded/memory-build.ts';
import { DEPTH, filterOf, findingOf } from './finding.ts';
import { limited } from './limited.ts';
import { rerankHits } from './rerank.ts';
import { versionKey } from './version-key.ts';

const NAME = 'lexical-copy';
/** The stored versions are read again after this long; until then, what is found is still verified against them. */
const REFRESH_MS = 2_000;
/** With the index hanging before it, an answer must be there within five seconds. */
const COPY_MS = 2_000;
/** Of all copies together. A build takes about eight bytes for each. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
/** The index is tried again after the first, and later and later up to the second. */
const FIRST_TRIAL_MS = 1_000;
const LATEST_TRIAL_MS = 10_000;

type CopyOptions = {
  readonly versions: Pick<PolicyVersions, 'list'>;
  /** Counts tokens for the chunks: the one that the index is built with. */
  readonly tokenizer: Tokenizer;
  /** Told when the index went away, and when it is back. */
  readonly onIndexChange?: (isAvailable: boolean) => void;
  readonly refreshMs?: number;
  readonly mostCharacters?: number;
  readonly firstTrialMs?: number;
};

/**
 * A finder that goes on while the index of `primary` is unreachable: from a copy of the stored versions in this
 * process, by words alone and with the same filters. Every other problem of the index stays one.
 *
 * States: *there*, every question goes to the index, until one finds it unreachable; *away*, the copy answers at once;
 * *on trial*, from time to time: one question tries the index and decides between the other two, and meanwhile the
 * copy answers the rest.
 *
 * @throws {PolicyIndexError} unreachable, when the stored versions cannot be read either, or are too many for a copy.
 */
export function withLexicalCopy(primary: PolicyFinder, options: CopyOptions): PolicyFinder {
  const { firstTrialMs = FIRST_TRIAL_MS, onIndexChange } = options;
  const circuit = circuitBreaker(handleWhen(isUnreachable), {
    halfOpenAfter: new ExponentialBackoff({ initialDelay: firstTrialMs, maxDelay: LATEST_TRIAL_MS }),
    // The finder itself asks twice.
    breaker: new ConsecutiveBreaker(1),
  });
  circuit.onBreak(() => onIndexChange?.(false));
  circuit.onReset(() => onIndexChange?.(true));
  const copies = lexicalCopies(options);

  /** Undefined while it is away. */
  async function fromIndex<T>(ask: () => Promise<T>): Promise<T | undefined> {
    // Left to itself, the circuit has everybody wait for the trial.
    if (circuit.state === CircuitState.HalfOpen) return undefined;
    try {
      return await circuit.execute(ask);
    } catch (error) {
      if (error instanceof BrokenCircuitError || isUnreachable(error)) return undefined;
      throw error;
    }
  }

  return {
    build: async () => {
      // Only a search shows that the index is back. What a copy finds is kept nowhere: it has a new name each time.
      const live = circuit.state === CircuitState.Closed ? await fromIndex(() => primary.build()) : undefined;
      return live ?? `${NAME}/${randomUUID()}`;
    },
    find: async (question) => (await fromIndex(() => primary.find(question))) ?? copies(question),
    suspicion: (text) => primary.suspicion(text),
    suspicious: primary.suspicious,
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof PolicyIndexError && error.problem === 'unreachable';
}

type Copy = {
  /** Equal for equal versions with equal dates. */
  readonly digest: string;
  /** Undefined: there is too much of it. */
  readonly memory: MemoryBuild | undefined;
  readonly characters: number;
};

/** One copy for each tenant that asks, made once for all who ask at a time; the least used one goes first. */
function lexicalCopies({ versions, tokenizer, refreshMs, mostCharacters }: CopyOptions) {
  const calibrations = readCalibrations();
  const most = mostCharacters ?? MOST_CHARACTERS;
  const kept = new LRUCache<string, Copy>({
    ttl: refreshMs ?? REFRESH_MS,
    maxSize: most + 1,
    sizeCalculation: ({ characters }) => characters + 1,
    fetchMethod: (tenant, before) => renewed(tenant, before),
    // Whoever waits for a copy gets it, also when another one took its room meanwhile.
    ignoreFetchAbort: true,
  });

  async function renewed(tenant: string, before: Copy | undefined): Promise<Copy> {
    const policies = (await versions.list(tenant)).filter((policy) => policy.tenant === tenant);
    const digest = digestOf(policies);
    const copy = before?.digest === digest ? before : await copied(policies, digest);
    for (const policy of policies) {
      const { verifiedAt, supersededAt } = policy;
      copy.memory?.stand(versionKey(policy), { verifiedAt, supersededAt });
    }
    return copy;
  }

  async function copied(policies: readonly StandingPolicy[], digest: string): Promise<Copy> {
    const characters = policies.reduce((sum, { text }) => sum + text.length, 0);
    if (characters > most) return { digest, memory: undefined, characters: 0 };
    const memory = createMemoryBuild(0);
    for (const policy of policies) {
      const chunks = chunkDocument(policy, tokenizer);
      memory.add(
        chunks.map((chunk) => ({ chunk, vector: new Float32Array() })),
        policy.verifiedAt,
      );
      // A shop with many policies must not hold up everybody else's questions.
      await turn();
    }
    return { digest, memory, characters };
  }

  async function copyOf(tenant: string): Promise<{ readonly digest: string; readonly memory: MemoryBuild }> {
    const copy = await limited(() => kept.fetch(tenant), COPY_MS).catch((error: unknown) => {
      throw away('Neither the policy index nor the stored policies answer.', error);
    });
    if (copy?.memory === undefined) throw away('The policies are too many for a copy.');
    return { digest: copy.digest, memory: copy.memory };
  }

  return async (question: PolicyQuestion): Promise<PolicyFinding> => {
    const { digest, memory } = await copyOf(question.tenant);
    const { text } = question;
    const found = memory.search({ text, mode: 'bm25', filter: filterOf(question), k: DEPTH });
    const hits = await rerankHits(text, found, undefined);
    return {
      ...findingOf({ text, hits, calibrations, embedder: null, reranker: null }),
      build: `${NAME}/${digest.slice(0, 12)}`,
      embedder: 'none',
      isStale: true,
    };
  };
}

function digestOf(policies: readonly StandingPolicy[]): string {
  const hash = createHash('sha256');
  // What was verified or superseded since is put right without another copy.
  for (const { verifiedAt: _, supersededAt: __, text, ...rest } of policies)
    hash.update(JSON.stringify([rest, text.length]));
  return hash.digest('hex');
}

function away(message: string, cause?: unknown): PolicyIndexError {
  return new PolicyIndexError('unreachable', message, { cause });
}
