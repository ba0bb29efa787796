import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { keysPricing } from '../activities/pricing/keys.ts';
import type { Cache } from '../domain/cache.ts';
import type { PublishedEvent, Reaction } from '../domain/events.ts';
import type { PromotionOf } from '../domain/promotions.ts';
import { PROMOTION_CHANGED, queueName, WORKFLOWS } from '../domain/queues.ts';

export type PromotionDeps = {
  readonly client: Client;
  readonly queuePrefix: string;
  readonly cache: Pick<Cache, 'invalidate'>;
};

/** A promotion was written, by whatever means: voids the prices that do not know of it, and has its time kept. */
export function keepPromotions(deps: PromotionDeps): Reaction {
  return {
    consumer: 'promotions',
    topics: ['promotion_changed'],
    react: async ({ tenant, payload }) => {
      await Promise.all(keysPricing(tenant, volumeIn(payload)).map((key) => deps.cache.invalidate(key)));
      const { promotion_id: promotionId } = payload;
      if (typeof promotionId === 'string') await keepTime(deps, { tenant, promotionId });
    },
  };
}

function volumeIn({ manga_id, volume_number }: PublishedEvent['payload']) {
  return {
    mangaId: typeof manga_id === 'string' ? manga_id : null,
    volumeNumber: typeof volume_number === 'number' ? volume_number : null,
  };
}

/** One workflow per promotion. It starts again after it has ended, finds nothing to come, and ends. */
async function keepTime({ client, queuePrefix }: PromotionDeps, of: PromotionOf): Promise<void> {
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
