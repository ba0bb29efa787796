import { Context } from '@temporalio/activity';
import { EmbedderError, PolicyIndexError } from '../domain/policies.ts';
import type { PolicyActivities } from '../domain/policy-keeping.ts';
import { PolicySourceError } from '../domain/policy-source.ts';
import type { Logger } from '../platform/log.ts';
import { nextRun } from '../policy-index/ingest/next.ts';
import { policyStep } from '../policy-index/ingest/run.ts';
import type { Activities } from './activities.ts';
import type { Policies } from './policies.ts';

/** Well within the heartbeat timeout of `policyIngest`. */
const BEAT_MS = 5_000;

/** What the workflows that keep the policies ask for. Each reads what to do from Postgres, and takes no more than ids. */
export function policyActivities({ ingest }: Pick<Policies, 'ingest'>, log: Logger) {
  const work: PolicyActivities = {
    next_policy_run: async () =>
      nextRun(await ingest(), (error) => log.warn({ err: error }, 'the policy index is away')),
    policy_step: async ({ runId, step }) => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), BEAT_MS);
      const deps = await ingest();
      try {
        return { isOver: await policyStep(deps, step, runId) };
      } catch (error) {
        const why = knownCause(error);
        if (why !== undefined) await deps.runs.note(runId, { progress: `${step}: ${why}` });
        throw error;
      } finally {
        clearInterval(beat);
      }
    },
    fail_policy_run: async ({ runId }) => {
      const { runs } = await ingest();
      const run = await runs.find(runId);
      const detail = [run?.progress ?? '', 'It did not get to its end; its workflow says more.'];
      await runs.end(runId, { status: 'failed', detail: detail.filter((line) => line !== '') });
    },
  };
  return work satisfies Activities;
}

/** These are made of constants, names and addresses; of any other it is not known. */
function knownCause(error: unknown): string | undefined {
  const isKnown =
    error instanceof PolicySourceError || error instanceof PolicyIndexError || error instanceof EmbedderError;
  return isKnown ? error.message : undefined;
}
