import type { AuditLog } from '../../domain/audit.ts';
import { callEnded, unsealedPlan } from '../../domain/record.ts';
import type { Seals } from '../../domain/seals.ts';
import type { PlatformActivities } from '../../domain/tasks.ts';
import { appendOrOwe, type Recorder } from './append-or-owe.ts';
import { isOwnPlan, unsealed } from './own-plan.ts';

/** The final row of a read that gave no answer. */
export function endRead(recorder: Recorder, seals: Pick<Seals, 'isSealed'>): PlatformActivities['endRead'] {
  return async ({ plan, run, ending }) => {
    // A good plan that a body refused as another's is forged all the same.
    const isOwn = isOwnPlan(seals, plan, run) && ending.reason !== 'plan_unsealed';
    const entry = isOwn ? callEnded(plan, run, ending) : unsealedPlan(plan, run, ending.at);
    return appendOrOwe(recorder, [entry]);
  };
}

/** Rows that were owed. Whoever reaches Temporal can send some, so only sealed ones are written. */
export function recordAudit(
  audit: AuditLog,
  seals: Pick<Seals, 'sealedRows'>,
): PlatformActivities['recordAudit'] {
  return async (owed) => {
    const entries = seals.sealedRows(owed);
    if (entries === undefined) throw unsealed();
    await audit.append(entries);
  };
}
