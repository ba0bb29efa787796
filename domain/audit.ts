import type { OutgoingEvent } from './events.ts';
import type { JsonObject } from './json.ts';
import type { Assurance } from './principal.ts';

/** What kind of moment a row records. A call has any number of moments and exactly one `final` row. */
export const AUDIT_EVENTS = [
  'call', // a read or control call, ended (final)
  'proposed', // an action was claimed
  'ballot', // somebody voted, counted or not
  'code_issued', // a one-time approval code was made
  'outcome', // an action ended (final)
  'denied', // refused at the door or in the worker, before anything started
] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/**
 * How it ended. `unknown`: the answer was lost and the effect may or may not have happened.
 */
export const OUTCOMES = [
  'ok',
  'denied',
  'refused',
  'failed',
  'cancelled',
  'expired',
  'rejected',
  'executed',
  'unknown',
  'pending',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One row of the append-only record. */
export type AuditEntry = {
  /** `<workflowId>:<firstRunId>:<seq>`, or another unique text. A repeat with the same key writes nothing. */
  readonly key: string;
  readonly tenant: string;
  readonly callId: string;
  readonly event: AuditEvent;
  readonly final: boolean;
  readonly outcome: Outcome;
  /** Refusal code or fault class; never free text from outside. */
  readonly reason?: string;
  readonly tool: string;
  readonly subject: string;
  readonly actor?: string;
  readonly customerId?: string;
  readonly assurance?: Assurance;
  readonly inputHash?: string;
  readonly resultHash?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly requestId?: string;
  readonly transport?: string;
  /** Facts worth keeping: digest, cache hit, approver. No personal data. */
  readonly details?: JsonObject;
  /** Goes to the outbox with the row, in the same statement; not part of the record. */
  readonly publishes?: OutgoingEvent;
  /** ISO 8601, real time: when it happened, not when it was written. */
  readonly at: string;
};

export interface AuditLog {
  /** Appends, and publishes with the rows. A key seen before is a no-op, for its event, too. Durable when it returns. */
  append(entries: readonly AuditEntry[]): Promise<void>;
}

export type AuditFilter = {
  readonly callId?: string;
  readonly tool?: string;
  readonly subject?: string;
  readonly outcome?: Outcome;
  readonly finalOnly?: boolean;
  /** Rows before this position, for paging backwards. */
  readonly before?: number;
  readonly limit: number;
};

export interface AuditReader {
  /** Newest first. */
  list(tenant: string, filter: AuditFilter): Promise<readonly (AuditEntry & { readonly position: number })[]>;
}
