import type { Client } from '@temporalio/client';

/** The first argument a workflow was started with, as its history says; undefined when there is none. */
export async function argumentOf(client: Client, workflowId: string, runId: string): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const data = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  if (!data) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch (error) {
    // Somebody started it with something that is no JSON.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
