import type { ToolBodies } from '../../catalog/index.ts';
import type { ActionDesk } from '../../domain/action.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Runs } from '../../domain/runs.ts';
import { viewOf } from './action-view.ts';

/**
 * Postgres decides, under the action's lock; the workflow is only told to look again.
 * @throws {Refusal} not_found, forbidden, action_closed
 */
export function cancelAction(
  desk: Pick<ActionDesk, 'cancel'>,
  runs: Pick<Runs, 'nudge'>,
  realTime: Clock,
): ToolBodies['cancel_action'] {
  return async ({ caller, input: { action_id } }) => {
    const action = await desk.cancel(caller, action_id);
    await runs.nudge(action_id);
    return viewOf(action, realTime.now().toISOString());
  };
}
