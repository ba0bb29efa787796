import type { Action, ActionState, BallotRecord, Ending } from '../../domain/action.ts';
import type { AuditEntry, Outcome } from '../../domain/audit.ts';
import type { JsonObject, JsonValue } from '../../domain/json.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import { whoAndWhat } from '../../domain/record.ts';
import { appendAudit } from './audit-log.ts';
import type { Sql } from './pools.ts';

export type ActionRow = {
  action_id: string;
  shop_id: string;
  tool: string;
  state: ActionState;
  issuer: string;
  requester: string;
  actor: string | null;
  requester_person: string;
  digest: string;
  plan: ActionPlan;
  result: JsonValue | null;
  reason_code: string | null;
  reason_message: string | null;
  requested_at: Date;
  expires_at: Date;
  ended_at: Date | null;
};

const COLUMNS = `action_id, shop_id, tool, state, issuer, requester, actor, requester_person, digest, plan, result,
  reason_code, reason_message, requested_at, expires_at, ended_at`;

/** `where` names its parameters from $1; the rows come oldest first. */
export async function selectActions(
  sql: Sql,
  where: string,
  params: readonly unknown[],
): Promise<ActionRow[]> {
  const { rows } = await sql.query<ActionRow>(
    `select ${COLUMNS} from actions where ${where} order by requested_at, action_id`,
    [...params],
  );
  return rows;
}

/** The action, locked until the transaction ends. */
export async function lockAction(sql: Sql, actionId: string): Promise<ActionRow | undefined> {
  // Lock in one statement and read in the next: what a locking statement reads is as old as its wait.
  await sql.query('select from actions where action_id = $1 for update', [actionId]);
  const [row] = await selectActions(sql, 'action_id = $1', [actionId]);
  return row;
}

export async function actionOf(sql: Sql, row: ActionRow): Promise<Action> {
  const { plan } = row;
  return {
    actionId: row.action_id,
    tenant: row.shop_id,
    tool: row.tool,
    title: plan.title,
    asks: plan.asks,
    state: row.state,
    requester: row.requester,
    actor: row.actor,
    approverRole: plan.approval.role,
    approversNeeded: plan.approval.approvers,
    digest: row.digest,
    requestedAt: row.requested_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    result: row.result,
    reason: row.reason_code === null ? null : { code: row.reason_code, message: row.reason_message ?? '' },
    ballots: await selectBallots(sql, row.action_id),
    plan,
  };
}

async function selectBallots(sql: Sql, actionId: string): Promise<readonly BallotRecord[]> {
  const { rows } = await sql.query<Omit<BallotRecord, 'at'> & { at: Date }>(
    `select ballot_no as "ballotNo", approver, decision, admitted, problem, comment, cast_at as at
       from ballots where action_id = $1 order by ballot_no`,
    [actionId],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

const OUTCOME_OF: Readonly<Record<Ending['state'] | 'executed', Outcome>> = {
  executed: 'executed',
  rejected: 'rejected',
  expired: 'expired',
  cancelled: 'cancelled',
  refused: 'refused',
  failed: 'failed',
  unknown: 'unknown',
};

/** Ends a locked, open action: its state, and the one final row of the record, in the caller's transaction. */
export async function endAction(
  sql: Sql,
  row: ActionRow,
  ending: {
    readonly state: Ending['state'] | 'executed';
    readonly reason?: Ending['reason'];
    readonly result?: JsonObject;
  },
  details: JsonObject = {},
): Promise<void> {
  const { state, reason, result } = ending;
  await sql.query(
    `update actions set state = $2, reason_code = $3, reason_message = $4, result = $5, ended_at = now()
      where action_id = $1`,
    [
      row.action_id,
      state,
      reason?.code ?? null,
      reason?.message ?? null,
      result ? JSON.stringify(result) : null,
    ],
  );
  await appendAudit(sql, [
    {
      ...auditOf(row.plan),
      key: `${row.action_id}:final`,
      event: 'outcome',
      final: true,
      outcome: OUTCOME_OF[state],
      ...(reason ? { reason: reason.code } : {}),
      details: { digest: row.digest, ...details },
    },
  ]);
}

/** What every row about an action says. */
export function auditOf(plan: ActionPlan): Omit<AuditEntry, 'key' | 'event' | 'final' | 'outcome'> {
  return {
    ...whoAndWhat(plan),
    callId: plan.callId,
    workflowId: plan.callId,
    at: new Date().toISOString(),
  };
}
