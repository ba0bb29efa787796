import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** How a run began, as its history says. */
export type Beginning = {
  /** What it was started with; undefined when that is nothing, or no JSON. */
  readonly argument: unknown;
  readonly firstRunId: string;
};

export async function beginningOf(client: Client, workflowId: string, runId: string): Promise<Beginning> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const data = started?.input?.payloads?.[0]?.data;
  const firstRunId = started?.firstExecutionRunId;
  return {
    argument: data ? parsed(new TextDecoder().decode(data)) : undefined,
    firstRunId: firstRunId === undefined || firstRunId === null || firstRunId === '' ? runId : firstRunId,
  };
}

/** Undefined when somebody started it with something that is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined: there is no such workflow. */
export async function statusOf(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
