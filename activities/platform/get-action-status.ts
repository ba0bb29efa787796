import type { ToolBodies } from '../../catalog/index.ts';
import type { ActionDesk } from '../../domain/action.ts';
import type { Clock } from '../../domain/clock.ts';
import { viewOf } from './action-view.ts';

/** Never cached: an action's state is read from the authority each time. */
export function getActionStatus(
  desk: Pick<ActionDesk, 'find'>,
  realTime: Clock,
): ToolBodies['get_action_status'] {
  return async ({ caller, input: { action_id } }) => {
    const asOf = realTime.now().toISOString();
    const action = await desk.find(caller, action_id);
    if (action) return viewOf(action, asOf);
    const message = `No action ${action_id} was found. Do not infer.`;
    return { status: 'not_found', message, action_id, as_of: asOf };
  };
}
