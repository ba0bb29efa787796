import type { ActionCourt } from '../../domain/action.ts';
import type { AuditLog } from '../../domain/audit.ts';
import { unsealedPlan } from '../../domain/record.ts';
import type { Seals } from '../../domain/seals.ts';
import type { PlatformActivities } from '../../domain/tasks.ts';
import { isOwnPlan } from './own-plan.ts';

/** The worker's door: without a seal and a claim a plan gets one row in the record, and nothing else. */
export function openAction(
  court: Pick<ActionCourt, 'standing'>,
  audit: AuditLog,
  seals: Pick<Seals, 'isSealed'>,
  now: () => Date,
): PlatformActivities['openAction'] {
  return async ({ plan, run }) => {
    const found =
      isOwnPlan(seals, plan, run) && plan.kind === 'action' ? await court.standing(plan) : undefined;
    if (found) return { ok: true, ...found };
    await audit.append([unsealedPlan(plan, run, now().toISOString())]);
    return { ok: false };
  };
}
