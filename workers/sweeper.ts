import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { LRUCache } from 'lru-cache';
import { isOwnPlan } from '../activities/actions/own-plan.ts';
import type { ActionCourt, ActionDesk, Ending } from '../domain/action.ts';
import type { AuditLog } from '../domain/audit.ts';
import type { EventKeeping } from '../domain/events.ts';
import type { OrderSweep } from '../domain/order-life.ts';
import type { PaymentSweep } from '../domain/payments.ts';
import type { ActionPlan } from '../domain/plan.ts';
import type { PromotionSweep } from '../domain/promotions.ts';
import { queueName, SEARCH_ATTRIBUTES, WORKFLOWS } from '../domain/queues.ts';
import { callEnded, unsealedPlan } from '../domain/record.ts';
import type { Seals } from '../domain/seals.ts';
import type { Logger } from '../platform/log.ts';
import { beginningOf, statusOf } from './history.ts';
import { sweepOrders } from './sweep-orders.ts';
import { sweepPages } from './sweep-pages.ts';
import { sweepPayments } from './sweep-payments.ts';
import { sweepPromotions } from './sweep-promotions.ts';

export type SweeperDeps = {
  readonly client: Client;
  readonly queuePrefix: string;
  readonly desk: Pick<ActionDesk, 'open'>;
  readonly court: Pick<ActionCourt, 'close'>;
  readonly audit: AuditLog;
  readonly seals: Seals;
  readonly orders: OrderSweep;
  readonly payments: PaymentSweep;
  readonly promotions: PromotionSweep;
  readonly keeping: Pick<EventKeeping, 'forget'>;
  /** 0: events are kept for ever. */
  readonly eventRetentionDays: number;
  readonly log: Logger;
  readonly everyMs?: number;
  /** What was found in order is not asked about again for so long; default: a minute. */
  readonly lookAgainMs?: number;
  /** Younger claims are left to the gateway that made them, and what orders were told to the outbox. */
  readonly graceSeconds?: number;
  readonly pageSize?: number;
};

const PAGE = 500;

/**
 * What nobody waits for any more is put right: an action that was claimed and never started is started; one whose
 * run was ended by hand is closed; a read that was terminated or timed out gets its row;
 * an order, a payment or a promotion whose workflow was ended by hand gets another; old events are forgotten.
 */
export function startSweeper(deps: SweeperDeps): { stop(): Promise<void> } {
  const ttl = deps.lookAgainMs ?? 60_000;
  const inOrder = new LRUCache<string, true>({ max: 10_000, ttl });
  const seen = new LRUCache<string, true>({ max: 10_000, ttl });
  const recorded = new LRUCache<string, true>({ max: 10_000 });
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  const sweeps = [
    () => sweepActions(deps, inOrder),
    () => sweepOrders(deps, seen),
    () => sweepPayments(deps, seen),
    () => sweepPromotions(deps, seen),
    () => forgetEvents(deps),
    () => sweepReads(deps, recorded),
  ];
  const sweep = async () => {
    for (const one of sweeps) {
      await one().catch((error: unknown) => {
        // A server is away, or there is something that nobody can put right: the others are swept all the same, and
        // the next round finds what this one could not.
        deps.log.warn({ err: error }, 'a sweep was cut short');
      });
    }
  };
  const round = async () => {
    await sweep();
    if (!isStopped) wait();
  };
  const wait = () => {
    timer = setTimeout(() => {
      running = round();
    }, deps.everyMs ?? 5_000);
    timer.unref();
  };
  wait();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** Of one round: a backlog is worked off over many, and none of them is long. */
const BATCHES = 5;
const BATCH = 2_000;

async function forgetEvents({ keeping, eventRetentionDays, log }: SweeperDeps): Promise<void> {
  if (eventRetentionDays === 0) return;
  let forgotten = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const now = await keeping.forget(eventRetentionDays, BATCH);
    forgotten += now;
    if (now < BATCH) break;
  }
  if (forgotten > 0) log.info({ events: forgotten }, 'forgot events that every consumer has passed');
}

