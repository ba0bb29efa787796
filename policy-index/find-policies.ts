import {
  EmbedderError,
  PolicyIndexError,
  type Embedder,
  type EmbedderChoice,
  type Fusion,
  type IndexFingerprint,
  type PolicyHits,
  type PolicyIndex,
  type PolicyQuery,
  type Reranker,
} from '../domain/policies.ts';
import type { PolicyFinder, PolicyFinding, PolicyQuestion } from '../domain/policy-answers.ts';
import { readCalibrations } from './answerability.ts';
import { DEPTH, filterOf, findingOf } from './finding.ts';
import { instructionLikelihood, SUSPICIOUS } from './instruction-signs.ts';
import { limited, TooSlow } from './limited.ts';
import { rerankHits, type RankedHit } from './rerank.ts';

/** Index and embedder hanging together must still leave an answer within five seconds, with everything asked twice. */
const INDEX_MS = 1_000;
const EMBED_MS = 1_200;
const RERANK_MS = 1_500;

type FinderOptions = {
  readonly index: PolicyIndex;
  /** The alias that points to the live build. */
  readonly alias: string;
  readonly embedders: EmbedderChoice;
  readonly reranker: Reranker | undefined;
  readonly fusion: Fusion;
  /** Told why a question was answered without vectors or without a second look. */
  readonly onDegraded?: (error: unknown) => void;
  readonly embedMs?: number;
};

/**
 * Finds passages in the live build: hybrid search, a second look, and how likely the answer is among them. Without
 * its embedder it searches by words alone; without its reranker the first order stands.
 */
export function createPolicyFinder(options: FinderOptions): PolicyFinder {
  const { index, alias, embedders, fusion, onDegraded = () => undefined } = options;
  const calibrations = readCalibrations();
  const fingerprints = new Map<string, IndexFingerprint>();

  async function build(): Promise<string> {
    const [live, ...more] = await promptly(() => index.resolveAlias(alias));
    if (live === undefined) throw new PolicyIndexError('no_build', `Alias ${alias} points nowhere.`);
    if (more.length > 0)
      throw new PolicyIndexError('alias_broken', `Alias ${alias} points to more than one build.`);
    return live;
  }

  async function fingerprintOf(target: string): Promise<IndexFingerprint> {
    const known = fingerprints.get(target);
    if (known) return known;
    const { fingerprint } = await promptly(() => index.info(target));
    if (fingerprints.size > 8) fingerprints.clear();
    fingerprints.set(target, fingerprint);
    return fingerprint;
  }

  /** @throws {PolicyIndexError} other_embedder: that is a mistake in the configuration, not an outage. */
  async function embeddingOf(target: string, text: string): Promise<PolicyQuery['embedding']> {
    const fingerprint = await fingerprintOf(target);
    try {
      const embedder = await limited(
        () => embedders.reading(fingerprint, () => index.model(target)),
        options.embedMs ?? EMBED_MS,
      );
      return await embedded(embedder, text);
    } catch (error) {
      if (!(error instanceof EmbedderError) && !(error instanceof TooSlow)) throw error;
      onDegraded(error);
      return undefined;
    }
  }

  /** Undefined also for a question without a word that the embedder knows: it points nowhere. */
  async function embedded(embedder: Embedder, text: string): Promise<PolicyQuery['embedding']> {
    const [vector] = await limited((signal) => embedder.embed([text], signal), options.embedMs ?? EMBED_MS);
    return vector?.some((value) => value !== 0) ? { vector, embedder: embedder.fingerprint } : undefined;
  }

  async function secondLook(text: string, { hits }: PolicyHits): Promise<readonly RankedHit[]> {
    try {
      return await limited((signal) => rerankHits(text, hits, options.reranker, signal), RERANK_MS);
    } catch (error) {
      if (!(error instanceof EmbedderError) && !(error instanceof TooSlow)) throw error;
      onDegraded(error);
      return rerankHits(text, hits, undefined);
    }
  }

  async function findIn(target: string, question: PolicyQuestion): Promise<PolicyFinding> {
    const { text } = question;
    const embedding = await embeddingOf(target, text);
    const found = await promptly(() =>
      index.search(target, {
        text,
        ...(embedding === undefined ? {} : { embedding }),
        mode: embedding === undefined ? 'bm25' : 'hybrid',
        fusion,
        filter: filterOf(question),
        k: DEPTH,
      }),
    );
    const hits =
      embedding === undefined ? await rerankHits(text, found.hits, undefined) : await secondLook(text, found);
    const embedder = embedding?.embedder ?? null;
    return {
      ...findingOf({ text, hits, calibrations, embedder, reranker: options.reranker?.name ?? null }),
      build: found.build,
      embedder: found.fingerprint.embedder,
      isStale: false,
    };
  }

  return {
    build,
    find: async (question) => {
      try {
        return await findIn(await build(), question);
      } catch (error) {
        // A build may be dropped between the look at the alias and the search.
        if (!(error instanceof PolicyIndexError) || error.problem !== 'no_build') throw error;
        return findIn(await build(), question);
      }
    },
    suspicion: instructionLikelihood,
    suspicious: SUSPICIOUS,
  };
}

/** A server that hangs is as good as none; asked once more, since a blink is no outage. */
async function promptly<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await limited(ask, INDEX_MS);
  } catch (error) {
    if (!isOutage(error)) throw error;
  }
  try {
    return await limited(ask, INDEX_MS);
  } catch (error) {
    if (!(error instanceof TooSlow)) throw error;
    throw new PolicyIndexError('unreachable', 'The policy index does not answer in time.', { cause: error });
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof TooSlow || (error instanceof PolicyIndexError && error.problem === 'unreachable');
}
