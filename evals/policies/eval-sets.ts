import type { Chunk, PolicyFilter, Tokenizer, VersionKey } from '../../domain/policies.ts';
import { chunkDocument } from '../../policy-index/chunk.ts';
import { demoSet, heldOn, type DemoQuestion, type DemoSet } from './demo-set.ts';
import { ASKED_AT, EVAL_FILTER, sharedQuestionSet, type QuestionSet } from './question-set.ts';

/** One question as every stage is asked it. */
export type EvalCase = {
  readonly id: string;
  /** With what was asked before it, when it means nothing alone. */
  readonly text: string;
  readonly filter: PolicyFilter;
  /** Ids of the chunks that answer it; none for a question that has no answer. */
  readonly relevant: ReadonlySet<string>;
  /** Whether it counts for the abstention: it can be answered, it cannot, or that is open. */
  readonly answerable: boolean | undefined;
};

export type EvalSet = {
  readonly name: string;
  readonly chunks: readonly Chunk[];
  readonly superseded: readonly VersionKey[];
  readonly cases: readonly EvalCase[];
  /** What the document says where the chunk says it is. */
  storedText(chunk: Chunk): string | undefined;
};

/** The demo shop's documents, cut by the embedder's own count of tokens. */
export async function demoEvalSet(tokenizer: Tokenizer): Promise<EvalSet> {
  const set = await demoSet();
  const chunks = set.versions.flatMap(({ document }) => chunkDocument(document, tokenizer));
  const texts = new Map(set.versions.map(({ document: d }) => [`${d.docId} ${d.docVersion}`, d.text]));
  return {
    name: 'demo shop',
    chunks,
    superseded: set.versions.filter(({ isNewest }) => !isNewest).map(({ document }) => document),
    cases: set.questions.map((question) => demoCase(set, chunks, question)),
    storedText: ({ docId, docVersion, start, end }) => texts.get(`${docId} ${docVersion}`)?.slice(start, end),
  };
}

/** The visible part of MTRAG-UN, one chunk per passage, last turns alone; undefined without the shared data. */
export function sharedEvalSet(): EvalSet | undefined {
  const set = sharedQuestionSet();
  if (set === undefined) return undefined;
  const texts = new Map(set.chunks.map(({ id, text }) => [id, text]));
  return {
    name: 'MTRAG-UN',
    chunks: set.chunks,
    superseded: [],
    cases: set.questions.map(sharedCase),
    storedText: ({ id, start, end }) => texts.get(id)?.slice(start, end),
  };
}

function demoCase(set: DemoSet, chunks: readonly Chunk[], question: DemoQuestion): EvalCase {
  const { id, audience, language, as_of: asOf } = question;
  return {
    id,
    text: [...(question.history ?? []), question.question].join('\n'),
    filter: {
      tenant: 'manga',
      audiences: audience === 'staff' ? ['customer', 'staff'] : ['customer'],
      languages: [language],
      effectiveAt: asOf ?? ASKED_AT,
      ...(asOf === undefined ? {} : { withSuperseded: true }),
    },
    relevant: new Set((question.gold ?? []).flatMap((gold) => quoting(set, chunks, gold, asOf))),
    answerable: isAnswerable(question),
  };
}

/** The chunks of the version that held which have the whole quotation; two, where it stands in their overlap. */
function quoting(
  { versions }: DemoSet,
  chunks: readonly Chunk[],
  { document: docId, span }: { readonly document: string; readonly span: string },
  asOf: string | undefined,
): readonly string[] {
  const held = heldOn(versions, docId, asOf);
  return chunks
    .filter(
      (chunk) => chunk.docId === docId && chunk.docVersion === held?.docVersion && chunk.text.includes(span),
    )
    .map(({ id }) => id);
}

function isAnswerable({ class: kind, gold }: DemoQuestion): boolean | undefined {
  if (gold !== undefined) return true;
  return kind === 'underspecified' ? undefined : false;
}

function sharedCase({ id, text, relevant, answerability }: QuestionSet['questions'][number]): EvalCase {
  return {
    id,
    text,
    filter: EVAL_FILTER,
    relevant,
    answerable:
      answerability === 'UNANSWERABLE'
        ? false
        : answerability === 'UNDERSPECIFIED'
          ? undefined
          : relevant.size > 0,
  };
}
