import { randomUUID } from 'node:crypto';
import { createActionCourt } from '../../adapters/postgres/action-court.ts';
import { createActionDesk } from '../../adapters/postgres/action-desk.ts';
import { createGrants } from '../../adapters/postgres/grants.ts';
import type { ActionSpec } from '../../catalog/define.ts';
import { digestOf, hashOf } from '../../catalog/digest.ts';
import { APPROVAL_FOR, RULE_VERSION } from '../../domain/approval.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ActionPlan, ApprovedCall } from '../../domain/plan.ts';
import type { Caller } from '../../domain/principal.ts';
import type { TestDatabase } from './database.ts';

export const ISSUER = 'test';
export const REQUESTER = 'supply_chain_manager';
export const LEAD = 'warehouse_lead';

export function callerNamed(subject: string, tenant = 'manga'): Caller {
  return { tenant, subject, issuer: ISSUER, assurance: 'development' };
}

/** A plan as the gateway makes it, of the requester's. Its seal is one that only the claim compares. */
export function planOf(tool: ActionSpec, input: JsonObject, tenant = 'manga'): ActionPlan {
  const now = Date.now();
  const { schemaVersion } = tool;
  return {
    version: 1,
    kind: 'action',
    callId: `act_${randomUUID()}`,
    tool: tool.name,
    server: tool.server,
    caller: callerNamed(REQUESTER, tenant),
    input,
    inputHash: hashOf(input),
    transport: 'test',
    requestId: '1',
    timeoutSeconds: tool.timeoutSeconds,
    seal: 'of this test',
    schemaVersion,
    digest: digestOf({ tenant, tool: tool.name, schemaVersion, input }),
    risk: tool.risk,
    approval: { ...APPROVAL_FOR[tool.risk], role: tool.approverRole },
    ruleVersion: RULE_VERSION,
    title: tool.title,
    asks: tool.asks(input),
    requestedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + 3_600_000).toISOString(),
    scopes: tool.scopes,
  };
}

/** Makes the requester and an approver known, and claims the plan. */
export async function claimed(db: TestDatabase, plan: ActionPlan): Promise<ActionPlan> {
  const grants = createGrants(db.pools);
  for (const role of [REQUESTER, plan.approval.role] as const)
    await grants.ensure(plan.caller.tenant, ISSUER, role, [role]);
  await createActionDesk(db.pools).claim(plan, undefined);
  return plan;
}

/** Claims the plan and lets one who may say yes. */
export async function approved(db: TestDatabase, plan: ActionPlan): Promise<ActionPlan> {
  await claimed(db, plan);
  const approver = plan.approval.role;
  const { admitted, problem } = await createActionCourt(db.pools).judge(
    plan,
    { ballotNo: 1, ballot: { decision: 'approve', approver }, arrivedAt: new Date().toISOString() },
    {
      tenant: plan.caller.tenant,
      actionId: plan.callId,
      digest: plan.digest,
      decision: 'approve',
      subject: approver,
      issuer: ISSUER,
      jti: randomUUID(),
      expiresAtUnix: Math.floor(Date.now() / 1000) + 60,
    },
  );
  if (!admitted) throw new Error(`The approval did not count: ${problem ?? 'no reason'}`);
  return plan;
}

export function callOf<Input>(plan: ActionPlan, input: Input): ApprovedCall<Input> {
  return { plan, idempotencyKey: `${plan.callId}:${plan.tool}`, input };
}
