/**
 * Writes one history per way a run can go to tests/histories, for replay.test.ts:
 *
 *   node --import tsx tests/workflows/record-histories.ts <version> [<first part of the names>]
 *
 * Run it before a release that changes workflows. Files of earlier versions stay: runs of theirs may still be open.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { PaymentTask } from '../../activities/payments/charge-payment.ts';
import type { IntentState } from '../../domain/payments.ts';
import { POLICY_KEEPER_ID, type PolicyRunOf } from '../../domain/policy-keeping.ts';
import type { PromotionOf } from '../../domain/promotions.ts';
import { PROMOTION_CHANGED, queueName, WORKFLOWS } from '../../domain/queues.ts';
import { wakePolicyKeeper } from '../../workers/keep-policies.ts';
import { promotionTimerId } from '../../workers/keep-promotions.ts';
import { lead, manager, SHOP } from '../approvals/room.ts';
import { orderStage } from './order-stage.ts';
import { openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

const HISTORIES = fileURLToPath(new URL('../histories/', import.meta.url));

const WAYS: Readonly<Record<string, (stage: Stage) => Promise<WorkflowHandle>>> = {
  'run-read.ok': async (stage) => ended(await stage.startRead(await stage.read('warehouses', {}))),
  'run-read.refused': async (stage) =>
    ended(await stage.startRead(await stage.read('cancel_action', { action_id: 'none' }))),
  'run-read.unsealed': async (stage) => ended(await stage.startRead({ tool: 'warehouses' })),
  'run-action.executed': async (stage) => {
    const plan = await stage.ask({ quantity: 1 });
    await stage.decide(plan, manager);
    await stage.decide(plan, lead);
    return ended(stage.handle(plan));
  },
  'run-action.signal': async (stage) => {
    const plan = await stage.ask({ quantity: 2 });
    await stage.signal(plan, 'garbage');
    const { code } = await stage.room.desk.issueCode(lead, plan.callId, 'approve');
    await stage.signal(plan, { decision: 'approve', approver: lead.subject, code });
    return ended(stage.handle(plan));
  },
  'run-action.rejected': async (stage) => {
    const plan = await stage.ask({ quantity: 3 });
    await stage.decide(plan, lead, 'reject');
    return ended(stage.handle(plan));
  },
  'run-action.expired': async (stage) =>
    ended(stage.handle(await stage.ask({ quantity: 4, expiresInMs: 300 }))),
  'run-action.withdrawn': async (stage) => {
    const plan = await stage.ask({ quantity: 5 });
    await stage.room.desk.cancel(manager, plan.callId);
    await stage.handle(plan).signal('nudge');
    return ended(stage.handle(plan));
  },
  'run-action.cancelled': async (stage) => {
    const plan = await stage.ask({ quantity: 6 });
    await stage.handle(plan).cancel();
    return ended(stage.handle(plan));
  },
  'run-action.refused': async (stage) => {
    const plan = await stage.ask({ quantity: 1_000 });
    await stage.decide(plan, lead);
    return ended(stage.handle(plan));
  },
  'run-action.unsealed': async (stage) =>
    ended(await stage.start({ ...(await stage.ask({ quantity: 7 })), callId: 'forged', seal: '' })),
  'run-action.waiting': async (stage) => {
    const handle = stage.handle(await stage.ask({ quantity: 8 }));
    await until(async () => ((await handle.fetchHistory()).events?.length ?? 0) > 10, 'the run to wait');
    return handle;
  },
  'order-lifecycle.delivered': async () => {
    const life = await orders.place('Placed', 60_000);
    await orders.intend(life);
    await orders.wake(life);
    await until(async () => (await orders.state(life)) === 'PaymentPending', 'the charge');
    for (const kind of ['payment_succeeded', 'packed', 'shipped', 'delivered'] as const) {
      await orders.tell(life, kind);
      await orders.wake(life);
    }
    return ended(orders.handle(life));
  },
  'order-lifecycle.unpaid': async () => {
    const life = await orders.place('Placed', 400);
    await orders.wake(life);
    return ended(orders.handle(life));
  },
  'order-lifecycle.waiting': async () => {
    const life = await orders.place('Confirmed');
    for (const kind of ['packed', 'payment_failed'] as const) {
      await orders.tell(life, kind);
      await orders.wake(life);
    }
    await until(
      async () => (await orders.told(life)).every(({ verdict }) => verdict !== null),
      'the verdicts',
    );
    return orders.handle(life);
  },
  'settle-payment.refunded': async (stage) => ended(await settle(stage, 'pi_slow')),
  'settle-payment.waiting': async (stage) => {
    const handle = await settle(stage, 'pi_pending');
    await until(async () => (await eventsOf(handle)).includes(TIMER), 'the pause');
    return handle;
  },
  'promotion-timer.ended': async (stage) => ended(await keepTime(stage, 'prm_short')),
  'promotion-timer.changed': async (stage) => {
    const handle = await keepTime(stage, 'prm_changed');
    await until(async () => (await eventsOf(handle)).includes(TIMER), 'the timer');
    await handle.signal(PROMOTION_CHANGED, {});
    return ended(handle);
  },
  'promotion-timer.waiting': async (stage) => {
    const handle = await keepTime(stage, 'prm_long');
    await until(async () => (await eventsOf(handle)).includes(TIMER), 'the timer');
    return handle;
  },
  'policy-ingest.published': async (stage) => ended(await ingest(stage, 'r_good')),
  'policy-ingest.refused': async (stage) => ended(await ingest(stage, 'r_refused')),
  'policy-ingest.failed': async (stage) => ended(await ingest(stage, 'r_broken')),
  'policy-keeper.waiting': async ({ temporal }) => {
    await wakePolicyKeeper(temporal);
    const handle = temporal.client.workflow.getHandle(POLICY_KEEPER_ID);
    // One run that is published, one that fails, and then the wait, which news end once.
    await until(async () => (await eventsOf(handle)).includes(TIMER), 'the wait');
    await wakePolicyKeeper(temporal);
    await until(async () => timersIn(await eventsOf(handle)) === 2, 'the second wait');
    return handle;
  },
};

const TIMER = 'EVENT_TYPE_TIMER_STARTED';

/** In order; the last one for ever. Workflows know of activities what these answer, and no more. */
function answers<T>(said: Readonly<Record<string, readonly T[]>>) {
  const asked = new Map<string, number>();
  return async (id: string): Promise<T> => {
    const n = asked.get(id) ?? 0;
    asked.set(id, n + 1);
    const own = said[id] ?? [];
    const answer = own[Math.min(n, own.length - 1)];
    if (answer === undefined) throw new Error(`Nothing is to be said about ${id}.`);
    return answer;
  };
}

