import type { Client } from '@temporalio/client';
import type { PublishedEvent, Reaction } from '../domain/events.ts';
import { queueName, WORKFLOWS } from '../domain/queues.ts';

export type SettleDeps = { readonly client: Client; readonly queuePrefix: string };

/** What is to be settled. `eventId`: of the event that said so first, which names the run. */
export type Settling = {
  readonly tenant: string;
  readonly intentId: string;
  /** Public order number. */
  readonly orderId: string;
  readonly eventId: string;
};

/** Money that must go back, or may have to, is seen to by a workflow of its own: one for each event. */
export function settlePayments(deps: SettleDeps): Reaction {
  return {
    consumer: 'settle-payments',
    topics: ['refund_due', 'payment_unresolved'],
    react: async ({ tenant, eventId, key, payload }) => {
      const intentId = intentIn(payload);
      if (intentId !== undefined) await settle(deps, { tenant, intentId, orderId: key, eventId });
    },
  };
}

/**
 * It starts again after it has ended, however it did: what is not due any more does not happen, and the provider gives
 * an intent's money back once.
 */
export async function settle({ client, queuePrefix }: SettleDeps, settling: Settling): Promise<void> {
  const { tenant, intentId, orderId } = settling;
  await client.workflow.start(WORKFLOWS.payment, {
    workflowId: settlingId(settling),
    taskQueue: queueName(queuePrefix, 'lifecycle'),
    args: [{ tenant, intentId }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `Settle the payment of order ${orderId}`,
  });
}

export function settlingId({ tenant, eventId }: Pick<Settling, 'tenant' | 'eventId'>): string {
  return `settle-${tenant}-${eventId}`;
}

function intentIn({ intent_id: intentId }: PublishedEvent['payload']): string | undefined {
  return typeof intentId === 'string' ? intentId : undefined;
}
