import { workflowInfo } from '@temporalio/workflow';
import type { RunIds } from '../domain/tasks.ts';

export function runIds(): RunIds {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return { workflowId, firstRunId: firstExecutionRunId };
}
