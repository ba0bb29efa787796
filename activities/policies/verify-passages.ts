import {
  type FoundPassage,
  holdsAt,
  isFresh,
  type PolicyVersions,
  type StandingPolicy,
} from '../../domain/policy-answers.ts';
import type { Audience } from '../../domain/policies.ts';

/** A passage that stands in its stored version, word by word. All that is told of it is told by that version. */
export type VerifiedPassage = { readonly found: FoundPassage; readonly policy: StandingPolicy };

export type Reading = {
  readonly tenant: string;
  readonly audiences: readonly Audience[];
  /** Milliseconds, business time: the instant that is asked about. */
  readonly atMs: number;
  /** About a day before today: versions that were replaced since may answer. */
  readonly inThePast: boolean;
  /** Milliseconds, real time. */
  readonly nowMs: number;
};

/**
 * Reads each passage again from its stored version. What the index says of text, audience, dates and standing is not
 * believed: what does not agree with the stored version is dropped.
 */
export async function verifyPassages(
  versions: PolicyVersions,
  passages: readonly FoundPassage[],
  reading: Reading,
): Promise<readonly VerifiedPassage[]> {
  const looked = await Promise.all(
    passages.map(async (found) => ({ found, policy: await versions.find(found) })),
  );
  return looked.flatMap(({ found, policy }) =>
    policy !== undefined && says(policy, found) && mayBeQuoted(policy, reading) ? [{ found, policy }] : [],
  );
}

function says({ tenant, docId, docVersion, text }: StandingPolicy, found: FoundPassage): boolean {
  const { start, end } = found;
  return (
    tenant === found.tenant &&
    docId === found.docId &&
    docVersion === found.docVersion &&
    found.text.trim() !== '' &&
    text.slice(start, end) === found.text
  );
}

/** Whether this reader may be told this version, for this instant. A current version must have been seen of late. */
export function mayBeQuoted(
  policy: StandingPolicy,
  { tenant, audiences, atMs, inThePast, nowMs }: Reading,
): boolean {
  if (policy.tenant !== tenant || !audiences.includes(policy.audience) || !holdsAt(policy, atMs))
    return false;
  return policy.supersededAt === null ? isFresh(policy, nowMs) : inThePast;
}
