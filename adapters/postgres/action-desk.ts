import { createHash, randomBytes } from 'node:crypto';
import { type Action, type ActionDesk, type Claim, isOpen } from '../../domain/action.ts';
import { ballotProblem } from '../../domain/approval.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import type { Caller, PersonId } from '../../domain/principal.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type Role, scopesOf } from '../../domain/roles.ts';
import { actionOf, type ActionRow, auditOf, endAction, lockAction, selectActions } from './action-rows.ts';
import { appendAudit } from './audit-log.ts';
import { admittedBallots } from './ballots.ts';
import { selectRequesters, selectVoter } from './grants.ts';
import { inTenant, inTransaction, type Pools, type Sql } from './pools.ts';

/** A code is good for one presentation within this time. */
const CODE_SECONDS = 600;
/** 160 bits. */
const CODE_BYTES = 20;

/** The gateway's side of actions, in Postgres. */
export function createActionDesk(pools: Pick<Pools, 'write' | 'system'>): ActionDesk {
  const within = <T>(tenant: string, work: (sql: Sql) => Promise<T>) => inTenant(pools.write, tenant, work);
  return {
    claim: async (plan, key, check) => {
      const { tenant } = plan.caller;
      const earlier = await within(
        tenant,
        async (sql) => (await repeatOf(sql, plan, key)) ?? mayAsk(sql, plan),
      );
      if (earlier) return earlier;
      const checked = (await check?.()) ?? plan;
      return within(tenant, (sql) => insertClaim(sql, checked, key));
    },
    find: (caller, actionId) =>
      within(caller.tenant, async (sql) => {
        const [row] = await selectActions(sql, 'action_id = $1', [actionId]);
        return row && (await maySee(sql, caller, row)) ? actionOf(sql, row) : undefined;
      }),
    voteOf: (caller, actionId) =>
      within(caller.tenant, async (sql) => {
        const voter = await selectVoter(sql, caller.issuer, caller.subject);
        const cast = await admittedBallots(sql, actionId);
        return cast.find(({ personId }) => personId === voter?.personId)?.decision;
      }),
    pending: (caller, limit) => within(caller.tenant, (sql) => selectPending(sql, caller, limit)),
    cancel: (caller, actionId) => within(caller.tenant, (sql) => cancel(sql, caller, actionId)),
    issueCode: (approver, actionId, decision) =>
      within(approver.tenant, async (sql) => {
        const row = await votable(sql, approver, actionId);
        return insertCode(sql, approver, row, decision);
      }),
    open: (olderThanSeconds, limit, after) =>
      inTransaction(pools.system, async (sql) => {
        const { rows } = await sql.query<{ plan: ActionPlan }>(
          `select plan from actions
            where ended_at is null and requested_at < now() - make_interval(secs => $1)
              and ($3::timestamptz is null or (requested_at, action_id) > ($3, $4::text collate "C"))
            order by requested_at, action_id limit $2`,
          [olderThanSeconds, limit, after?.requestedAt ?? null, after?.callId ?? null],
        );
        return rows.map(({ plan }) => plan);
      }),
  };
}

/** The earlier action that this ask repeats. @throws {Refusal} idempotency_conflict */
async function repeatOf(sql: Sql, plan: ActionPlan, key: string | undefined): Promise<Claim | undefined> {
  const { issuer, subject } = plan.caller;
  const asked = [issuer, subject, plan.tool];
  const [row] =
    key === undefined
      ? await selectActions(
          sql,
          `issuer = $1 and requester = $2 and tool = $3 and digest = $4
             and idempotency_key is null and ended_at is null`,
          [...asked, plan.digest],
        )
      : await selectActions(sql, 'issuer = $1 and requester = $2 and tool = $3 and idempotency_key = $4', [
          ...asked,
          key,
        ]);
  if (row && row.digest !== plan.digest) {
    throw new Refusal(
      'idempotency_conflict',
      'This idempotency_key was used for the same tool with other arguments. Use a new key for a new request.',
      { action_id: row.action_id },
    );
  }
  return row && { action: await actionOf(sql, row), replayed: true };
}

/** @throws {Refusal} no_person, requester_revoked */
async function mayAsk(sql: Sql, plan: ActionPlan): Promise<undefined> {
  await requesterPerson(sql, plan.caller);
  if (!(await stillHolds(sql, plan))) {
    throw new Refusal(
      'requester_revoked',
      'Your login holds no grant that allows this. Ask an administrator (countersign grant add).',
    );
  }
}

/** True when the requester's grants, read now, still carry one of the scopes the tool asks for. */
export async function stillHolds(sql: Sql, plan: ActionPlan): Promise<boolean> {
  const { rows } = await sql.query<{ role: Role }>(
    `select g.role from grants g
       join identities i on i.shop_id = g.shop_id and g.person_id = coalesce(i.person_id, i.owner_person_id)
      where i.issuer = $1 and i.subject = $2 and g.revoked_at is null`,
    [plan.caller.issuer, plan.caller.subject],
  );
  const held: readonly string[] = scopesOf(rows.map(({ role }) => role));
  return plan.scopes.some((scope) => held.includes(scope));
}

async function requesterPerson(sql: Sql, caller: Caller): Promise<PersonId> {
  const [person] = await selectRequesters(sql, caller);
  if (person === undefined) {
    throw new Refusal(
      'no_person',
      'Nobody answers for this login: it is not known here, or it is an agent without an owner. ' +
        'An administrator links it with countersign grant.',
    );
  }
  return person;
}

