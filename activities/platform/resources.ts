import type { ResourceBodies } from '../../catalog/index.ts';
import type { ActionDesk } from '../../domain/action.ts';
import type { Clock } from '../../domain/clock.ts';
import { approvalsOf } from './action-view.ts';

const PENDING = 50;

export function pendingApprovals(
  desk: Pick<ActionDesk, 'pending'>,
  realTime: Clock,
): ResourceBodies['pending_approvals'] {
  return async ({ caller }) => {
    const asOf = realTime.now().toISOString();
    const pending = await desk.pending(caller, PENDING);
    return {
      pending: pending.map((action) => ({
        action_id: action.actionId,
        tool: action.tool,
        title: action.title,
        asks: action.asks,
        status: action.state,
        requested_by: action.requester,
        requested_at: action.requestedAt,
        expires_at: action.expiresAt,
        approver_role: action.approverRole,
        approvals_needed: action.approversNeeded,
        approvals_given: approvalsOf(action),
      })),
      as_of: asOf,
    };
  };
}
