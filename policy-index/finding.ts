import type { PolicyQuery } from '../domain/policies.ts';
import type { FoundPassage, PolicyFinding, PolicyQuestion } from '../domain/policy-answers.ts';
import {
  type Calibration,
  calibrationFor,
  confidenceOf,
  evidenceOf,
  isOpenQuestion,
  verdictOf,
} from './answerability.ts';
import { instructionLikelihood } from './instruction-signs.ts';
import type { RankedHit } from './rerank.ts';

/** As many hits as the evidence is weighed by. */
export const DEPTH = 100;
const MOST_PASSAGES = 4;
/** What is much worse than the best is no part of an answer. */
const LEAST_SHARE = 0.35;

export function filterOf(question: PolicyQuestion): PolicyQuery['filter'] {
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

/** The passages of an answer, and how likely they hold it: judged by the calibration for who found them. */
export function findingOf(found: {
  readonly text: string;
  readonly hits: readonly RankedHit[];
  readonly calibrations: readonly Calibration[];
  /** Who embedded the question; null: words alone. */
  readonly embedder: string | null;
  /** Who took a second look; null: nobody. */
  readonly reranker: string | null;
}): Pick<PolicyFinding, 'passages' | 'mode' | 'confidence' | 'verdict' | 'isOpen'> {
  const { text, hits, embedder } = found;
  const isReranked = hits[0] !== undefined && hits[0].rerank !== null;
  const calibration = calibrationFor(found.calibrations, embedder, isReranked ? found.reranker : null);
  const confidence = hits.length === 0 ? 0 : confidenceOf(calibration, evidenceOf(text, hits));
  return {
    passages: best(hits).map(passageOf),
    mode: embedder === null ? 'bm25' : 'hybrid',
    confidence,
    verdict: verdictOf(calibration, confidence),
    isOpen: isOpenQuestion(text, hits),
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
