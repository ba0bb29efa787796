import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { POLICY_NEWS, type PolicyActivities } from '../domain/policy-keeping.ts';
import { policyIngest } from './policy-ingest.ts';

export const policyNewsSignal = defineSignal<[unknown]>(POLICY_NEWS);

/** Postgres knows what is asked and what is due; while it is away, everything waits for it. */
const { next_policy_run, fail_policy_run } = proxyActivities<
  Pick<PolicyActivities, 'next_policy_run' | 'fail_policy_run'>
>({
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '1s', maximumInterval: '1 minute' },
});

/** Business time can be moved under a timer, so none is trusted for longer. */
const LONGEST_MS = 60 * 60 * 1000;
const MOST_ROUNDS = 200;

/**
 * Keeps the policies: looks at their source every hour and whenever somebody asks, one run after the other, and wakes
 * when superseded text is to be deleted. One per installation, for ever.
 *
 * A signal says only that it is time to look: what is asked stands in Postgres.
 */
export async function policyKeeper(): Promise<void> {
  const news = { isWoken: false };
  setHandler(
    policyNewsSignal,
    () => {
      news.isWoken = true;
    },
    { description: 'Look at what is asked of the policies. Needs no content.' },
  );
  await CancellationScope.nonCancellable(() => keep(news));
}

async function keep(news: { isWoken: boolean }): Promise<void> {
  for (let round = 1; ; round += 1) {
    news.isWoken = false;
    const { runId, waitMs } = await next_policy_run();
    if (runId !== null) await run(runId);
    else await condition(() => news.isWoken, Math.max(Math.min(waitMs, LONGEST_MS), 1));
    if (round >= MOST_ROUNDS || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof policyKeeper>();
  }
}

async function run(runId: string): Promise<void> {
  try {
    await executeChild(policyIngest, {
      workflowId: `policy-ingest-${runId}`,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [{ runId }],
      staticSummary: `Policies: ${runId}`,
    });
  } catch {
    // Why, its own history says. The keeper goes on.
  }
  // A run that has ended is not touched by this.
  await fail_policy_run({ runId });
}