async function insertClaim(sql: Sql, plan: ActionPlan, key: string | undefined): Promise<Claim> {
  const { caller } = plan;
  const { rowCount } = await sql.query(
    `insert into actions (shop_id, action_id, tool, issuer, requester, actor, requester_person, idempotency_key,
                          digest, approver_role, plan, requested_at, expires_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict do nothing`,
    [
      caller.tenant,
      plan.callId,
      plan.tool,
      caller.issuer,
      caller.subject,
      caller.actor ?? null,
      await requesterPerson(sql, caller),
      key ?? null,
      plan.digest,
      plan.approval.role,
      JSON.stringify(plan),
      plan.requestedAt,
      plan.expiresAt,
    ],
  );
  if (rowCount === 0) return lostTheRace(sql, plan, key);
  await appendAudit(sql, [
    {
      ...auditOf(plan),
      key: `${plan.callId}:proposed`,
      event: 'proposed',
      final: false,
      outcome: 'pending',
      details: {
        digest: plan.digest,
        approver_role: plan.approval.role,
        expires_at: plan.expiresAt,
        ...(plan.clause === undefined
          ? {}
          : { clause: { doc_version: plan.clause.docVersion, digest: plan.clause.digest } }),
      },
    },
  ]);
  const [row] = await selectActions(sql, 'action_id = $1', [plan.callId]);
  if (!row) throw new Error('A claim that was just written cannot be read.');
  return { action: await actionOf(sql, row), replayed: false };
}

/** Another request wrote the same claim between our look and our insert. */
async function lostTheRace(sql: Sql, plan: ActionPlan, key: string | undefined): Promise<Claim> {
  const earlier = await repeatOf(sql, plan, key);
  if (earlier) return earlier;
  const [row] = await selectActions(sql, 'action_id = $1', [plan.callId]);
  if (!row) throw new Error('A claim was refused as a repeat, and there is none.');
  return { action: await actionOf(sql, row), replayed: true };
}

async function maySee(sql: Sql, caller: Caller, row: ActionRow): Promise<boolean> {
  const persons = await selectRequesters(sql, caller);
  if (persons.has(row.requester_person)) return true;
  const roles: readonly string[] = (await selectVoter(sql, caller.issuer, caller.subject))?.roles ?? [];
  return roles.includes(row.plan.approval.role) || roles.includes('admin');
}

async function selectPending(sql: Sql, caller: Caller, limit: number): Promise<readonly Action[]> {
  const persons = [...(await selectRequesters(sql, caller))];
  const roles = (await selectVoter(sql, caller.issuer, caller.subject))?.roles ?? [];
  const rows = await selectActions(
    sql,
    'ended_at is null and (requester_person = any($1) or approver_role = any($2))',
    [persons, roles],
  );
  const actions: Action[] = [];
  // One after the other: they share a connection.
  for (const row of rows.slice(0, limit)) actions.push(await actionOf(sql, row));
  return actions;
}

async function cancel(sql: Sql, caller: Caller, actionId: string): Promise<Action> {
  const row = await lockAction(sql, actionId);
  if (!row || !(await maySee(sql, caller, row))) throw unknownAction();
  if (!(await selectRequesters(sql, caller)).has(row.requester_person)) {
    throw new Refusal('forbidden', 'Only the requester may withdraw an action. To stop it, reject it.');
  }
  if (row.state !== 'cancelled') {
    if (!isOpen(row.state)) {
      throw new Refusal('action_closed', `This action has already ended: ${row.state}.`, {
        status: row.state,
      });
    }
    const reason = { code: 'action_cancelled', message: 'Withdrawn by the requester. Nothing was changed.' };
    await endAction(sql, row, { state: 'cancelled', reason }, { cancelled_by: caller.subject });
  }
  const [now] = await selectActions(sql, 'action_id = $1', [actionId]);
  return actionOf(sql, now ?? row);
}

/** The open action that this approver could decide on. @throws {Refusal} not_found, action_closed, forbidden */
async function votable(sql: Sql, approver: Caller, actionId: string): Promise<ActionRow> {
  const row = await lockAction(sql, actionId);
  if (!row || !(await maySee(sql, approver, row))) throw unknownAction();
  if (row.state !== 'pending_approval') {
    throw new Refusal('action_closed', `There is nothing to decide: the action is ${row.state}.`, {
      status: row.state,
    });
  }
  const voter = await selectVoter(sql, approver.issuer, approver.subject);
  if (!voter || approver.actor !== undefined)
    throw new Refusal('forbidden', 'Only a person with a grant may decide.');
  const requesters = await selectRequesters(sql, row.plan.caller);
  const cast = await admittedBallots(sql, actionId);
  const problem = ballotProblem(
    row.plan.approval,
    new Set([row.requester_person, ...requesters]),
    cast,
    voter,
  );
  if (problem !== undefined) throw new Refusal('forbidden', problem);
  return row;
}

async function insertCode(sql: Sql, approver: Caller, row: ActionRow, decision: 'approve' | 'reject') {
  const code = randomBytes(CODE_BYTES).toString('base64url');
  const { rows } = await sql.query<{ expires_at: Date }>(
    `insert into approval_codes (shop_id, code_hash, action_id, issuer, approver, decision, digest, expires_at)
          values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8)) returning expires_at`,
    [
      row.shop_id,
      hashOfCode(code),
      row.action_id,
      approver.issuer,
      approver.subject,
      decision,
      row.digest,
      CODE_SECONDS,
    ],
  );
  const expiresAt = (rows[0]?.expires_at ?? new Date()).toISOString();
  await appendAudit(sql, [
    {
      ...auditOf(row.plan),
      key: `${row.action_id}:code:${hashOfCode(code).slice(0, 16)}`,
      event: 'code_issued',
      final: false,
      outcome: 'ok',
      details: { approver: approver.subject, decision, expires_at: expiresAt },
    },
  ]);
  return { code, expiresAt };
}

export function hashOfCode(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function unknownAction(): Refusal {
  return new Refusal('not_found', 'There is no such action.');
}
