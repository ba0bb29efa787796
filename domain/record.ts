import type { AuditEntry, Outcome } from './audit.ts';
import type { OutgoingEvent } from './events.ts';
import type { JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import type { RunIds } from './tasks.ts';

type Ended = {
  readonly outcome: Outcome;
  /** Refusal code or fault class. */
  readonly reason?: string;
  readonly resultHash?: string;
  readonly details?: JsonObject;
  readonly publishes?: OutgoingEvent;
  /** ISO 8601. */
  readonly at: string;
};

/** The one final row of a call that is not an action. */
export function callEnded(plan: Plan, run: RunIds, ended: Ended): AuditEntry {
  return {
    ...whoAndWhat(plan),
    ...ended,
    key: `${run.workflowId}:${run.firstRunId}:1`,
    callId: plan.callId,
    event: 'call',
    final: true,
    workflowId: run.workflowId,
    runId: run.firstRunId,
  };
}

/** What every row about a plan says. */
export function whoAndWhat(plan: Plan) {
  const { caller } = plan;
  return {
    tenant: caller.tenant,
    tool: plan.tool,
    subject: caller.subject,
    ...(caller.actor === undefined ? {} : { actor: caller.actor }),
    ...(caller.customerId === undefined ? {} : { customerId: caller.customerId }),
    assurance: caller.assurance,
    inputHash: plan.inputHash,
    requestId: plan.requestId,
    transport: plan.transport,
  };
}

const TENANT = /^[A-Za-z0-9_-]{1,64}$/;
const MOST = 200;

/**
 * The row for a plan that nobody sealed: whoever reached Temporal could write it, so its words are cut, and it is
 * kept under the shop it names only for that shop to see.
 */
export function unsealedPlan(plan: unknown, run: RunIds, at: string): AuditEntry {
  const caller = fieldOf(plan, 'caller');
  const tenant = textOf(fieldOf(caller, 'tenant'));
  return {
    key: `${run.workflowId}:${run.firstRunId}:unsealed`.slice(0, MOST * 2),
    tenant: TENANT.test(tenant) ? tenant : '_unverified',
    callId: run.workflowId.slice(0, MOST),
    event: 'denied',
    final: true,
    outcome: 'denied',
    reason: 'plan_unsealed',
    tool: textOf(fieldOf(plan, 'tool')),
    subject: `unverified:${textOf(fieldOf(caller, 'subject'))}`,
    workflowId: run.workflowId.slice(0, MOST),
    runId: run.firstRunId,
    transport: 'temporal',
    at,
  };
}

function fieldOf(value: unknown, name: string): unknown {
  // The cast lets an object be asked for a field that it may not have.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll('\0', '').slice(0, MOST) : '';
}
