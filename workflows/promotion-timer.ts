import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { PromotionActivities, PromotionOf } from '../domain/promotions.ts';
import { PROMOTION_CHANGED } from '../domain/queues.ts';

export const promotionChangedSignal = defineSignal<[unknown]>(PROMOTION_CHANGED);

/** Postgres knows when; while it is away, everything waits for it. */
const { announce_promotion } = proxyActivities<PromotionActivities>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** Business time can be moved under a timer, so none is trusted for longer. */
const LONGEST_MS = 6 * 60 * 60 * 1000;

/**
 * The time of one promotion: wakes at its start and at its end and has them announced, once each. Prices do not wait
 * for it; they are derived from their schedule at the moment of asking.
 *
 * A signal says only that it is time to look again: whoever reaches Temporal can send one. What is due is decided
 * where the promotion is kept. Ends with the promotion, and starts again when that is changed.
 */
export async function promotionTimer(of: PromotionOf): Promise<void> {
  const news = { isWoken: false };
  setHandler(
    promotionChangedSignal,
    () => {
      news.isWoken = true;
    },
    { description: 'Look at the promotion again. Needs no content.' },
  );
  // A promotion is withdrawn in the shop, not by cancelling its timer.
  await CancellationScope.nonCancellable(() => keepTime(of, news));
}

async function keepTime(of: PromotionOf, news: { isWoken: boolean }): Promise<void> {
  for (;;) {
    news.isWoken = false;
    const { nextInMs } = await announce_promotion(of);
    if (news.isWoken) continue;
    if (nextInMs === null) return;
    await condition(() => news.isWoken, Math.max(Math.min(nextInMs, LONGEST_MS), 1));
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof promotionTimer>(of);
  }
}
