import { createHash, randomBytes } from 'node:crypto';
import type { ToolBodies } from '../../catalog/index.ts';
import { LIVE_TOOLS } from '../../catalog/policies/live-tools.ts';
import type { Cache, Loaded } from '../../domain/cache.ts';
import { type Route, routeOf } from '../../domain/data-path.ts';
import type { Locale } from '../../domain/order-messages.ts';
import { PolicyIndexError } from '../../domain/policies.ts';
import {
  FRESH_SECONDS,
  isFresh,
  type PolicyFinder,
  type PolicyFinding,
  type PolicyQuestion,
  type PolicyVersions,
  type Rewrite,
} from '../../domain/policy-answers.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type Clocks, readingOf } from './reading.ts';
import { type Reading, type VerifiedPassage, verifyPassages } from './verify-passages.ts';
import { versionOf } from './version-of.ts';
import { type AnswerStatus, languageOf, type SearchLimit, wordsFor } from './words.ts';

export type PolicyParts = Clocks & {
  readonly cache: Cache;
  readonly finder: PolicyFinder;
  readonly versions: PolicyVersions;
  /** Undefined: nobody is configured who could. */
  readonly rewrite?: Rewrite | undefined;
};

type Body = ToolBodies['search_policies'];
type Answer = Awaited<ReturnType<Body>>;

/** Of what was asked before, as much as a follow-up question can mean. */
const TURNS = 2;
/** A model sees what of it matters. */
const MOST_TURNS = 10;
const MOST_CHARACTERS = 1000;
/** How often a question is asked anew while builds go live one after the other. */
const ATTEMPTS = 3;

/**
 * Retrieval finds, and the stored versions decide: a passage is quoted only if it stands in its version word by word,
 * for this reader, on that day. What is left says how far the question is answered.
 */
export function searchPolicies(parts: PolicyParts): Body {
  return async ({ caller, input: { question, as_of: asOf, locale, previous } }) => {
    const reading = readingOf(caller, asOf, parts);
    const language = locale ?? languageOf(question);
    const inquiry = await inContext(parts, question, previous);
    const route = routeOf(inquiry.form === 'rewritten' ? inquiry.text : question);
    const asked = { ...inquiry, language, route };
    try {
      return await answerTo(parts, asked, reading);
    } catch (error) {
      throw asRefusal(error);
    }
  };
}

/** What is looked up. */
type InContext = {
  readonly text: string;
  readonly form: Answer['index']['question'];
};
type Asked = InContext & { readonly language: Locale; readonly route: Route };

/** A finding, and what of it is true. */
type Checked = { readonly loaded: Loaded<PolicyFinding>; readonly verified: readonly VerifiedPassage[] };

async function answerTo(parts: PolicyParts, asked: Asked, reading: Reading): Promise<Answer> {
  const { text, language } = asked;
  const question = questionOf(text, reading);
  const preferred = await found(parts, { ...question, languages: [language] }, reading);
  if (isAnswer(preferred)) return answerFrom(parts, preferred, statusOf(preferred, asked), asked, reading);
  // What only another language says is still said; it must be a good deal surer.
  const any = await found(parts, question, reading);
  if (any.loaded.value.verdict === 'answer' && isAnswer(any))
    return answerFrom(parts, any, statusOf(any, asked), asked, reading);
  const outdated = await unverified(parts, { ...question, languages: [language] }, reading);
  if (outdated) return answerFrom(parts, outdated, 'stale', asked, reading);
  return answerFrom(parts, { ...preferred, verified: [] }, 'not_found', asked, reading);
}

function questionOf(text: string, { tenant, audiences, atMs, inThePast, nowMs }: Reading): PolicyQuestion {
  return {
    text,
    tenant,
    audiences,
    effectiveAt: new Date(atMs).toISOString(),
    inThePast,
    // A version of the past does not change any more; a current one is looked at again when it is verified.
    ...(inThePast ? {} : { verifiedSince: new Date(nowMs - FRESH_SECONDS * 1000).toISOString() }),
  };
}

/**
 * Finds and verifies. A finding kept from before that does not hold any more is found anew; so is one of a build that
 * was replaced between finding and verifying.
 */
async function found(parts: PolicyParts, question: PolicyQuestion, reading: Reading): Promise<Checked> {
  let loaded = await finding(parts, question, reading);
  for (let attempt = 1; ; attempt += 1) {
    const verified = await verifyPassages(parts.versions, loaded.value.passages, reading);
    const isWhole = verified.length === loaded.value.passages.length;
    if (isWhole || attempt === ATTEMPTS) return { loaded, verified };
    if (!loaded.cache.hit && (await parts.finder.build()) === loaded.value.build) return { loaded, verified };
    const value = await parts.finder.find(question);
    loaded = { value, asOf: loaded.asOf, cache: { hit: false, age_s: 0, ttl_s: 0 } };
  }
}

/** What a question finds, per build: a new one answers at once. */
async function finding(
  { cache, finder }: PolicyParts,
  question: PolicyQuestion,
  { nowMs }: Reading,
): Promise<Loaded<PolicyFinding>> {
  const { verifiedSince, effectiveAt, ...same } = question;
  // What is asked about now is asked about today: only the stored version's dates decide to the instant.
  const day = question.inThePast ? effectiveAt : effectiveAt.slice(0, 10);
  const fresh = verifiedSince === undefined ? 'any' : new Date(nowMs).toISOString().slice(0, 13);
  const hash = createHash('sha256')
    .update(JSON.stringify([same, day, fresh]))
    .digest('base64url');
  const key = { tenant: question.tenant, kind: 'policy', parts: [await finder.build(), hash] } as const;
  return cache.read(key, () => finder.find(question), {
    // An answer without vectors must not outlive the outage that made it.
    maxAgeSeconds: ({ mode }) => (mode === 'hybrid' ? Infinity : 0),
  });
}

