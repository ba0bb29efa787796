import type { CastBallot, Decision, Standing, Verdict, Voter } from './approval.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { ActionPlan, ApprovedCall } from './plan.ts';
import type { Caller, PersonId } from './principal.ts';
import type { PromotionWriter } from './promotions.ts';
import type { Role } from './roles.ts';
import type { BallotStatement } from './seals.ts';
import type { StockWriter } from './stock.ts';

/**
 * States of an action, as Postgres keeps them and clients read them.
 *
 * pending_approval  claimed; waits for people. Left by a decision, expiry or the requester's cancel.
 * approved          enough persons said yes; the effect has not been committed yet.
 * executed          the effect and its result are committed, in one transaction. Final.
 * rejected          somebody entitled said no. Final.
 * expired           nobody decided in time. Final.
 * cancelled         the requester withdrew it before it ran. Final.
 * refused           approved, but not possible any more (stock moved, scope revoked, approval void). Final.
 * failed            a fault, with certainty that nothing was done. Final.
 * unknown           the answer was lost: the effect may or may not have happened. Reconciled by a repeat.
 */
export const ACTION_STATES = [
  'pending_approval',
  'approved',
  'executed',
  'rejected',
  'expired',
  'cancelled',
  'refused',
  'failed',
  'unknown',
] as const;
export type ActionState = (typeof ACTION_STATES)[number];

export function isOpen(state: ActionState): boolean {
  return state === 'pending_approval' || state === 'approved';
}

/** What its votes have come to, as its state tells. */
export function standingIn(state: ActionState): Standing {
  if (state === 'pending_approval') return 'open';
  if (state === 'approved') return 'approved';
  return state === 'rejected' ? 'denied' : 'closed';
}

export type Action = {
  readonly actionId: string;
  readonly tenant: string;
  readonly tool: string;
  readonly title: string;
  readonly asks: string;
  readonly state: ActionState;
  readonly requester: string;
  readonly actor: string | null;
  readonly approverRole: Role;
  readonly approversNeeded: number;
  readonly digest: string;
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly endedAt: string | null;
  /** The tool's own output, once executed. Personal fields sealed. */
  readonly result: JsonValue | null;
  /** Code and message of the refusal that ended it. */
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly ballots: readonly BallotRecord[];
  readonly plan: ActionPlan;
};

export type BallotRecord = {
  readonly ballotNo: number;
  readonly approver: string;
  readonly decision: string;
  readonly admitted: boolean;
  readonly problem: string | null;
  readonly comment: string | null;
  readonly at: string;
};

export type Claim = { readonly action: Action; readonly replayed: boolean };

/** The gateway's side: propose, look, withdraw. */
export interface ActionDesk {
  /**
   * Writes the claim and the audit row `proposed` in one transaction, or answers with the earlier action of
   * the same key (same tenant, requester, tool), or, without a key, with the open one of the same digest.
   *
   * `check` runs before a new claim is written, never for a repeat (the world it would judge is the one the first
   * attempt has changed); nothing is written when it throws. It may answer with the plan to write instead: the same
   * call, with what was found for it.
   *
   * @throws {Refusal} idempotency_conflict: same key, other arguments. no_person: the requester has no grant,
   *   or is an agent without an owner. Whatever `check` throws.
   */
  claim(plan: ActionPlan, key: string | undefined, check?: () => Promise<ActionPlan | void>): Promise<Claim>;
  /** Undefined when unknown or not the caller's to see. Requester, their agents, and holders of the approver role see it. */
  find(caller: Caller, actionId: string): Promise<Action | undefined>;
  /** The vote of the caller's person that counted, whichever way it came; undefined when there is none. */
  voteOf(caller: Caller, actionId: string): Promise<Decision | undefined>;
  /** Open actions the caller may decide on or asked for, oldest first. */
  pending(caller: Caller, limit: number): Promise<readonly Action[]>;
  /**
   * Withdraws an open action; a repeat answers the same.
   * @throws {Refusal} not_found; forbidden: not the requester's person; action_closed: it has already ended or is running.
   */
  cancel(caller: Caller, actionId: string): Promise<Action>;
  /**
   * A one-time code for a vote through Temporal: at least 128 bits, 10 minutes, kept as a hash, bound to
   * approver, action, decision and digest.
   * @throws {Refusal} not_found, action_closed, forbidden (why the vote could not count).
   */
  issueCode(
    approver: Caller,
    actionId: string,
    decision: 'approve' | 'reject',
  ): Promise<{ readonly code: string; readonly expiresAt: string }>;
  /**
   * Plans of open actions of every shop, claimed longer than `olderThanSeconds` ago: some may have lost their
   * workflow (a crash between claim and start, a run terminated by hand). Oldest first; `after`: the last plan of
   * the page before.
   */
  open(olderThanSeconds: number, limit: number, after?: ActionPlan): Promise<readonly ActionPlan[]>;
}

/** The worker's side: judge and close. Every method is idempotent under retries. */
export interface ActionCourt {
  /** The plan's action as it stands, and how many ballots it has; undefined when no claim carries this id, tenant and digest. */
  standing(
    plan: ActionPlan,
  ): Promise<
    { readonly state: ActionState; readonly standing: Standing; readonly ballots: number } | undefined
  >;
  /**
   * Judges one ballot under the action's lock: code or verified proof, grants as they are now, requester's
   * persons, one vote per person. Writes the ballot and its audit row in the same transaction. A repeat of
   * `ballotNo` returns the first verdict.
   */
  judge(plan: ActionPlan, cast: CastBallot, proven: BallotStatement | undefined): Promise<Verdict>;
  /** Sets the final state unless one is set, with the one final audit row. Answers the state that holds. */
  close(plan: ActionPlan, ending: Ending): Promise<ActionState>;
}

export type Ending = {
  readonly state: Exclude<ActionState, 'pending_approval' | 'approved' | 'executed'>;
  readonly reason?: { readonly code: string; readonly message: string };
};

/** Everything a body may write with, all inside one transaction. */
export type Work = { readonly stock: StockWriter; readonly promotions: PromotionWriter };

export interface Effects {
  /**
   * Runs `effect` once for the call's key. In one transaction: locks the action, returns the earlier result
   * if there is one, checks the approval (enough ballots, digest recomputed, rule version, expiry, not
   * consumed), the requester's grants and scopes as they are now, consumes it, runs `effect`, and commits
   * its result with the state `executed`.
   *
   * @throws {Refusal} approval_missing, approval_void, approval_expired, requester_revoked, action_closed, and
   *   whatever `effect` throws; nothing is written then.
   */
  once<T extends JsonObject>(
    call: ApprovedCall<unknown>,
    digest: string,
    effect: (work: Work) => Promise<T>,
  ): Promise<T>;
}

/** Who is who, read at the moment of asking. */
export interface Grants {
  voter(tenant: string, issuer: string | undefined, subject: string): Promise<Voter | undefined>;
  /** The requester as a set of persons: the subject, everyone they act for, the agent's owner. */
  requesters(caller: Caller): Promise<ReadonlySet<PersonId>>;
  /** Makes sure a login is known (development issuer). Never restores what was revoked. */
  ensure(tenant: string, issuer: string, subject: string, roles: readonly Role[]): Promise<void>;
  /** The same for an agent, with the person who answers for it. */
  ensureAgent(tenant: string, issuer: string, agent: string, ownerSubject: string): Promise<void>;
}
