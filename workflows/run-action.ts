import { defineSearchAttributeKey, HandlerUnfinishedPolicy } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ActionState, Ending } from '../domain/action.ts';
import type { CastBallot, Verdict } from '../domain/approval.ts';
import { approvalPage, closedPage } from '../domain/approval-page.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ActionPlan } from '../domain/plan.ts';
import { APPROVAL, NUDGE } from '../domain/queues.ts';
import type { ActionAnswer, ActionTask, PlatformActivities, RunIds } from '../domain/tasks.ts';
import { type BallotBox, ballotBox } from './ballot-box.ts';
import { refusedBy } from './refuse.ts';
import { runIds } from './run-ids.ts';

export const approvalSignal = defineSignal<[unknown]>(APPROVAL);
export const approvalUpdate = defineUpdate<Verdict, [unknown]>(APPROVAL);
export const nudgeSignal = defineSignal(NUDGE);

const ACTION_STATE = defineSearchAttributeKey('ActionState', 'KEYWORD');

/** Postgres decides; while it is away, everything waits for it. */
const PATIENT = { initialInterval: '1s', maximumInterval: '30s' } as const;

const { openAction, judgeBallot, closeAction } = proxyActivities<PlatformActivities>({
  startToCloseTimeout: '15s',
  retry: PATIENT,
});

/** What an action came to. */
export type ActionOutcome = {
  readonly status: ActionState;
  readonly message: string;
  readonly result?: JsonObject;
};

/** What has happened while the run was busy. */
type News = { isNudged: boolean; isCancelled: boolean; hasExpired: boolean };

/** A run under way: a plan that has been looked at, and what it has received. */
type Case = {
  readonly plan: ActionPlan;
  readonly run: RunIds;
  readonly box: BallotBox;
  readonly news: News;
  /** Ballots judged in earlier runs of this action. */
  readonly before: number;
};

/**
 * Every tool that changes something: ask people, do it once, keep the record. Postgres holds the state (domain/action.ts);
 * the run only brings what happens before it.
 *
 * pending_approval  waits for ballots. Left by enough yeses, one no, expiry, or a withdrawal found in Postgres.
 * approved          the body runs; ballots that come now are still judged, and recorded as late.
 * any other         it is over: what is left in the box is judged, and every sender answered.
 */
export async function runAction(plan: ActionPlan): Promise<ActionOutcome> {
  const box = ballotBox();
  const news: News = { isNudged: false, isCancelled: false, hasExpired: false };
  // Before the first await. Nothing of the plan is believed until the worker's door has looked at it.
  listen(plan, box, news);
  CancellationScope.current().cancelRequested.catch(() => {
    news.isCancelled = true;
  });

  // Whether a cancelled request ends, and as what, is decided in Postgres like everything else.
  return CancellationScope.nonCancellable(async () => {
    const run = runIds();
    const opened = await openAction({ plan, run });
    if (!opened.ok) return closeUnread();
    const theCase: Case = { plan, run, box, news, before: opened.ballots };
    setCurrentDetails(approvalPage(plan));
    const state = await untilDecided(theCase, opened.state);
    if (state === 'approved') upsertSearchAttributes([{ key: ACTION_STATE, value: state }]);
    const outcome = await whileJudging(theCase, () =>
      state === 'approved' ? perform(theCase) : Promise.resolve(endedAs(plan, state)),
    );
    setCurrentDetails(closedPage(plan, outcome.status));
    upsertSearchAttributes([{ key: ACTION_STATE, value: outcome.status }]);
    return outcome;
  });
}

/** Answered, and not kept, while the box is full. */
const TOO_MANY: Verdict = {
  ballotNo: 0,
  admitted: false,
  problem: 'Too many ballots are waiting to be judged. Cast yours again in a moment.',
  standing: 'open',
};

/** Handlers only queue. They never throw, and they believe no name and no role: whoever reaches Temporal can send a message. */
function listen(plan: ActionPlan, box: BallotBox, news: News): void {
  const receive = (message: unknown) =>
    box.receive(message, { arrivedAt: arrival(plan, news.hasExpired), isLate: news.hasExpired });
  setHandler(approvalSignal, (message) => void receive(message), {
    description: 'Cast a ballot: {"decision", "approver", "comment", "code"}. `countersign code` prints it.',
  });
  setHandler(
    approvalUpdate,
    async (message) => {
      const slot = receive(message);
      if (slot === undefined) return TOO_MANY;
      await condition(() => slot.verdict !== undefined);
      return slot.verdict ?? TOO_MANY;
    },
    {
      description: 'Cast a ballot and wait for the verdict.',
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
    },
  );
  setHandler(nudgeSignal, () => {
    news.isNudged = true;
  });
}

/**
 * When a ballot arrived. While no worker ran, time here stood still, and signals are handed over before timers: what
 * comes before the expiry timer was sent in time, however late it is now.
 */
