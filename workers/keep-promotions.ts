import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Reaction } from '../domain/events.ts';
import type { PromotionOf } from '../domain/promotions.ts';
import { PROMOTION_CHANGED, queueName, WORKFLOWS } from '../domain/queues.ts';

export type PromotionDeps = {
  readonly client: Client;
  readonly queuePrefix: string;
};

/** A promotion was written, by whatever means: its time is kept from now on. */
export function keepPromotions(deps: PromotionDeps): Reaction {
  return {
    consumer: 'promotion-timers',
    topics: ['promotion_changed'],
    react: async ({ tenant, payload }) => {
      const { promotion_id: promotionId } = payload;
      if (typeof promotionId === 'string') await keepTime(deps, { tenant, promotionId });
    },
  };
}

/** One workflow per promotion. It starts again after it has ended, finds nothing to come, and ends. */
export async function keepTime({ client, queuePrefix }: PromotionDeps, of: PromotionOf): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOWS.promotion, {
    workflowId: promotionTimerId(of),
    taskQueue: queueName(queuePrefix, 'lifecycle'),
    args: [of],
    signal: PROMOTION_CHANGED,
    signalArgs: [{}],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `Promotion ${of.promotionId}`,
    typedSearchAttributes: [{ key: SHOP_ID, value: of.tenant }],
  });
}

const SHOP_ID = defineSearchAttributeKey('ShopId', 'KEYWORD');

/** A public id begins with `prm_` and holds no `-`: no two promotions of two shops share one. */
export function promotionTimerId({ tenant, promotionId }: PromotionOf): string {
  return `promotion-${tenant}-${promotionId}`;
}
