import type { PersonId } from './principal.ts';
import type { Role } from './roles.ts';

/** How much harm an action can do; it sets what approval costs. */
export const RISKS = ['normal', 'high'] as const;
export type Risk = (typeof RISKS)[number];

export type ApprovalRule = {
  readonly role: Role;
  /** Distinct persons who must say yes. */
  readonly approvers: number;
  readonly expiresInSeconds: number;
};

/** What each level of risk asks of people before an action runs. */
export const APPROVAL_FOR: Readonly<Record<Risk, Omit<ApprovalRule, 'role'>>> = {
  normal: { approvers: 1, expiresInSeconds: 24 * 60 * 60 },
  high: { approvers: 2, expiresInSeconds: 4 * 60 * 60 },
};

/** Bound into every approval: raise it when `APPROVAL_FOR` or `ballotProblem` change their meaning. */
export const RULE_VERSION = 1;

export const DECISIONS = ['approve', 'reject'] as const;
export type Decision = (typeof DECISIONS)[number];

/**
 * A vote as it arrives, by Signal or Update `approval`. Whoever reaches Temporal can send one, so
 * nothing in it is believed: an activity checks `proof` or `code` and reads the grants.
 */
export type Ballot = {
  readonly decision: string;
  readonly approver: string;
  readonly comment?: string;
  /** One-time code, for votes that come through Temporal. */
  readonly code?: string;
  /** Gateway-signed statement that an interactive login made this vote. */
  readonly proof?: string;
  /** Digest the approver was shown, when the sender knows it. */
  readonly seen?: string;
};

/** A ballot in the order it reached the workflow, which is the only authority on that. */
export type CastBallot = {
  /** 1, 2, … in the order of arrival; a retry keeps its number. */
  readonly ballotNo: number;
  readonly ballot: Ballot;
  /** Workflow time, ISO 8601. */
  readonly arrivedAt: string;
};

/** A voter as the grants table knows them at the moment of judging. */
export type Voter = { readonly personId: PersonId; readonly roles: readonly Role[] };

/** A ballot that counted. */
export type Admitted = { readonly personId: PersonId; readonly subject: string; readonly decision: Decision };

/** What judging one ballot came to. */
export type Verdict = {
  readonly ballotNo: number;
  readonly admitted: boolean;
  /** Why it did not count. */
  readonly problem?: string;
  readonly decision?: Decision;
  readonly approver?: string;
  /** The action as it stands after this ballot. */
  readonly standing: Standing;
};

/** `open`: more votes are needed. */
export type Standing = 'open' | 'approved' | 'denied' | 'closed';

/** Why this ballot does not count, or undefined when it does. `voter` comes from the grants table, never from the ballot. */
export function ballotProblem(
  rule: ApprovalRule,
  requesters: ReadonlySet<PersonId>,
  cast: readonly Admitted[],
  voter: Voter,
): string | undefined {
  if (requesters.has(voter.personId))
    return 'A requester cannot approve their own action, nor can anyone acting for them.';
  if (!voter.roles.includes(rule.role)) return `Only ${rule.role} may decide this.`;
  if (cast.some((earlier) => earlier.personId === voter.personId)) return 'Each person votes once.';
  return undefined;
}

/** One no ends it; enough distinct yeses pass it. */
export function standingOf(rule: ApprovalRule, cast: readonly Admitted[]): Standing {
  if (cast.some(({ decision }) => decision === 'reject')) return 'denied';
  const persons = new Set(cast.map(({ personId }) => personId));
  return persons.size >= rule.approvers ? 'approved' : 'open';
}
