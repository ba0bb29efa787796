import { Context } from '@temporalio/activity';
import { closeAction } from '../activities/actions/close-action.ts';
import { judgeBallot } from '../activities/actions/judge-ballot.ts';
import { openAction } from '../activities/actions/open-action.ts';
import { unsealed } from '../activities/actions/own-plan.ts';
import { endRead, recordAudit } from '../activities/actions/record-audit.ts';
import {
  actionActivity,
  type AnyActionBody,
  type AnyReadBody,
  type Around,
  readActivity,
} from '../activities/actions/run-body.ts';
import { type Bodies, specs } from '../catalog/index.ts';
import type { ActionCourt } from '../domain/action.ts';
import type { PlatformActivities, RunIds } from '../domain/tasks.ts';

/** Well within the heartbeat timeout of `runRead`. */
const BEAT_MS = 500;

export type ActivityDeps = Around & { readonly court: ActionCourt };

type Activity = (task: never) => Promise<unknown>;
/** By the name that workflows and the Temporal UI know them under. */
export type Activities = Readonly<Record<string, Activity>>;

/** Everything a worker registers: each body under its own name, and what the platform's workflows ask for. */
export function activitiesOf(bodies: Bodies, deps: ActivityDeps): Activities {
  const { seals, audit, court, now } = deps;
  const platform: PlatformActivities = {
    openAction: underOwnName(openAction(court, audit, seals, now)),
    judgeBallot: underOwnName(judgeBallot(court, seals)),
    closeAction: underOwnName(closeAction(court, seals)),
    endRead: underOwnName(endRead(deps, seals)),
    recordAudit: recordAudit(audit, seals),
  };
  const wrapped = Object.entries(bodies).map(([name, body]) => [name, wrap(name, body, deps)] as const);
  return { ...Object.fromEntries(wrapped), ...platform };
}

function wrap(name: string, body: AnyReadBody | AnyActionBody, deps: ActivityDeps): Activity {
  const spec = specs.get(name);
  if (!spec) throw new Error(`The body ${name} has no spec.`);
  // The catalog types each body by its own spec; here, where they are a list, that knowledge is lost.
  return 'effect' in spec && spec.effect === 'action'
    ? underOwnName(actionActivity(spec, body as AnyActionBody, deps))
    : underOwnName(beatingIfSlow(spec, readActivity(spec, body as AnyReadBody, deps)));
}

/** A slow read that stops beating has lost its worker, and is begun again elsewhere before its caller gives up. */
function beatingIfSlow<T, R>(spec: object, activity: (task: T) => Promise<R>): (task: T) => Promise<R> {
  if (!('queue' in spec) || spec.queue !== 'slow-reads') return activity;
  return async (task) => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), BEAT_MS);
    try {
      return await activity(task);
    } finally {
      clearInterval(beat);
    }
  };
}

/** A task speaks for the run that it came from: Temporal knows which that is, whatever the task says. */
function underOwnName<T extends { readonly run: RunIds }, R>(
  activity: (task: T) => Promise<R>,
): (task: T) => Promise<R> {
  return async (task) => {
    const { workflowExecution } = Context.current().info;
    if (task.run.workflowId !== workflowExecution?.workflowId) throw unsealed();
    return activity(task);
  };
}
