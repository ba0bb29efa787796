import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { PolicyDocument } from '../../domain/policies.ts';
import type { PolicyProblem } from '../../domain/policy-source.ts';
import { readCorpus } from '../../policy-index/read-corpus.ts';
import { folderSource } from '../../policy-index/sources/folder.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * `answerable` in other words than the document's; `version`: about a day in the past; `multi_turn`: means nothing
 * without what was asked before; `unanswerable`: no document says it; `underspecified`: several do, and which is
 * meant cannot be known; `wrong_audience`: only a document says it that the asker may not read.
 */
const CLASSES = [
  'answerable',
  'version',
  'multi_turn',
  'unanswerable',
  'underspecified',
  'wrong_audience',
] as const;
export type QuestionClass = (typeof CLASSES)[number];

const question = z.strictObject({
  id: z.string(),
  class: z.enum(CLASSES),
  question: z.string().min(1),
  /** What the same person asked before, oldest first. */
  history: z.array(z.string()).optional(),
  as_of: z.iso.date().optional(),
  audience: z.enum(['customer', 'staff']),
  language: z.enum(['en', 'ja']),
  /** Where the answer stands: document, the day from which that version holds, and words of it. */
  gold: z
    .array(z.strictObject({ document: z.string(), effective_from: z.iso.date(), span: z.string().min(1) }))
    .optional(),
  /** What it could be about (underspecified), or what must not be found (wrong_audience). */
  documents: z.array(z.string()).optional(),
});
export type DemoQuestion = z.output<typeof question>;

export type DemoVersion = { readonly document: PolicyDocument; readonly isNewest: boolean };

export type DemoSet = {
  readonly versions: readonly DemoVersion[];
  readonly questions: readonly DemoQuestion[];
  readonly problems: readonly PolicyProblem[];
  /** Why a question's gold is not what its documents say; nothing when it is. */
  goldProblems(question: DemoQuestion): readonly string[];
};

/** The demo shop's documents with all their versions, and the questions people ask of them. */
export async function demoSet(): Promise<DemoSet> {
  const { versions, problems } = await demoVersions();
  const lines = readFileSync(join(import.meta.dirname, 'questions.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean);
  return {
    versions,
    problems,
    questions: lines.map((line) => question.parse(JSON.parse(line))),
    goldProblems: ({ id, gold = [], as_of: asOf }) =>
      gold.flatMap((one) => {
        const held = heldOn(versions, one.document, asOf);
        if (held === undefined) return [`${id}: ${one.document} did not hold then`];
        if (held.effectiveFrom !== one.effective_from) return [`${id}: another version held then`];
        return held.text.includes(one.span) ? [] : [`${id}: the version does not say it`];
      }),
  };
}

/** The version of a document that held on a day; without a day, the newest. */
export function heldOn(
  versions: readonly DemoVersion[],
  docId: string,
  asOf: string | undefined,
): PolicyDocument | undefined {
  return versions.find(({ document, isNewest }) => {
    if (document.docId !== docId) return false;
    if (asOf === undefined) return isNewest;
    const { effectiveFrom, effectiveTo } = document;
    return (effectiveFrom ?? '') <= asOf && (effectiveTo === null || asOf < effectiveTo);
  })?.document;
}

async function demoVersions(): Promise<Pick<DemoSet, 'versions' | 'problems'>> {
  const history = await mkdtemp(join(tmpdir(), 'policy-history-'));
  const source = folderSource(join(ROOT, 'policy-index/documents'), history);
  try {
    const { chains, problems } = await readCorpus(source);
    const versions = chains.flatMap((chain) =>
      chain.versions.map(({ document }) => ({
        document,
        isNewest: document === chain.versions.at(-1)?.document,
      })),
    );
    return { versions, problems };
  } finally {
    await source.close();
    await rm(history, { recursive: true, force: true });
  }
}
