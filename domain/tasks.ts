import type { ActionState } from './action.ts';
import type { CastBallot, Standing, Verdict } from './approval.ts';
import type { AuditEntry } from './audit.ts';
import type { Ending } from './action.ts';
import type { JsonObject } from './json.ts';
import type { ActionPlan, ReadPlan } from './plan.ts';

/** Which run of which workflow asks; part of the key of its audit row. */
export type RunIds = { readonly workflowId: string; readonly firstRunId: string };

/** What the activity of a read is given. */
export type ReadTask = { readonly plan: ReadPlan; readonly run: RunIds };

/** What it answers. `owed`: the row that Postgres could not take, for the workflow to write later. */
export type ReadAnswer = { readonly output: JsonObject; readonly owed?: AuditEntry };

/** What the activity of an action is given, and what it answers. */
export type ActionTask = { readonly plan: ActionPlan; readonly run: RunIds; readonly step: string };
export type ActionAnswer = { readonly result: JsonObject; readonly message: string };

/** What became of a plan at the worker's door. */
export type Opened =
  { readonly ok: true; readonly state: ActionState; readonly standing: Standing } | { readonly ok: false };

/** Activities of the platform itself, beside one for each body. Registered on every worker. */
export interface PlatformActivities {
  /** Checks seal and claim of a plan; a plan that is neither is recorded, and nothing else happens. */
  openAction(task: { readonly plan: ActionPlan; readonly run: RunIds }): Promise<Opened>;
  judgeBallot(task: { readonly plan: ActionPlan; readonly cast: CastBallot }): Promise<Verdict>;
  closeAction(task: { readonly plan: ActionPlan; readonly ending: Ending }): Promise<ActionState>;
  recordAudit(entries: readonly AuditEntry[]): Promise<void>;
}
