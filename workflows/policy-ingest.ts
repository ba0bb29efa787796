import { proxyActivities } from '@temporalio/workflow';
import type { PolicyActivities, PolicyRunOf } from '../domain/policy-keeping.ts';
import { POLICY_STEPS } from '../domain/policy-registry.ts';

/** A step that stops beating has lost its worker; another goes on where it was. */
const { policy_step } = proxyActivities<Pick<PolicyActivities, 'policy_step'>>({
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '1s', maximumInterval: '1 minute', maximumAttempts: 8 },
});

/**
 * One run: read the source, build beside what is live, check, publish. Whoever starts it by hand makes it do what its
 * run in Postgres asks for, or nothing.
 */
export async function policyIngest({ runId }: PolicyRunOf): Promise<void> {
  for (const step of POLICY_STEPS) {
    const { isOver } = await policy_step({ runId, step });
    if (isOver) return;
  }
}