function isAnswer({ loaded, verified }: Checked): boolean {
  return loaded.value.verdict !== 'nothing' && verified.length > 0;
}

function statusOf({ loaded: { value }, verified }: Checked, { route }: Asked): AnswerStatus {
  const isSeveral = new Set(verified.map(({ policy }) => policy.kind)).size > 1;
  if (value.isOpen && isSeveral) return 'ambiguous';
  // No policy knows how things stand this minute, however near its words come.
  return value.verdict === 'answer' && route.path === 'policy' ? 'answered' : 'partial';
}

/** What would have been quoted, had its source been seen of late. */
async function unverified(
  parts: PolicyParts,
  question: PolicyQuestion,
  reading: Reading,
): Promise<Checked | undefined> {
  const { verifiedSince: _, ...anyAge } = question;
  const value = await parts.finder.find(anyAge);
  if (value.verdict !== 'answer') return undefined;
  const longAgo = await verifyPassages(parts.versions, value.passages, { ...reading, nowMs: 0 });
  if (longAgo.every(({ policy }) => isFresh(policy, reading.nowMs))) return undefined;
  return {
    loaded: { value, asOf: '', cache: { hit: false, age_s: 0, ttl_s: 0 } },
    verified: longAgo,
  };
}

function answerFrom(
  { finder }: PolicyParts,
  { loaded, verified }: Checked,
  status: AnswerStatus,
  { language, route, form }: Asked,
  { atMs }: Reading,
): Answer {
  const { value, cache } = loaded;
  const isQuoted = status !== 'stale' && status !== 'not_found';
  const live = route.topics.flatMap((topic) => LIVE_TOOLS[topic]);
  const options = status === 'ambiguous' || status === 'stale' ? optionsOf(verified) : [];
  return {
    status,
    message:
      route.path === 'live'
        ? `${wordsFor(status, language, limitOf(value), 'live')} ${live.join(', ')}.`
        : wordsFor(status, language, limitOf(value)),
    passages: isQuoted ? verified.map((one) => passageOf(one, finder)) : [],
    ...(options.length === 0 ? {} : { options }),
    ...(live.length === 0 ? {} : { live_tools: live }),
    as_of: new Date(atMs).toISOString(),
    confidence: Math.round(value.confidence * 1000) / 1000,
    index: {
      build: value.build,
      embedder: value.embedder,
      mode: value.mode === 'bm25' ? 'lexical' : 'hybrid',
      question: form,
      stale: value.isStale,
      verified_at: oldest(verified),
      dropped: value.passages.length - verified.length,
    },
    quote_mark: randomBytes(9).toString('base64url'),
    source: 'policy_documents',
    cache: { ...cache },
  };
}

function limitOf({ mode, isStale }: PolicyFinding): SearchLimit | undefined {
  if (isStale) return 'copy';
  return mode === 'bm25' ? 'lexical' : undefined;
}

function passageOf(
  { found: one, policy }: VerifiedPassage,
  finder: PolicyFinder,
): Answer['passages'][number] {
  const { bm25, cosine, score, rerank, final } = one.scores;
  return {
    text: one.text,
    heading_path: [...one.headingPath],
    ...versionOf(policy),
    span: { start: one.start, end: one.end },
    scores: { bm25, cosine, fused: score, rerank, final },
    flagged: one.suspicion >= finder.suspicious,
  };
}

function optionsOf(verified: readonly VerifiedPassage[]): NonNullable<Answer['options']> {
  const byId = new Map(verified.map(({ policy }) => [policy.docId, policy]));
  return [...byId.values()].map(({ docId, title, kind, sourceUrl }) => ({
    doc_id: docId,
    title,
    kind,
    source_url: sourceUrl,
  }));
}

function oldest(verified: readonly VerifiedPassage[]): string | null {
  return verified.map(({ policy }) => policy.verifiedAt).toSorted()[0] ?? null;
}

/** A question that means nothing alone is rewritten so that it does, or asked together with those before it. */
async function inContext(
  { rewrite }: PolicyParts,
  question: string,
  previous: string | undefined,
): Promise<InContext> {
  const turns = (previous ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (turns.length === 0) return { text: question, form: 'as_asked' };
  const alone = await rewrite?.(question, turns.slice(-MOST_TURNS));
  if (alone !== undefined) return { text: alone, form: 'rewritten' };
  const room = Math.max(MOST_CHARACTERS - question.length - 1, 0);
  const before = turns.slice(-TURNS).join('\n').slice(-room);
  return { text: room === 0 ? question : `${before}\n${question}`, form: 'with_previous' };
}

/** An index that is away is no fault of the question. Said at once and plainly, so that nobody makes up an answer. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof PolicyIndexError)) return error;
  const isOutage = error.problem === 'unreachable';
  return new Refusal(
    'unavailable',
    isOutage
      ? 'Policy lookup unavailable: the index does not answer. Do not infer an answer; try again in a minute.'
      : 'Policy lookup unavailable: no sound policy index is live. Do not infer an answer. Operators: countersign policy ingest.',
    { lookup: 'policy', problem: error.problem },
  );
}
