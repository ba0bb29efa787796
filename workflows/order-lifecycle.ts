import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { LifecycleActivities, LifeOf, LifeView } from '../domain/order-life.ts';
import { isFinished } from '../domain/order-lifecycle.ts';
import { orderPage } from '../domain/order-page.ts';
import type { OrderState } from '../domain/orders.ts';
import { ORDER_EVENT } from '../domain/queues.ts';

export const orderEventSignal = defineSignal<[unknown]>(ORDER_EVENT);

/** Postgres is the only state of an order; while it is away, everything waits for it. */
const PATIENT = { initialInterval: '1s', maximumInterval: '30s' } as const;

/** Within the workflow task: one short transaction, and a worker that dies in it is replaced when the task times out. */
const { judge_order_events } = proxyLocalActivities<LifecycleActivities>({
  startToCloseTimeout: '15s',
  retry: PATIENT,
});

/** Asked again for days: a charge whose answer was lost is looked up, never repeated. */
const { charge_payment } = proxyActivities<LifecycleActivities>({
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '30 days',
  retry: PATIENT,
});

/** What has happened while the run was busy. */
type News = { isWoken: boolean };

/** What goes on beside the looking: the payment timer and the charge. */
type Beside = { timer?: CancellationScope | undefined; isCharging: boolean; hasCharged: boolean };

/**
 * The life of one order. Which state it is in, and what it was told, Postgres knows (domain/order-lifecycle.ts); the
 * run brings the order of events and the time.
 *
 * Placed, PaymentPending  the charge runs, and the timer: whichever is told first decides.
 * Confirmed to Shipped, DeliveryFailed, ReturnInitiated  waits for events.
 * Delivered, Cancelled, Refunded  ends at once, when no charge is without its answer.
 *
 * A signal says only that it is time to look: whoever reaches Temporal can send one. The same holds for being
 * cancelled there, which no order is by that.
 */
export async function orderLifecycle(life: LifeOf): Promise<OrderState | 'unknown'> {
  // A start is a reason to look, too.
  const news: News = { isWoken: true };
  setHandler(
    orderEventSignal,
    () => {
      news.isWoken = true;
    },
    { description: 'Look at what was told about the order. Needs no content.' },
  );
  return CancellationScope.nonCancellable(() => live(life, news));
}

async function live(life: LifeOf, news: News): Promise<OrderState | 'unknown'> {
  const beside: Beside = { isCharging: false, hasCharged: false };
  let isOver = false;
  for (;;) {
    if (news.isWoken) {
      news.isWoken = false;
      const view = await judge_order_events(life);
      if (view === null) return 'unknown';
      setCurrentDetails(orderPage(view));
      if (view.hasMore) news.isWoken = true;
      isOver = isFinished(view.state);
      attend(life, view, beside, news);
      if (isOver && !news.isWoken && !beside.isCharging) return view.state;
    } else if (isFull() && !beside.isCharging) {
      await continueAsNew<typeof orderLifecycle>(life);
    } else {
      await condition(() => news.isWoken || (isFull() && !beside.isCharging));
    }
  }
}

function isFull(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

/** Starts and stops what an order in this state needs beside it. */
function attend(life: LifeOf, { payment }: LifeView, beside: Beside, news: News): void {
  if (payment === null) {
    beside.timer?.cancel();
    beside.timer = undefined;
    return;
  }
  beside.timer ??= wakeAfter(payment.dueInMs, beside, news);
  const { intentId, dueInMs } = payment;
  if (intentId !== null && dueInMs > 0 && !beside.hasCharged) void charge(life, intentId, beside, news);
}

/** What is due is decided where the time is kept: the timer only wakes. */
function wakeAfter(ms: number, beside: Beside, news: News): CancellationScope {
  const scope = new CancellationScope();
  scope
    .run(async () => {
      await sleep(Math.max(ms, 1), { summary: 'Payment due' });
      beside.timer = undefined;
      news.isWoken = true;
    })
    .catch((error: unknown) => {
      // Paid in time.
      if (!isCancellation(error)) throw error;
    });
  return scope;
}

/** Once per run; what came of it is among the order's events, and without an answer the timer decides. */
async function charge(life: LifeOf, intentId: string, beside: Beside, news: News): Promise<void> {
  beside.hasCharged = true;
  beside.isCharging = true;
  await charge_payment({ tenant: life.tenant, intentId }).catch(() => undefined);
  beside.isCharging = false;
  news.isWoken = true;
}