function arrival(plan: ActionPlan, hasExpired: boolean): string {
  const expiresAtMs = Date.parse(String((plan as ActionPlan | null)?.expiresAt));
  const isClockAhead = !hasExpired && Date.now() >= expiresAtMs;
  return new Date(isClockAhead ? expiresAtMs - 1 : Date.now()).toISOString();
}

function closeUnread(): ActionOutcome {
  upsertSearchAttributes([{ key: ACTION_STATE, value: 'refused' }]);
  return { status: 'refused', message: 'This plan was not made by the gateway. It is on record.' };
}

/** The history is long and nobody waits for an answer: time for a new run of the same action. */
function isFull(): boolean {
  return workflowInfo().continueAsNewSuggested && allHandlersFinished();
}

async function expire({ expiresAt }: ActionPlan, news: News): Promise<void> {
  await sleep(Math.max(Date.parse(expiresAt) - Date.now(), 1));
  news.hasExpired = true;
}

/** @returns the state that ended the waiting */
async function untilDecided(theCase: Case, first: ActionState): Promise<ActionState> {
  const { plan, run, box, news } = theCase;
  void expire(plan, news);
  let state = first;
  while (state === 'pending_approval') {
    // Ballots that arrived before expiry are judged before expiry is declared.
    if (box.hasTimely()) state = (await judgeNext(theCase)) ?? state;
    else if (news.isCancelled) state = await close(theCase, 'cancelled', 'Cancelled in Temporal.');
    else if (news.hasExpired)
      state = await close(theCase, 'expired', 'Nobody decided in time.', 'approval_expired');
    else if (news.isNudged) {
      news.isNudged = false;
      const found = await openAction({ plan, run });
      state = found.ok ? found.state : 'refused';
    } else if (isFull()) {
      await continueAsNew<typeof runAction>(plan);
    } else {
      await condition(
        () => box.hasUnjudged() || news.isNudged || news.isCancelled || news.hasExpired || isFull(),
      );
    }
  }
  return state;
}

/** @returns the state the action has after the oldest ballot, or undefined when it is still open */
async function judgeNext({ plan, run, box, before }: Case): Promise<ActionState | undefined> {
  const judge = (cast: CastBallot) => judgeBallot({ plan, run, cast });
  const verdict = await box.judgeNext(before, judge);
  if (verdict === undefined || verdict.standing === 'open') return undefined;
  if (verdict.standing === 'approved') return 'approved';
  // Which of the ends it was, Postgres knows.
  const found = await openAction({ plan, run });
  return found.ok ? found.state : 'refused';
}

/** Runs `work`, and goes on judging what arrives meanwhile, so that late ballots are on record and answered. */
async function whileJudging<T>(theCase: Case, work: () => Promise<T>): Promise<T> {
  const { box } = theCase;
  const progress = { isOver: false };
  const done = work().finally(() => {
    progress.isOver = true;
  });
  // Its failure is thrown where it is awaited, below.
  done.catch(() => undefined);
  while (!progress.isOver || box.hasUnjudged() || !allHandlersFinished()) {
    await condition(() => box.hasUnjudged() || (progress.isOver && allHandlersFinished()));
    if (box.hasUnjudged()) await judgeNext(theCase);
  }
  return done;
}

async function perform(theCase: Case): Promise<ActionOutcome> {
  const { plan, run } = theCase;
  try {
    const { result, message } = await bodyOf(plan)({ plan, run, step: '1' });
    return { status: 'executed', message, result };
  } catch (error) {
    const refused = refusedBy(error);
    const state = refused
      ? await close(theCase, 'refused', refused.message, refused.code)
      : // Without an answer the effect may or may not have happened, and the record must say so.
        await close(theCase, 'unknown', 'The answer was lost.', 'outcome_unknown');
    return refused && state === 'refused'
      ? { status: state, message: refused.message }
      : endedAs(plan, state);
  }
}

/** Retried for days: the effect is idempotent, so a repeat after a lost answer finds what the first attempt did. */
function bodyOf(plan: ActionPlan): (task: ActionTask) => Promise<ActionAnswer> {
  const bodies = proxyActivities<Record<string, (task: ActionTask) => Promise<ActionAnswer>>>({
    startToCloseTimeout: plan.timeoutSeconds * 1_000,
    scheduleToCloseTimeout: '30 days',
    retry: PATIENT,
  });
  const body = bodies[plan.tool];
  if (!body) throw new Error('A proxy has every activity.');
  return body;
}

/** @returns the state that holds: somebody may have been faster */
async function close(
  { plan, run }: Case,
  state: Ending['state'],
  message: string,
  code: string = state,
): Promise<ActionState> {
  return closeAction({ plan, run, ending: { state, reason: { code, message } } });
}

function endedAs({ title }: ActionPlan, status: ActionState): ActionOutcome {
  const what = status.replaceAll('_', ' ');
  return {
    status,
    message: status === 'unknown' ? `${title}: ${what}.` : `${title}: ${what}. Nothing was changed.`,
  };
}
