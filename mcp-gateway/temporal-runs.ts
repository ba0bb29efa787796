import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  type WorkflowHandleWithStartDetails,
  WorkflowNotFoundError,
  type WorkflowStartOptions,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  ServiceError,
  isGrpcServiceError,
} from '@temporalio/client';
import { CancelledFailure, defineSearchAttributeKey, TimeoutFailure } from '@temporalio/common';
import type { Verdict } from '../domain/approval.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Plan, ReadPlan } from '../domain/plan.ts';
import { APPROVAL, NUDGE, WORKFLOWS, queueName } from '../domain/queues.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Runs } from '../domain/runs.ts';
import type { Seals } from '../domain/seals.ts';
import type { Rendezvous } from '../platform/rendezvous.ts';
import { type FairQueue, QueueFull } from './fair-queue.ts';
import { refusalIn } from './failures.ts';

/** The caller took the request back; its workflow has been told. */
export class RequestCancelled extends Error {
  constructor() {
    super('The request was cancelled by the caller');
    this.name = 'RequestCancelled';
  }
}

export type TemporalRunsOptions = {
  readonly client: Client;
  readonly queuePrefix: string;
  readonly queue: FairQueue;
  /** Told how long each start took, or did not come: it shows whether Temporal keeps up. */
  readonly onStart?: (ms: number) => void;
  /** Only with a client on the connection of a worker in this process. */
  readonly eager: boolean;
  /** Reads whose body waits for others (carriers, retrieval) have a queue of their own. */
  readonly isSlow: (tool: string) => boolean;
  /** Rows of the record travel sealed: whoever reaches Temporal could send others. */
  readonly seals: Pick<Seals, 'sealRows'>;
  /** How long Temporal may take to answer one request. */
  readonly answerMs?: number;
  /** Where the worker of this process hands over what a read has answered, its row written. */
  readonly answers?: Rendezvous<JsonObject>;
};

/** Enough for a start, and short enough that a dead worker's task is taken over while the caller still waits. */
const WORKFLOW_TASK_TIMEOUT = '3s';
/** A start that was eager is worked on in this process: how long its answer may take before Temporal is asked for it. */
const OWN_ANSWER_MS = 25;
/** What a read may take beyond its body: queues, retries of workflow tasks, a takeover. */
const MARGIN_SECONDS = 10;
const TEMPORAL_GONE =
  'The durable engine (Temporal) does not answer. Nothing was changed; try again in a minute. ' +
  'Operators: /health names what is down.';

const TOO_SLOW =
  'The answer did not come in time: more is asked for than can be done at the moment. A repeat is safe; try again in a minute.';

const VOTE_UNSURE =
  'The durable engine (Temporal) does not answer, so it is not known whether this vote arrived. ' +
  'Look at the action before you vote again; a person’s vote counts once.';

