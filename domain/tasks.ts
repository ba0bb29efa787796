import type { ActionState, Ending } from './action.ts';
import type { CastBallot, Standing, Verdict } from './approval.ts';
import type { Outcome } from './audit.ts';
import type { JsonObject } from './json.ts';
import type { ActionPlan, ReadPlan } from './plan.ts';
import type { OwedRows } from './seals.ts';

/** Which run of which workflow asks; part of the key of its audit row. A reset run keeps its first run's id. */
export type RunIds = { readonly workflowId: string; readonly firstRunId: string };

/** What the activity of a read is given. */
export type ReadTask = { readonly plan: ReadPlan; readonly run: RunIds };

/** What it answers. `owed`: the row that Postgres could not take, for the workflow to have written later. */
export type ReadAnswer = { readonly output: JsonObject; readonly owed?: OwedRows };

/** How a read ended without an answer. `reason` is a refusal code or the class of a fault, never an error's text. */
export type ReadEnding = {
  readonly outcome: Extract<Outcome, 'refused' | 'failed' | 'cancelled'>;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
};

/** What the activity of an action is given, and what it answers: the tool's output and the sentence about it. */
export type ActionTask = { readonly plan: ActionPlan; readonly run: RunIds; readonly step: string };
export type ActionAnswer = { readonly result: JsonObject; readonly message: string };

/** What became of a plan at the worker's door. `ballots`: how many were judged before, in whatever run. */
export type Opened =
  | { readonly ok: true; readonly state: ActionState; readonly standing: Standing; readonly ballots: number }
  | { readonly ok: false };

/**
 * Activities of the platform itself, beside one for each body; registered on every worker. Any workflow that
 * somebody smuggles in can call them, so each looks at the seal first.
 */
export type PlatformActivities = {
  /** Checks seal and claim of a plan; a plan that lacks either is recorded, and nothing else happens. */
  openAction(task: { readonly plan: ActionPlan; readonly run: RunIds }): Promise<Opened>;
  /** @throws {Refusal} plan_unsealed */
  judgeBallot(task: {
    readonly plan: ActionPlan;
    readonly run: RunIds;
    readonly cast: CastBallot;
  }): Promise<Verdict>;
  /** Answers the state that holds. @throws {Refusal} plan_unsealed */
  closeAction(task: {
    readonly plan: ActionPlan;
    readonly run: RunIds;
    readonly ending: Ending;
  }): Promise<ActionState>;
  /** Records how a read ended without an answer, or that its plan was forged. */
  endRead(task: {
    readonly plan: ReadPlan;
    readonly run: RunIds;
    readonly ending: ReadEnding;
  }): Promise<{ readonly owed?: OwedRows }>;
  /** @throws {Refusal} plan_unsealed: the rows were not made here; nothing is written. */
  recordAudit(owed: OwedRows): Promise<void>;
};
