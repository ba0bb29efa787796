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
import type { FoundPassage, PolicyFinder, PolicyFinding, PolicyQuestion } from '../domain/policy-answers.ts';
import {
  calibrationFor,
  confidenceOf,
  evidenceOf,
  isOpenQuestion,
  readCalibrations,
  verdictOf,
} from './answerability.ts';
import { instructionLikelihood, SUSPICIOUS } from './instruction-signs.ts';
import { rerankHits, type RankedHit } from './rerank.ts';

/** As many as the evidence is weighed by. */
const DEPTH = 100;
const MOST_PASSAGES = 4;
/** What is much worse than the best is no part of an answer. */
const LEAST_SHARE = 0.35;
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
    const mode = embedding === undefined ? 'bm25' : 'hybrid';
    const found = await promptly(() =>
      index.search(target, {
        text,
        ...(embedding === undefined ? {} : { embedding }),
        mode,
        fusion,
        filter: filterOf(question),
        k: DEPTH,
      }),
    );
    const hits =
      embedding === undefined ? await rerankHits(text, found.hits, undefined) : await secondLook(text, found);
    const isReranked = hits[0] !== undefined && hits[0].rerank !== null;
    const calibration = calibrationFor(
      calibrations,
      embedding?.embedder ?? null,
      isReranked ? (options.reranker?.name ?? null) : null,
    );
    const confidence = hits.length === 0 ? 0 : confidenceOf(calibration, evidenceOf(text, hits));
    return {
      passages: best(hits).map(passageOf),
      build: found.build,
      embedder: found.fingerprint.embedder,
      mode,
      confidence,
      verdict: verdictOf(calibration, confidence),
      isOpen: isOpenQuestion(text, hits),
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

function filterOf(question: PolicyQuestion): PolicyQuery['filter'] {
  const { tenant, audiences, languages, kinds, effectiveAt, verifiedSince, inThePast } = question;
  return {
    tenant,
    audiences,
    effectiveAt,
    ...(languages === undefined ? {} : { languages }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(verifiedSince === undefined ? {} : { verifiedSince }),
    ...(inThePast ? { withSuperseded: true } : {}),
  };
}

/** The first, and those that come near it; no two that share words of one document. */
function best(hits: readonly RankedHit[]): readonly RankedHit[] {
  const [first] = hits;
  const chosen: RankedHit[] = [];
  for (const hit of hits) {
    if (chosen.length === MOST_PASSAGES || first === undefined) break;
    if (hit.score < first.score * LEAST_SHARE) break;
    if (!chosen.some((other) => overlap(hit, other))) chosen.push(hit);
  }
  return chosen;
}

function overlap({ chunk: a }: RankedHit, { chunk: b }: RankedHit): boolean {
  return a.docId === b.docId && a.docVersion === b.docVersion && a.start < b.end && b.start < a.end;
}

function passageOf({ chunk, scores, rerank, score }: RankedHit): FoundPassage {
  const { tenant, docId, docVersion, start, end, text, headingPath, title } = chunk;
  return {
    tenant,
    docId,
    docVersion,
    start,
    end,
    text,
    headingPath,
    scores: { ...scores, rerank, final: score },
    suspicion: instructionLikelihood([title, ...headingPath, text].join('\n')),
  };
}

class TooSlow extends Error {
  constructor() {
    super('It took too long.');
    this.name = 'TooSlow';
  }
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

async function limited<T>(work: (signal: AbortSignal) => Promise<T>, ms: number): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TooSlow()), ms);
  });
  const working = work(over.signal);
  // Whoever comes late is not waited for any more.
  working.catch(() => undefined);
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