/** Plans as Temporal workflows. */
export function temporalRuns(options: TemporalRunsOptions): Runs {
  const { client, queue } = options;
  const answerMs = options.answerMs ?? 4000;
  const soon = <T>(call: () => Promise<T>) => within(client, answerMs, call);

  async function begin(
    type: string,
    plan: Plan,
    more: Partial<WorkflowStartOptions>,
  ): Promise<WorkflowHandle | WorkflowHandleWithStartDetails> {
    const from = performance.now();
    try {
      return await soon(() => client.workflow.start(type, { ...startOptions(options, plan), ...more }));
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError)
        return client.workflow.getHandle(plan.callId);
      throw asRefusal(error);
    } finally {
      options.onStart?.(performance.now() - from);
    }
  }

  return {
    async read(plan, { signal } = {}) {
      try {
        return await queue.run(
          plan.caller.tenant,
          async () => {
            // Waited for before the start: the worker of this process may be done before the start has answered.
            const own = options.answers?.expect(plan.callId);
            try {
              const handle = await begin(WORKFLOWS.read, plan, readOptions(options, plan));
              return await outcomeOf({ handle, plan, own: own?.value, signal }, options);
            } finally {
              own?.forget();
            }
          },
          signal,
        );
      } catch (error) {
        if (error instanceof QueueFull) {
          throw new Refusal('busy', 'Too many requests are under way. Try again in a few seconds.');
        }
        if (signal?.aborted === true) throw new RequestCancelled();
        throw error;
      }
    },

    async startAction(plan) {
      await begin(WORKFLOWS.action, plan, {
        taskQueue: queueName(options.queuePrefix, 'actions'),
        staticSummary: plan.title,
        typedSearchAttributes: [
          ...attributes(plan),
          { key: ACTION_STATE, value: 'pending_approval' },
          { key: APPROVER_ROLE, value: plan.approval.role },
        ],
      });
    },

    async vote(actionId, ballot) {
      const handle = client.workflow.getHandle(actionId);
      try {
        const cast = () =>
          handle.executeUpdate<Verdict | undefined, [typeof ballot]>(APPROVAL, { args: [ballot] });
        const verdict = await soon(cast);
        if (verdict !== undefined) return verdict;
        throw new Refusal('busy', 'Too many votes wait to be judged. Try again in a minute.');
      } catch (error) {
        if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) {
          throw new Refusal(
            'action_closed',
            'This action has already ended; nothing can be decided any more.',
          );
        }
        if (isOutOfReach(error) || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
          throw new Refusal('unavailable', VOTE_UNSURE);
        }
        throw error;
      }
    },

    async nudge(actionId) {
      try {
        await soon(() => client.workflow.getHandle(actionId).signal(NUDGE));
      } catch (error) {
        // Ended or out of reach: the workflow reads Postgres before it does anything, nudged or not.
        if (!(error instanceof WorkflowNotFoundError) && !isOutOfReach(error)) throw error;
      }
    },

    async oweAudit(entries) {
      const keys = entries.map(({ key }) => key).join('\n');
      const workflowId = `audit-${createHash('sha256').update(keys).digest('hex').slice(0, 32)}`;
      try {
        await soon(() =>
          client.workflow.start(WORKFLOWS.audit, {
            workflowId,
            taskQueue: queueName(options.queuePrefix, 'lifecycle'),
            args: [options.seals.sealRows(entries)],
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw asRefusal(error);
      }
    },
  };
}

const TOOL_NAME = defineSearchAttributeKey('ToolName', 'KEYWORD');
const SHOP_ID = defineSearchAttributeKey('ShopId', 'KEYWORD');
const REQUESTED_BY = defineSearchAttributeKey('RequestedBy', 'KEYWORD');
const ACTION_STATE = defineSearchAttributeKey('ActionState', 'KEYWORD');
const APPROVER_ROLE = defineSearchAttributeKey('ApproverRole', 'KEYWORD');

function attributes({ tool, caller }: Plan) {
  return [
    { key: TOOL_NAME, value: tool },
    { key: SHOP_ID, value: caller.tenant },
    { key: REQUESTED_BY, value: caller.subject },
  ];
}

function startOptions({ queuePrefix, eager }: TemporalRunsOptions, plan: Plan): WorkflowStartOptions {
  return {
    workflowId: plan.callId,
    taskQueue: queueName(queuePrefix, 'reads'),
    args: [plan],
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: attributes(plan),
    requestEagerStart: eager,
  };
}

function readOptions(
  { queuePrefix, isSlow }: TemporalRunsOptions,
  plan: ReadPlan,
): Partial<WorkflowStartOptions> {
  return {
    taskQueue: queueName(queuePrefix, isSlow(plan.tool) ? 'slow-reads' : 'reads'),
    // A read nobody waits for any more must not stay open for ever.
    workflowExecutionTimeout: (plan.timeoutSeconds + MARGIN_SECONDS) * 1000,
  };
}

type Started = {
  readonly handle: WorkflowHandle | WorkflowHandleWithStartDetails;
  readonly plan: ReadPlan;
  /** Resolves when a worker of this process has the answer and its row is durable. */
  readonly own: Promise<JsonObject> | undefined;
  readonly signal: AbortSignal | undefined;
};

/**
 * Waits for a read's output, from the worker of this process or from Temporal, whichever has it first; gives up when
 * Temporal has stopped answering or the time is over.
 */
async function outcomeOf(
  { handle, plan, own, signal }: Started,
  { client, answerMs = 4000 }: TemporalRunsOptions,
): Promise<JsonObject> {
  const waiting = new AbortController();
  const withdrawn = takenBack(signal, () => cancelQuietly(client, handle, answerMs));
  const until = Date.now() + (plan.timeoutSeconds + MARGIN_SECONDS) * 1000;
  const isOwn = own !== undefined && 'eagerlyStarted' in handle && handle.eagerlyStarted;
  const asked = isOwn ? pause(OWN_ANSWER_MS, waiting.signal) : Promise.resolve();
  // The payload converter made it from JSON, and a read's output is an object by its schema.
  const result: Promise<JsonObject> = asked.then(() =>
    client.connection.withDeadline(until, () =>
      client.connection.withAbortSignal(waiting.signal, () => handle.result()),
    ),
  );
  // Whoever loses the race ends with the abort; nobody waits for it any more.
  result.catch(() => undefined);
  const never = new Promise<never>(() => undefined);
  try {
    return await Promise.race([
      own ?? never,
      result,
      withdrawn.promise,
      whileAnswering(client, waiting.signal),
    ]);
  } catch (error) {
    throw asRefusal(error);
  } finally {
    withdrawn.forget();
    waiting.abort();
  }
}

/** Rejects once the caller has taken the request back and the workflow has been told; whether it ends is its own business. */
function takenBack(signal: AbortSignal | undefined, tell: () => Promise<void>) {
  let withdraw: () => void = () => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    withdraw = () => void tell().then(() => reject(new RequestCancelled()), reject);
  });
  if (signal?.aborted === true) withdraw();
  else signal?.addEventListener('abort', withdraw, { once: true });
  return { promise, forget: () => signal?.removeEventListener('abort', withdraw) };
}

