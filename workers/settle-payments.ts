import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { PublishedEvent, Reaction } from '../domain/events.ts';
import { queueName, WORKFLOWS } from '../domain/queues.ts';

type SettleDeps = { readonly client: Client; readonly queuePrefix: string };

/** Money that must go back, or may have to, is seen to by a workflow of its own: one for each event. */
export function settlePayments({ client, queuePrefix }: SettleDeps): Reaction {
  return {
    consumer: 'settle-payments',
    topics: ['refund_due', 'payment_unresolved'],
    react: async (event) => {
      const intentId = intentIn(event);
      if (intentId === undefined) return;
      try {
        await client.workflow.start(WORKFLOWS.payment, {
          workflowId: `settle-${event.tenant}-${event.eventId}`,
          taskQueue: queueName(queuePrefix, 'lifecycle'),
          args: [{ tenant: event.tenant, intentId }],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: `Settle the payment of order ${event.key}`,
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
  };
}

function intentIn({ payload }: PublishedEvent): string | undefined {
  const { intent_id: intentId } = payload;
  return typeof intentId === 'string' ? intentId : undefined;
}