const refunding = answers<IntentState>({ pi_slow: ['charging', 'refunded'], pi_pending: ['pending'] });
const announcing = answers<{ readonly nextInMs: number | null }>({
  prm_short: [{ nextInMs: 100 }, { nextInMs: null }],
  prm_changed: [{ nextInMs: 600_000 }, { nextInMs: null }],
  prm_long: [{ nextInMs: 600_000 }],
});
const stepping = answers<boolean>({
  r_good: [false, false, false, true],
  r_refused: [true],
  k_good: [false, false, false, true],
});
const asking = answers<{ readonly runId: string | null; readonly waitMs: number }>({
  keeper: [
    { runId: 'k_good', waitMs: 0 },
    { runId: 'k_broken', waitMs: 0 },
    { runId: null, waitMs: 600_000 },
  ],
});
const BESIDE = {
  next_policy_run: () => asking('keeper'),
  policy_step: async ({ runId }: PolicyRunOf) => {
    if (runId.endsWith('_broken')) throw ApplicationFailure.nonRetryable('The source is away.');
    return { isOver: await stepping(runId) };
  },
  fail_policy_run: async () => undefined,
  refund_payment: ({ intentId }: PaymentTask) => refunding(intentId),
  announce_promotion: ({ promotionId }: PromotionOf) => announcing(promotionId),
};

function ingest({ temporal }: Stage, runId: string): Promise<WorkflowHandle> {
  return temporal.client.workflow.start(WORKFLOWS.policyRun, {
    workflowId: `policy-ingest-${runId}`,
    taskQueue: queueName(temporal.queuePrefix, 'lifecycle'),
    args: [{ runId }],
  });
}

function timersIn(events: readonly string[]): number {
  return events.filter((event) => event === TIMER).length;
}

function settle({ temporal }: Stage, intentId: string): Promise<WorkflowHandle> {
  return temporal.client.workflow.start(WORKFLOWS.payment, {
    workflowId: `settle-${intentId}`,
    taskQueue: queueName(temporal.queuePrefix, 'lifecycle'),
    args: [{ tenant: SHOP, intentId }],
  });
}

function keepTime({ temporal }: Stage, promotionId: string): Promise<WorkflowHandle> {
  const of: PromotionOf = { tenant: SHOP, promotionId };
  return temporal.client.workflow.signalWithStart(WORKFLOWS.promotion, {
    workflowId: promotionTimerId(of),
    taskQueue: queueName(temporal.queuePrefix, 'lifecycle'),
    args: [of],
    signal: PROMOTION_CHANGED,
    signalArgs: [{}],
  });
}

async function ended(handle: WorkflowHandle): Promise<WorkflowHandle> {
  // How it ended is in the history.
  await handle.result().catch(() => undefined);
  return handle;
}

async function eventsOf(handle: WorkflowHandle): Promise<readonly string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).map(({ eventType }) => proto.temporal.api.enums.v1.EventType[eventType ?? 0] ?? '');
}

const version = process.argv[2] ?? '';
if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error('Which version? For example 0.1.0.');
const stage = await openStage();
const orders = await orderStage(stage);
await orders.work(undefined, BESIDE);
const wanted = process.argv[3] ?? '';
for (const [name, run] of Object.entries(WAYS)) {
  if (!name.startsWith(wanted)) continue;
  const handle = await run(stage);
  const bytes = proto.temporal.api.history.v1.History.encode(await handle.fetchHistory()).finish();
  // The bytes decide; the names of the events are for people who read a difference.
  const file = { events: await eventsOf(handle), history: Buffer.from(bytes).toString('base64') };
  await writeFile(`${HISTORIES}${name}.${version}.json`, `${JSON.stringify(file, null, 2)}\n`);
  process.stdout.write(`${name}\n`);
}
await stage.close();
process.exit(0);