/** Never resolves; rejects when Temporal fails to answer twice in a row. A long poll alone would hang on a dead server. */
async function whileAnswering(client: Client, over: AbortSignal): Promise<never> {
  for (let failures = 0; ;) {
    await pause(failures === 0 ? 1200 : 300, over);
    const answered = await answers(client);
    failures = answered ? 0 : failures + 1;
    if (failures >= 2) throw new Refusal('unavailable', TEMPORAL_GONE);
  }
}

async function answers(client: Client): Promise<boolean> {
  try {
    await within(client, 1000, () => client.connection.workflowService.getSystemInfo({}));
    return true;
  } catch (error) {
    if (isOutOfReach(error)) return false;
    throw error;
  }
}

/** Resolves after `ms`; never, once `over` is aborted, so that a finished wait leaves no timer behind. */
function pause(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => clearTimeout(timer);
    const timer = setTimeout(() => {
      over.removeEventListener('abort', stop);
      resolve();
    }, ms);
    over.addEventListener('abort', stop, { once: true });
  });
}

async function cancelQuietly(client: Client, handle: WorkflowHandle, answerMs: number): Promise<void> {
  try {
    await within(client, answerMs, () => handle.cancel());
  } catch (error) {
    // Already ended, or Temporal is away and the execution timeout will end it.
    if (!(error instanceof WorkflowNotFoundError) && !isOutOfReach(error)) throw error;
  }
}

/** Temporal was given its time, and did not answer. */
class NoAnswer extends Error {
  constructor() {
    super('Temporal did not answer in time');
    this.name = 'NoAnswer';
  }
}

/**
 * One request to Temporal, for at most `ms`. A deadline alone does not do: the native connection retries, and
 * gives each attempt a deadline of its own.
 */
async function within<T>(client: Client, ms: number, call: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const answer = client.connection.withAbortSignal(over.signal, () =>
    client.connection.withDeadline(Date.now() + ms, call),
  );
  // Once given up on, nobody waits for how it ends.
  answer.catch(() => undefined);
  const silence = pause(ms, over.signal).then(async () => {
    // In a process that was busy all the while, the answer may be here already and only wait for its turn.
    await turn();
    throw new NoAnswer();
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    over.abort();
  }
}

/** Temporal did not answer, or not in time. The client wraps some of these errors and not others. */
function isOutOfReach(error: unknown): boolean {
  return error instanceof NoAnswer || error instanceof ServiceError || isGrpcServiceError(error);
}

/** What the caller is to be told, when it is an expected no; anything else stays a fault. */
function asRefusal(error: unknown): unknown {
  if (error instanceof Refusal) return error;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isOutOfReach(error)) {
    return new Refusal('unavailable', TEMPORAL_GONE);
  }
  if (error instanceof WorkflowFailedError) {
    if (error.cause instanceof CancelledFailure) return new RequestCancelled();
    if (error.cause instanceof TimeoutFailure) return new Refusal('unavailable', TOO_SLOW);
    return refusalIn(error) ?? error;
  }
  return error;
}
