import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Chunk } from '../../domain/policies.ts';

const PASSAGE = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  url: z.string(),
  coll: z.string(),
});
const QUESTION = z.object({
  id: z.string(),
  q: z.string(),
  hist: z.array(z.string()),
  ans: z.string(),
  coll: z.string(),
  rel: z.array(z.string()),
});

export type LabelledQuestion = {
  readonly id: string;
  readonly text: string;
  /** What the same person asked before, oldest first. */
  readonly history: readonly string[];
  /** `ANSWERABLE`, `PARTIAL`, `UNANSWERABLE` or `UNDERSPECIFIED`. */
  readonly answerability: string;
  readonly collection: string;
  /** Ids of the chunks that answer it. */
  readonly relevant: ReadonlySet<string>;
};

export type QuestionSet = {
  readonly chunks: readonly Chunk[];
  readonly questions: readonly LabelledQuestion[];
};

const TENANT = 'eval';
/** A question of the set is asked on this day; nothing in it depends on one. */
export const ASKED_AT = '2026-11-21T00:00:00Z';
export const EVAL_FILTER = { tenant: TENANT, audiences: ['customer'], effectiveAt: ASKED_AT } as const;

/** The visible part of MTRAG-UN; undefined on machines without the shared data. */
export function sharedQuestionSet(): QuestionSet | undefined {
  const folder = resolve(process.env['COUNTERSIGN_SHARED'] ?? '../shared', 'data', 'retrieval');
  if (!existsSync(join(folder, 'queries.jsonl'))) return undefined;
  const lines = (file: string) => readFileSync(join(folder, file), 'utf8').split('\n').filter(Boolean);
  return {
    chunks: lines('passages.jsonl').map((line) => chunkOf(PASSAGE.parse(JSON.parse(line)))),
    questions: lines('queries.jsonl').map((line) => {
      const { id, q, hist, ans, coll, rel } = QUESTION.parse(JSON.parse(line));
      return { id, text: q, history: hist, answerability: ans, collection: coll, relevant: new Set(rel) };
    }),
  };
}

/** The passages come cut: each is a document of one chunk. */
function chunkOf({ id, title, text, url, coll }: z.output<typeof PASSAGE>): Chunk {
  return {
    id,
    tenant: TENANT,
    docId: id,
    docVersion: `1-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`,
    title,
    sourceUrl: url,
    kind: coll,
    audience: 'customer',
    language: 'en',
    effectiveFrom: null,
    effectiveTo: null,
    ordinal: 0,
    start: 0,
    end: text.length,
    headingPath: [],
    text,
    indexText: title === '' ? text : `${title}\n\n${text}`,
  };
}
