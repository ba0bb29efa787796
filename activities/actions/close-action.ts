import type { ActionCourt } from '../../domain/action.ts';
import type { Seals } from '../../domain/seals.ts';
import type { PlatformActivities } from '../../domain/tasks.ts';
import { assertOwnPlan } from './own-plan.ts';

/** Ends an action that is still open; Postgres answers with the state that holds. */
export function closeAction(
  court: Pick<ActionCourt, 'close'>,
  seals: Pick<Seals, 'isSealed'>,
): PlatformActivities['closeAction'] {
  return async ({ plan, run, ending }) => {
    assertOwnPlan(seals, { plan, run });
    return court.close(plan, ending);
  };
}
