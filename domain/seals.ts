import type { Decision } from './approval.ts';
import type { AuditEntry } from './audit.ts';
import type { Plan } from './plan.ts';

/** What the gateway vouches for when an interactive login votes. Short-lived, and good for this one vote only. */
export type BallotStatement = {
  readonly tenant: string;
  readonly actionId: string;
  readonly digest: string;
  readonly decision: Decision;
  readonly subject: string;
  readonly issuer: string;
  /** Unique: a proof counts once. */
  readonly jti: string;
  /** Unix seconds, real time. */
  readonly expiresAtUnix: number;
};

/** Rows of the record that Postgres did not take, on their way through Temporal, where anybody may write. */
export type OwedRows = { readonly entries: readonly AuditEntry[]; readonly seal: string };

type Unsealed<P extends Plan> = P extends Plan ? Omit<P, 'seal'> : never;

/** The installation's keys, as those who need them see them. Reaching Temporal is not enough to make any of these. */
export interface Seals {
  sealPlan<P extends Plan>(plan: Unsealed<P>): P;
  /** True when one of the accepted keys made the seal over exactly this plan. Never throws, whatever it is given. */
  isSealed(plan: unknown): boolean;
  sealRows(entries: readonly AuditEntry[]): OwedRows;
  /** The rows, when they were sealed here; undefined otherwise. Never throws, whatever it is given. */
  sealedRows(owed: unknown): readonly AuditEntry[] | undefined;
  proveBallot(statement: BallotStatement): string;
  /** Undefined when it was not made here, was changed, or has expired. Never throws. */
  checkBallotProof(proof: string): BallotStatement | undefined;
  /** True for a text that `sealPersonal` made. */
  isSealedText(text: string): boolean;
  /** Encrypts a personal value with the tenant's own key. The same value gives another text each time. */
  sealPersonal(tenant: string, value: string): string;
  /** The same for the same person of the same tenant, and of no use for finding out who: 32 hex digits. */
  pseudonym(tenant: string, subject: string): string;
  /** @throws {Error} when the text was not sealed for this tenant. */
  openPersonal(tenant: string, sealed: string): string;
}
