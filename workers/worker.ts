import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { type QueueKind, queueName } from '../domain/queues.ts';
import type { Logger } from '../platform/log.ts';
import type { Activities } from './activities.ts';
import { PAYLOAD_CONVERTER_PATH } from './bundle.ts';
import { refusalInterceptor } from './refusal-interceptor.ts';

/** A worker that is polling. */
export type Running = {
  /** Stops polling, lets what runs end within the grace period, and resolves when it has. */
  stop(): Promise<void>;
};

/** Settings by kind of work. Reads are short and many; actions wait for people and cost almost nothing meanwhile. */
const SETTINGS: Readonly<Record<QueueKind, Partial<WorkerOptions>>> = {
  reads: { maxCachedWorkflows: 200, maxConcurrentLocalActivityExecutions: 100 },
  'slow-reads': { maxCachedWorkflows: 100, maxConcurrentActivityTaskExecutions: 50 },
  actions: { maxCachedWorkflows: 500, maxConcurrentActivityTaskExecutions: 20 },
  lifecycle: {
    // An order that is not cached is replayed at each event.
    maxCachedWorkflows: 2_000,
    maxConcurrentActivityTaskExecutions: 20,
    maxConcurrentLocalActivityExecutions: 20,
    // Tasks come in floods: when many wait, more ask.
    workflowTaskPollerBehavior: { type: 'autoscaling' },
  },
};

/** What every worker has, whatever it works on. */
export const COMMON = {
  // A workflow whose worker died waits this long for it before any other takes its task.
  stickyQueueScheduleToStartTimeout: '1s',
  shutdownGraceTime: '5s',
  shutdownForceTime: '15s',
} as const;

export function settingsOf(kind: QueueKind): Partial<WorkerOptions> {
  return { ...COMMON, ...SETTINGS[kind] };
}

export type WorkerDeps = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly queuePrefix: string;
  readonly activities: Activities;
  readonly bundle: { readonly code: string };
  readonly log: Logger;
  /** Told when a worker ends without having been asked to. */
  readonly onDeath: (error: unknown) => void;
};

/** Starts polling one queue. */
export async function startOn(kind: QueueKind, deps: WorkerDeps): Promise<Running> {
  const worker = await Worker.create({
    ...settingsOf(kind),
    connection: deps.connection,
    namespace: deps.namespace,
    taskQueue: queueName(deps.queuePrefix, kind),
    workflowBundle: deps.bundle,
    dataConverter: { payloadConverterPath: PAYLOAD_CONVERTER_PATH },
    activities: deps.activities,
    interceptors: { activity: [() => ({ inbound: refusalInterceptor(deps.log) })] },
  });
  let isAsked = false;
  const done = worker.run().catch((error: unknown) => {
    // Asked to stop, it may still have had to give up on what ran.
    if (!isAsked) deps.onDeath(error);
  });
  return {
    stop: async () => {
      isAsked = true;
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await done;
    },
  };
}
