import type { VersionKey } from './policies.ts';
import { FRESH_SECONDS, holdsAt, type PolicyVersions } from './policy-answers.ts';
import { Refusal } from './refusal.ts';

/**
 * The words of a published policy that allow or forbid an action, as they stood when people were asked. They stand
 * beside what is asked, quoted, and are a part of what is approved.
 */
export type PolicyClause = Omit<VersionKey, 'tenant'> & {
  readonly title: string;
  readonly headingPath: readonly string[];
  readonly text: string;
  readonly sourceUrl: string;
  readonly effectiveFrom: string | null;
  /** Hex SHA-256 over document, version and text. */
  readonly digest: string;
};

/**
 * Whether the policy still says, word by word, what the approvers were shown. A newer version that kept the clause
 * changes nothing.
 *
 * @throws {Refusal} approval_void
 */
export async function assertClauseStands(
  versions: PolicyVersions,
  tenant: string,
  clause: PolicyClause,
  now: Date,
): Promise<void> {
  const all = await versions.list(tenant);
  const current = all.find(
    (one) => one.docId === clause.docId && one.supersededAt === null && holdsAt(one, now.getTime()),
  );
  if (current?.audience === 'staff' && current.text.includes(clause.text)) return;
  throw new Refusal(
    'approval_void',
    'The policy clause that was shown with this request has changed since. Nothing was done; ask again.',
  );
}

/** ISO 8601: what was seen before this is too old to be quoted. */
export function freshSince(now: Date): string {
  return new Date(now.getTime() - FRESH_SECONDS * 1000).toISOString();
}
