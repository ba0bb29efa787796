import type { Ballot, Verdict } from './approval.ts';
import type { AuditEntry } from './audit.ts';
import type { JsonObject } from './json.ts';
import type { ActionPlan, ReadPlan } from './plan.ts';

/** How plans are run. Behind an interface, so that another executor (group commit) can take its place. */
export interface Runs {
  /**
   * Runs a read to its end and returns the tool's output, personal fields still sealed.
   * A plan with the id of an earlier run answers that run's result. Aborting `signal` cancels the workflow.
   * @throws {Refusal} busy, unavailable, and whatever the body refused with.
   */
  read(plan: ReadPlan, options?: { readonly signal?: AbortSignal }): Promise<JsonObject>;
  /** Starts an action's workflow; a no-op when it is already running. @throws {Refusal} unavailable */
  startAction(plan: ActionPlan): Promise<void>;
  /** Hands a ballot to the workflow and waits for its verdict. @throws {Refusal} unavailable, action_closed */
  vote(actionId: string, ballot: Ballot): Promise<Verdict>;
  /** Tells the workflow to look at its action again. Never throws: Postgres is the authority. */
  nudge(actionId: string): Promise<void>;
  /** Writes entries by a durable workflow: for the record that Postgres cannot take now. @throws {Refusal} unavailable */
  oweAudit(entries: readonly AuditEntry[]): Promise<void>;
}
