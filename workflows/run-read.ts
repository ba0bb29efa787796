import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { JsonObject } from '../domain/json.ts';
import type { ReadPlan } from '../domain/plan.ts';
import type { PlatformActivities, ReadAnswer, ReadEnding, ReadTask } from '../domain/tasks.ts';
import { refusedBy } from './refuse.ts';
import { runIds } from './run-ids.ts';
import { owe } from './write-audit.ts';

type Bodies = Record<string, (task: ReadTask) => Promise<ReadAnswer>>;

const { endRead } = proxyLocalActivities<PlatformActivities>({
  startToCloseTimeout: '5s',
  retry: { initialInterval: '100ms' },
});

/**
 * Every tool and resource that changes nothing, and the controls of the platform itself.
 *
 * The activity that does the work also writes the row of the record, so that both are one hop. It looks at the
 * seal before anything else, so nothing here believes the plan.
 */
export async function runRead(plan: ReadPlan): Promise<JsonObject> {
  const run = runIds();
  try {
    const { output, owed } = await bodyOf(plan)({ plan, run });
    if (owed) await owe(owed);
    return output;
  } catch (error) {
    // A cancelled scope refuses new activities, and a cancelled read must still leave its row.
    await CancellationScope.nonCancellable(async () => {
      const { owed } = await endRead({ plan, run, ending: endingOf(error) });
      if (owed) await owe(owed);
    });
    throw asFailure(error);
  }
}

/** Anything else than a failure of Temporal's would be tried again for ever: a body that this worker lacks, say. */
function asFailure(error: unknown): unknown {
  return error instanceof TemporalFailure
    ? error
    : ApplicationFailure.nonRetryable('There is no such tool.', 'unknown_tool');
}

function bodyOf(plan: unknown): (task: ReadTask) => Promise<ReadAnswer> {
  const seconds = within(fieldOf(plan, 'timeoutSeconds'), 0.1, 300);
  const options = {
    // Room for a second attempt when the first one hangs.
    startToCloseTimeout: seconds * 600,
    scheduleToCloseTimeout: seconds * 1_000,
    retry: {
      initialInterval: '50ms',
      backoffCoefficient: 3,
      maximumAttempts: within(fieldOf(plan, 'maxAttempts'), 1, 3),
    },
  } as const;
  // Carriers and retrieval hang and are rate limited: they get activities with a queue and slots of their own.
  const isSlow = workflowInfo().taskQueue.endsWith('-slow-reads');
  const bodies = isSlow
    ? proxyActivities<Bodies>({ ...options, heartbeatTimeout: '3s' })
    : proxyLocalActivities<Bodies>(options);
  const body = bodies[nameIn(plan)];
  if (!body) throw new Error('A proxy has every activity.');
  return body;
}

function nameIn(plan: unknown): string {
  const tool = fieldOf(plan, 'tool');
  return typeof tool === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(tool) ? tool : 'no_body';
}

/** The number, moved to the nearer end when it is outside; the upper end when it is none. */
function within(value: unknown, least: number, most: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(Math.max(value, least), most) : most;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

/** How it ended, in codes and classes: the text of an error never gets into the record. */
function endingOf(error: unknown): ReadEnding {
  const at = new Date().toISOString();
  if (isCancellation(error)) return { outcome: 'cancelled', reason: 'cancelled', at };
  const refused = refusedBy(error);
  return refused
    ? { outcome: 'refused', reason: refused.code, at }
    : { outcome: 'failed', reason: 'fault', at };
}
