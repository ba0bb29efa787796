import type { Effects, Work } from '../../domain/action.ts';
import { RULE_VERSION } from '../../domain/approval.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import { Refusal } from '../../domain/refusal.ts';
import { stillHolds } from './action-desk.ts';
import { type ActionRow, endAction, lockAction } from './action-rows.ts';
import { admittedBallots } from './ballots.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';
import { createPromotionWriter } from './promotion-store.ts';
import { createStockWriter } from './stock-writer.ts';

/** How long after it was granted an approval may still be used, when its request has expired meanwhile. */
const USE_WITHIN_SECONDS = 60 * 60;

/** Approval, effect and result in one transaction (docs/decisions/0003). */
export function createEffects(pools: Pick<Pools, 'write'>): Effects {
  return {
    once: ({ plan }, digest, effect) =>
      inTenant(pools.write, plan.caller.tenant, async (sql) => {
        const row = await lockAction(sql, plan.callId);
        if (!row) throw new Refusal('approval_missing', 'Nobody has approved this.');
        // The cast restores the type this very effect returned when it was stored.
        if (row.state === 'executed') return row.result as Awaited<ReturnType<typeof effect>>;
        const approvedBy = await consumeApproval(sql, row, plan, digest);
        const result = await effect(workOf(sql, row, approvedBy));
        await endAction(sql, row, { state: 'executed', result }, detailsOf(row, approvedBy));
        return result;
      }),
  };
}

function workOf(sql: Sql, row: ActionRow, approvedBy: readonly string[]): Work {
  const writtenFor = {
    tenant: row.shop_id,
    actionId: row.action_id,
    requestedBy: row.requester,
    approvedBy,
  };
  return { stock: createStockWriter(sql, writtenFor), promotions: createPromotionWriter(sql, writtenFor) };
}

function detailsOf(row: ActionRow, approvedBy: readonly string[]): JsonObject {
  return { approved_by: [...approvedBy], rule_version: row.plan.ruleVersion };
}

/**
 * Takes the approval, once, after reading everything again that it rested on.
 *
 * @returns the subjects who approved
 * @throws {Refusal} approval_missing, approval_void, approval_expired, requester_revoked, action_closed
 */
async function consumeApproval(
  sql: Sql,
  row: ActionRow,
  plan: ActionPlan,
  digest: string,
): Promise<readonly string[]> {
  if (row.state === 'pending_approval') throw new Refusal('approval_missing', 'Nobody has approved this.');
  if (row.state !== 'approved') {
    throw new Refusal('action_closed', `The action has already ended: ${row.state}.`, { status: row.state });
  }
  const { rows } = await sql.query<{ digest: string; rule_version: number; stale: boolean }>(
    `update approvals set consumed_at = now() where action_id = $1 and consumed_at is null
      returning digest, rule_version,
                now() > greatest($2::timestamptz, granted_at + make_interval(secs => $3)) as stale`,
    [row.action_id, row.expires_at, USE_WITHIN_SECONDS],
  );
  const [approval] = rows;
  if (!approval) throw new Refusal('approval_missing', 'There is no approval that is still to be used.');
  if (approval.stale)
    throw new Refusal('approval_expired', 'The approval was given too long ago. Ask again.');
  if (approval.digest !== digest || row.digest !== digest || plan.digest !== digest) {
    throw new Refusal('approval_void', 'What was approved is not what was about to run.');
  }
  if (approval.rule_version !== RULE_VERSION || plan.ruleVersion !== RULE_VERSION) {
    throw new Refusal('approval_void', 'The approval rules have changed since this was asked. Ask again.');
  }
  if (!(await stillHolds(sql, row.plan))) {
    throw new Refusal('requester_revoked', 'The requester no longer holds the grant that this needs.');
  }
  return approversNow(sql, row);
}

/** @throws {Refusal} approval_void: too few of those who said yes still hold the role */
async function approversNow(sql: Sql, row: ActionRow): Promise<readonly string[]> {
  const { role, approvers } = row.plan.approval;
  const cast = await admittedBallots(sql, row.action_id);
  const { rows } = await sql.query<{ person_id: string }>(
    'select person_id from grants where role = $1 and revoked_at is null and person_id = any($2)',
    [role, cast.map(({ personId }) => personId)],
  );
  const entitled = cast.filter(({ personId }) => rows.some((grant) => grant.person_id === personId));
  if (entitled.length < approvers) {
    throw new Refusal('approval_void', `Those who approved are no longer ${role}. Ask again.`);
  }
  return entitled.map(({ subject }) => subject);
}
