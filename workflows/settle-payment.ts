import { proxyActivities, sleep } from '@temporalio/workflow';
import type { SettlementActivities } from '../domain/payments.ts';

/** A provider that cannot be reached is asked for as long as it takes: money of customers is never given up on. */
const { refund_payment } = proxyActivities<SettlementActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10 minutes' },
});

/** Between two looks at a charge that the provider itself is not sure of. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;
/** After which a charge that nobody ends is looked at by another run, which the sweep starts: about two weeks. */
const LOOKS = 350;

/**
 * Gives back what an order paid that has ended, or finds out whether there is anything to give back. Believes nothing
 * but Postgres and the provider: whoever starts it by hand changes nothing that was not due.
 */
export async function settlePayment(task: {
  readonly tenant: string;
  readonly intentId: string;
}): Promise<string> {
  let waitMs = 1000;
  for (let look = 1; look <= LOOKS; look += 1) {
    const state = await refund_payment(task);
    if (state !== 'charging' && state !== 'pending') return state ?? 'unknown';
    await sleep(waitMs);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
  return 'unresolved';
}
