import type { z } from 'zod';
import { catalog } from '../../catalog/index.ts';
import type { actionState } from '../../catalog/platform/action-state.ts';
import type { Action, ActionState } from '../../domain/action.ts';

/** An action as its requester and its approvers see it. */
export function viewOf(action: Action, asOf: string): z.output<typeof actionState> {
  const result = resultOf(action);
  return {
    status: action.state,
    message: MESSAGE[action.state](action),
    action_id: action.actionId,
    tool: action.tool,
    title: action.title,
    asks: action.asks,
    requested_by: action.requester,
    requested_at: action.requestedAt,
    expires_at: action.expiresAt,
    ended_at: action.endedAt,
    approval: { role: action.approverRole, needed: action.approversNeeded, given: approvalsOf(action) },
    ...(action.reason === null ? {} : { reason: { ...action.reason } }),
    ...(result === undefined ? {} : { result }),
    as_of: asOf,
  };
}

export function approvalsOf({ ballots }: Action): number {
  return ballots.filter(({ admitted, decision }) => admitted && decision === 'approve').length;
}

function resultOf({ result }: Action): Record<string, unknown> | undefined {
  return result !== null && typeof result === 'object' && !('length' in result) ? { ...result } : undefined;
}

const NOTHING_CHANGED = 'Nothing was changed.';

const MESSAGE: Readonly<Record<ActionState, (action: Action) => string>> = {
  pending_approval: ({ title, approverRole }) =>
    `${title}: waiting for approval by ${approverRole}. Nothing has happened yet.`,
  approved: ({ title }) => `${title}: approved; it is about to run.`,
  executed: (action) => sentenceOf(action) ?? `${action.title}: done. ${action.asks}`,
  rejected: ({ title }) => `${title}: rejected. ${NOTHING_CHANGED}`,
  expired: ({ title }) => `${title}: nobody decided in time. ${NOTHING_CHANGED}`,
  cancelled: ({ title }) => `${title}: withdrawn. ${NOTHING_CHANGED}`,
  refused: ({ title, reason }) =>
    [`${title}: not possible any more.`, reason?.message, NOTHING_CHANGED].filter(Boolean).join(' '),
  failed: ({ title }) => `${title}: failed. ${NOTHING_CHANGED}`,
  unknown: ({ title }) => `${title}: the outcome is not known yet. Do not repeat it; ask again.`,
};

/** The tool's own sentence, when the result still has the shape that the tool has now. */
function sentenceOf({ tool, result }: Action): string | undefined {
  const spec = catalog.get(tool);
  const output = spec?.output.safeParse(result);
  return output?.success ? spec?.say(output.data) : undefined;
}
