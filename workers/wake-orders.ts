import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { PublishedEvent, Reaction } from '../domain/events.ts';
import type { LifeOf, OrderLives } from '../domain/order-life.ts';
import { orderSummary } from '../domain/order-page.ts';
import { ORDER_EVENT, queueName, WORKFLOWS } from '../domain/queues.ts';

export type WakeDeps = {
  readonly client: Client;
  readonly queuePrefix: string;
  readonly lives: Pick<OrderLives, 'named'>;
};

/** Starts the workflow of an order that was placed, and tells it when there is something to judge. */
export function wakeOrders(deps: WakeDeps): Reaction {
  return {
    consumer: 'order-lifecycle',
    topics: ['order_placed', 'order_event_received'],
    react: async (event) => {
      const life = lifeIn(event) ?? (await deps.lives.named(event.tenant, event.key));
      // An order that was deleted since has no life to tell.
      if (life !== undefined) await wakeOrder(deps, life, event.key, event.eventId);
    },
  };
}

function lifeIn({ tenant, payload }: PublishedEvent): LifeOf | undefined {
  const { order } = payload;
  return typeof order === 'string' ? { tenant, order } : undefined;
}

/** One workflow per order. It starts again after it has ended, finds the order finished, and ends. */
export async function wakeOrder(
  { client, queuePrefix }: Pick<WakeDeps, 'client' | 'queuePrefix'>,
  life: LifeOf,
  orderId: string,
  eventId: string,
): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOWS.order, {
    workflowId: lifecycleId(life),
    taskQueue: queueName(queuePrefix, 'lifecycle'),
    args: [life],
    signal: ORDER_EVENT,
    signalArgs: [{ event_id: eventId }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    // A task whose worker died is taken over after this.
    workflowTaskTimeout: '5s',
    staticSummary: orderSummary(orderId),
    typedSearchAttributes: [{ key: SHOP_ID, value: life.tenant }],
  });
}

const SHOP_ID = defineSearchAttributeKey('ShopId', 'KEYWORD');

/** The internal id ends it, and is digits only: no two orders of two shops share one. */
export function lifecycleId({ tenant, order }: LifeOf): string {
  return `order-${tenant}-${order}`;
}
