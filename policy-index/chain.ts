import type { PolicyProblem, PublishedVersion } from '../domain/policy-source.ts';
import type { Candidate } from './places.ts';
import { asPolicy } from './read-document.ts';

/** Puts the versions of one document in order: what is published, and what contradicts the rest. */
export function chainOf(family: readonly Candidate[]): {
  readonly versions: readonly PublishedVersion[];
  readonly found: readonly PolicyProblem[];
} {
  const found: PolicyProblem[] = [];
  const sound = family.filter((one) => isSound(one, found));
  const live = onwards(
    sound.filter(({ isArchived }) => !isArchived),
    found,
  );
  const newest = live.at(-1);
  const archived = sound.filter((one) => one.isArchived && isBefore(one, newest, found));
  const ordered = withoutOverlaps(inOrder([...archived, ...live]), found);
  const versions = ordered.map((one, index) => {
    const next = ordered[index + 1];
    const { stored, document } = one;
    return {
      document: asPolicy(document, index + 1, earlier(document.front.effective_to, next && fromOf(next))),
      ownEnd: document.front.effective_to ?? null,
      questions: document.front.questions,
      key: stored.key,
      versionId: stored.versionId,
    };
  });
  return { versions, found };
}

function isSound(one: Candidate, found: PolicyProblem[]): boolean {
  const { effective_from: from, effective_to: to } = one.document.front;
  if (to === undefined || Date.parse(to) > Date.parse(from)) return true;
  found.push(problem(one, 'dates_contradict', 'It ends (effective_to) before it begins (effective_from).'));
  return false;
}

/** Live versions as they were stored; one that begins before the version it replaces is no successor. */
function onwards(live: readonly Candidate[], found: PolicyProblem[]): readonly Candidate[] {
  const kept: Candidate[] = [];
  for (const one of live) {
    const before = kept.at(-1);
    if (before !== undefined && at(fromOf(one)) < at(fromOf(before))) {
      const message = 'It begins (effective_from) before the version that it replaces.';
      found.push(problem(one, 'goes_back', message));
    } else kept.push(one);
  }
  return kept;
}

function isBefore(archived: Candidate, newest: Candidate | undefined, found: PolicyProblem[]): boolean {
  if (newest === undefined || at(fromOf(archived)) < at(fromOf(newest))) return true;
  const message = 'It is archived, and begins (effective_from) no earlier than the version in force.';
  found.push(problem(archived, 'dates_contradict', message));
  return false;
}

/** By the day from which they hold; equal bytes in a row are one version. */
function inOrder(all: readonly Candidate[]): readonly Candidate[] {
  return all
    .toSorted((a, b) => at(fromOf(a)) - at(fromOf(b)))
    .filter((one, index, sorted) => sorted[index - 1]?.document.contentHash !== one.document.contentHash);
}

/** An archived version could say when it ended, and must not say that it holds beside its successor. */
function withoutOverlaps(ordered: readonly Candidate[], found: PolicyProblem[]): readonly Candidate[] {
  return ordered.filter((one, index) => {
    const next = ordered[index + 1];
    const to = one.document.front.effective_to;
    if (!one.isArchived || next === undefined || to === undefined || at(to) <= at(fromOf(next))) return true;
    found.push(problem(one, 'dates_contradict', 'It still holds (effective_to) when its successor begins.'));
    return false;
  });
}

function earlier(own: string | undefined, next: string | undefined): string | null {
  if (own === undefined || next === undefined) return own ?? next ?? null;
  return at(own) <= at(next) ? own : next;
}

function fromOf({ document }: Candidate): string {
  return document.front.effective_from;
}

function at(day: string): number {
  return Date.parse(day);
}

function problem(one: Candidate, code: PolicyProblem['code'], message: string): PolicyProblem {
  return { key: one.stored.key, versionId: one.stored.versionId, code, message };
}
