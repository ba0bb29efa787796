import type { ActionPlan, Plan, ReadPlan } from '../../domain/plan.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Seals } from '../../domain/seals.ts';
import type { RunIds } from '../../domain/tasks.ts';

/** Deeper than any plan of ours; a forged one must not exhaust the stack of whoever looks at it. */
const MOST_DEPTH = 32;

/**
 * Whether the gateway made this plan for this very run. Reaching Temporal is not enough to have one: a plan without
 * a seal, and a good one that was started under another name, are nobody's.
 */
export function isOwnPlan(seals: Pick<Seals, 'isSealed'>, plan: unknown, run: RunIds): plan is Plan {
  return (
    isShallow(plan, MOST_DEPTH) &&
    seals.isSealed(plan) &&
    typeof plan === 'object' &&
    plan !== null &&
    'callId' in plan &&
    plan.callId === run.workflowId
  );
}

/** @throws {Refusal} plan_unsealed */
export function assertOwnPlan(
  seals: Pick<Seals, 'isSealed'>,
  { plan, run }: { readonly plan: ReadPlan | ActionPlan; readonly run: RunIds },
): void {
  if (!isOwnPlan(seals, plan, run)) throw unsealed();
}

export function unsealed(): Refusal {
  return new Refusal(
    'plan_unsealed',
    'This was not made by the gateway. It is on record, and nothing was done.',
  );
}

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}