async function sweepActions(deps: SweeperDeps, inOrder: LRUCache<string, true>): Promise<void> {
  const { graceSeconds = 5, pageSize = PAGE } = deps;
  await sweepPages<ActionPlan>(
    {
      page: (limit, after) => deps.desk.open(graceSeconds, limit, after),
      keyOf: ({ callId }) => callId,
      look: (plan) => sweepAction(deps, plan),
      pageSize,
    },
    inOrder,
  );
}

async function sweepAction(
  { client, queuePrefix, court, log }: SweeperDeps,
  plan: ActionPlan,
): Promise<void> {
  const status = await statusOf(client, plan.callId);
  if (status === 'RUNNING') return;
  if (status === undefined) {
    log.info({ action_id: plan.callId }, 'starting an action that had lost its workflow');
    await startAgain(client, queuePrefix, plan);
    return;
  }
  const ending = endingOf(status);
  log.warn({ action_id: plan.callId, status, state: ending.state }, 'closing an action whose run has ended');
  await court.close(plan, ending);
}

async function startAgain(client: Client, queuePrefix: string, plan: ActionPlan): Promise<void> {
  try {
    await client.workflow.start(WORKFLOWS.action, {
      workflowId: plan.callId,
      taskQueue: queueName(queuePrefix, 'actions'),
      args: [plan],
      staticSummary: plan.title,
      typedSearchAttributes: attributesOf(plan),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
  } catch (error) {
    // Its gateway was only slow.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** As the gateway sets them. */
function attributesOf({ tool, caller, approval }: ActionPlan) {
  const values: Record<(typeof SEARCH_ATTRIBUTES)[number], string> = {
    ToolName: tool,
    ShopId: caller.tenant,
    RequestedBy: caller.subject,
    ActionState: 'pending_approval',
    ApproverRole: approval.role,
  };
  return SEARCH_ATTRIBUTES.map((name) => ({
    key: defineSearchAttributeKey(name, 'KEYWORD'),
    value: values[name],
  }));
}

/**
 * The run of an open action has ended: by hand, or by a fault of ours. The state says for certain that no effect is
 * committed, and once it is closed none can be (`Effects.once`).
 */
function endingOf(status: string): Ending {
  const isByHand = status === 'CANCELLED' || status === 'TERMINATED';
  const state = isByHand ? 'cancelled' : 'failed';
  const message = isByHand ? 'Its run was ended by an operator.' : 'Its run ended without an outcome.';
  return {
    state,
    reason: { code: `run_${status.toLowerCase()}`, message: `${message} Nothing was changed.` },
  };
}

/** Reads that Temporal ended and that therefore could not leave their own row. */
async function sweepReads(deps: SweeperDeps, recorded: LRUCache<string, true>): Promise<void> {
  const since = new Date(Date.now() - 60 * 60 * 1_000).toISOString();
  const query =
    `WorkflowType = '${WORKFLOWS.read}' AND ExecutionStatus IN ('Terminated', 'TimedOut') ` +
    `AND CloseTime > '${since}' AND TaskQueue STARTS_WITH '${deps.queuePrefix}-'`;
  for await (const { workflowId, runId, status } of deps.client.workflow.list({ query })) {
    if (recorded.has(runId)) continue;
    await recordEnded(deps, workflowId, runId, status.name);
    recorded.set(runId, true);
  }
}

async function recordEnded(
  { client, audit, seals }: SweeperDeps,
  workflowId: string,
  runId: string,
  status: string,
): Promise<void> {
  const { argument: plan, firstRunId } = await beginningOf(client, workflowId, runId);
  const run = { workflowId, firstRunId };
  const at = new Date().toISOString();
  if (!isOwnPlan(seals, plan, run)) {
    await audit.append([unsealedPlan(plan, run, at)]);
    return;
  }
  const outcome = status === 'TIMED_OUT' ? 'failed' : 'cancelled';
  await audit.append([callEnded(plan, run, { outcome, reason: `run_${status.toLowerCase()}`, at })]);
}
