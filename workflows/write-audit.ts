import { ParentClosePolicy, proxyActivities, startChild, workflowInfo } from '@temporalio/workflow';
import { siblingQueue, WORKFLOWS } from '../domain/queues.ts';
import type { OwedRows } from '../domain/seals.ts';
import type { PlatformActivities } from '../domain/tasks.ts';

const { recordAudit } = proxyActivities<PlatformActivities>({
  startToCloseTimeout: '15s',
  // For ever: a row that is owed is written when the database is back, and not before.
  retry: { initialInterval: '1s', maximumInterval: '1 minute' },
});

/** Rows that Postgres could not take when they were made. */
export async function writeAudit(owed: OwedRows): Promise<void> {
  await recordAudit(owed);
}

/** Leaves the rows to a run of their own, which outlives this one. */
export async function owe(owed: OwedRows): Promise<void> {
  const { workflowId, firstExecutionRunId, taskQueue } = workflowInfo();
  await startChild(WORKFLOWS.audit, {
    workflowId: `audit-${workflowId}-${firstExecutionRunId}`,
    taskQueue: siblingQueue(taskQueue, 'lifecycle'),
    args: [owed],
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
}
