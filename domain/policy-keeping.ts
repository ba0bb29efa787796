import type { PolicyStep } from './policy-registry.ts';

/** Signal: look at what is asked of the keeper of policies. What that is stands in Postgres; nothing is believed of the signal. */
export const POLICY_NEWS = 'policy_news';

/** One per installation: runs are one after the other. */
export const POLICY_KEEPER_ID = 'policy-keeper';

export type PolicyRunOf = { readonly runId: string };

/** What the workflows that keep the policies ask for. Ids only: what is to be done stands in Postgres. */
export type PolicyActivities = {
  /** The run to do now; else how long nothing is to do. */
  next_policy_run(): Promise<{ readonly runId: string | null; readonly waitMs: number }>;
  /** Does one step of the run, beating on its way. `isOver`: the run has ended. */
  policy_step(of: PolicyRunOf & { readonly step: PolicyStep }): Promise<{ readonly isOver: boolean }>;
  /** The run did not get to its end: it is put on record as failed. */
  fail_policy_run(of: PolicyRunOf): Promise<void>;
};
