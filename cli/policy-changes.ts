import { structuredPatch } from 'diff';
import type { PreviewedPolicy } from '../adapters/postgres/policy-preview.ts';

/** What a reading of the source would change of one document. */
export type DocumentChange = {
  readonly tenant: string;
  readonly docId: string;
  readonly change: 'new' | 'changed' | 'gone';
  /** Versions that are not live, oldest first. */
  readonly added: readonly AddedVersion[];
  /** Versions that are live, and that the source holds no more. */
  readonly lost: readonly string[];
};

export type AddedVersion = {
  readonly docVersion: string;
  readonly effectiveFrom: string | null;
  /** The version that it is compared with; null: the document's first. */
  readonly before: string | null;
  /** As a unified diff, without its head. */
  readonly lines: readonly string[];
};

/** By document. Versions of equal bytes are the same, wherever they stand among the others. */
export function changesOf(versions: readonly PreviewedPolicy[]): readonly DocumentChange[] {
  const documents = new Map<string, PreviewedPolicy[]>();
  for (const one of versions) documents.set(one.docId, [...(documents.get(one.docId) ?? []), one]);
  return [...documents.values()].flatMap((chain) => changeOf(chain) ?? []);
}

function changeOf(chain: readonly PreviewedPolicy[]): DocumentChange | undefined {
  const [first] = chain;
  if (first === undefined || chain.every(({ isAtSource, isLive }) => isAtSource === isLive)) return undefined;
  const atSource = chain.filter(({ isAtSource }) => isAtSource);
  const live = chain.filter(({ isLive }) => isLive);
  const [known, held] = [new Set(live.map(hashOf)), new Set(atSource.map(hashOf))];
  return {
    tenant: first.tenant,
    docId: first.docId,
    change: atSource.length === 0 ? 'gone' : live.length === 0 ? 'new' : 'changed',
    added: atSource.flatMap((one, place) =>
      known.has(hashOf(one)) ? [] : [added(one, atSource[place - 1] ?? live.at(-1))],
    ),
    lost: live.filter((one) => !held.has(hashOf(one))).map(({ docVersion }) => docVersion),
  };
}

function added(one: PreviewedPolicy, before: PreviewedPolicy | undefined): AddedVersion {
  const { docVersion, effectiveFrom } = one;
  return { docVersion, effectiveFrom, before: before?.docVersion ?? null, lines: linesOf(before, one) };
}

function linesOf(before: PreviewedPolicy | undefined, after: PreviewedPolicy): readonly string[] {
  const { hunks } = structuredPatch(
    '',
    '',
    before === undefined ? '' : pageOf(before),
    pageOf(after),
    '',
    '',
    {
      context: 2,
    },
  );
  return hunks.flatMap(({ lines }, place) => (place === 0 ? lines : ['…', ...lines]));
}

/** All that a version says, with what its front matter says of it. */
function pageOf(policy: PreviewedPolicy): string {
  const { title, sourceUrl, kind, audience, language, effectiveFrom, ownEnd, questions, text } = policy;
  return [
    `title: ${title}`,
    `url: ${sourceUrl}`,
    `kind: ${kind}`,
    `audience: ${audience}`,
    `language: ${language}`,
    ...(effectiveFrom === null ? [] : [`effective_from: ${effectiveFrom}`]),
    ...(ownEnd === null ? [] : [`effective_to: ${ownEnd}`]),
    ...questions.map((question) => `question: ${question}`),
    '',
    `${text.trim()}\n`,
  ].join('\n');
}

function hashOf({ docVersion }: PreviewedPolicy): string {
  return docVersion.slice(docVersion.indexOf('-') + 1);
}
