import { type ActionCourt, isOpen, standingIn } from '../../domain/action.ts';
import {
  ballotProblem,
  type CastBallot,
  type Standing,
  standingOf,
  type Verdict,
  type Voter,
} from '../../domain/approval.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import type { BallotStatement } from '../../domain/seals.ts';
import { storable } from '../../domain/storable.ts';
import { hashOfCode } from './action-desk.ts';
import { type ActionRow, auditOf, endAction, lockAction, selectActions } from './action-rows.ts';
import { appendAudit } from './audit-log.ts';
import { admittedBallots, countBallots, isDecision } from './ballots.ts';
import { selectRequesters, selectVoter } from './grants.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';

/** The longest text kept of what a ballot says. */
const KEPT = 500;

/** The worker's side of actions, in Postgres. */
export function createActionCourt(pools: Pick<Pools, 'write'>): ActionCourt {
  const within = <T>(plan: ActionPlan, work: (sql: Sql) => Promise<T>) =>
    inTenant(pools.write, plan.caller.tenant, work);
  return {
    standing: (plan) =>
      within(plan, async (sql) => {
        const [row] = await selectActions(sql, 'action_id = $1', [plan.callId]);
        if (!row || !isClaimOf(row, plan)) return undefined;
        return {
          state: row.state,
          standing: standingIn(row.state),
          ballots: await countBallots(sql, plan.callId),
        };
      }),
    judge: (plan, cast, proven) =>
      within(plan, async (sql) => {
        const row = await lockAction(sql, plan.callId);
        if (!row || !isClaimOf(row, plan))
          throw new Error('A ballot was cast on an action that was never claimed.');
        return (await earlierVerdict(sql, row, cast.ballotNo)) ?? judge(sql, row, cast, proven);
      }),
    close: (plan, ending) =>
      within(plan, async (sql) => {
        const row = await lockAction(sql, plan.callId);
        if (!row || !isClaimOf(row, plan)) return 'refused';
        if (!isOpen(row.state)) return row.state;
        await endAction(sql, row, ending);
        return ending.state;
      }),
  };
}

/** A sealed plan of another action, or one changed since, is not this claim's. */
function isClaimOf(row: ActionRow, plan: ActionPlan): boolean {
  return row.digest === plan.digest && row.tool === plan.tool && row.plan.seal === plan.seal;
}

async function earlierVerdict(sql: Sql, row: ActionRow, ballotNo: number): Promise<Verdict | undefined> {
  const { rows } = await sql.query<{
    admitted: boolean;
    problem: string | null;
    decision: string;
    approver: string;
  }>('select admitted, problem, decision, approver from ballots where action_id = $1 and ballot_no = $2', [
    row.action_id,
    ballotNo,
  ]);
  const [found] = rows;
  return found && verdictOf(ballotNo, found, standingIn(row.state));
}

function verdictOf(
  ballotNo: number,
  {
    admitted,
    problem,
    decision,
    approver,
  }: {
    readonly admitted: boolean;
    readonly problem: string | null;
    readonly decision: string;
    readonly approver: string;
  },
  standing: Standing,
): Verdict {
  return {
    ballotNo,
    admitted,
    ...(problem === null ? {} : { problem }),
    ...(isDecision(decision) ? { decision } : {}),
    approver,
    standing,
  };
}

type Channel = 'proof' | 'code' | 'none';
/** Who cast a ballot, as far as it could be proved, or why it does not count. */
type Proof = { readonly channel: Channel; readonly issuer?: string; readonly problem?: string };

async function judge(
  sql: Sql,
  row: ActionRow,
  cast: CastBallot,
  proven: BallotStatement | undefined,
): Promise<Verdict> {
  const { ballot, ballotNo } = cast;
  // A code is used up at its first presentation, whatever else is wrong with the ballot.
  const proof = proven ? provedBy(row, cast, proven) : await codeOf(sql, row, cast);
  const voter =
    proof.problem === undefined ? await selectVoter(sql, proof.issuer, ballot.approver) : undefined;
  const problem = proof.problem ?? (await problemOf(sql, row, cast, voter));
  const admitted = problem === undefined;
  await sql.query(
    `insert into ballots (shop_id, action_id, ballot_no, approver, person_id, decision, comment, admitted, problem,
                          channel, jti)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      row.shop_id,
      row.action_id,
      ballotNo,
      kept(ballot.approver),
      voter?.personId ?? null,
      kept(ballot.decision),
      ballot.comment === undefined ? null : kept(ballot.comment),
      admitted,
      problem ?? null,
      proof.channel,
      admitted ? (proven?.jti ?? null) : null,
    ],
  );
  await recordBallot(sql, row, cast, { channel: proof.channel, problem });
  const standing = admitted ? await settle(sql, row) : standingIn(row.state);
  return verdictOf(
    ballotNo,
    { admitted, problem: problem ?? null, decision: ballot.decision, approver: kept(ballot.approver) },
    standing,
  );
}

function provedBy(row: ActionRow, { ballot }: CastBallot, proven: BallotStatement): Proof {
  const fits =
    proven.tenant === row.shop_id &&
    proven.actionId === row.action_id &&
    proven.digest === row.digest &&
    proven.decision === ballot.decision &&
    proven.subject === ballot.approver;
  return fits
    ? { channel: 'proof', issuer: proven.issuer }
    : { channel: 'proof', problem: 'The proof speaks of another ballot.' };
}

async function codeOf(sql: Sql, row: ActionRow, { ballot, arrivedAt }: CastBallot): Promise<Proof> {
  if (ballot.code === undefined) {
    return {
      channel: 'none',
      problem: 'A vote through Temporal needs a one-time code: countersign code prints the whole JSON.',
    };
  }
  const { rows } = await sql.query<{
    action_id: string;
    issuer: string;
    approver: string;
    decision: string;
    digest: string;
    expires_at: Date;
  }>(
    `update approval_codes set used_at = now() where code_hash = $1 and used_at is null
      returning action_id, issuer, approver, decision, digest, expires_at`,
    [hashOfCode(ballot.code)],
  );
  const [code] = rows;
  const refused = (problem: string): Proof => ({ channel: 'code', problem });
  if (!code) return refused('The code is unknown or was used before.');
  if (code.action_id !== row.action_id) return refused('The code belongs to another action.');
  if (code.approver !== ballot.approver) return refused('The code belongs to another approver.');
  if (code.decision !== ballot.decision) return refused('The code was issued for the other decision.');
  if (code.digest !== row.digest) return refused('The code was issued for another request.');
  if (code.expires_at.getTime() <= Date.parse(arrivedAt)) return refused('The code has expired.');
  return { channel: 'code', issuer: code.issuer };
}

async function problemOf(
  sql: Sql,
  row: ActionRow,
  { ballot, arrivedAt }: CastBallot,
  voter: Voter | undefined,
): Promise<string | undefined> {
  if (!isDecision(ballot.decision)) return 'A decision is approve or reject.';
  if (row.state !== 'pending_approval') return `There is nothing to decide: the action is ${row.state}.`;
  if (row.expires_at.getTime() <= Date.parse(arrivedAt))
    return 'The request had expired when this ballot arrived.';
  if (ballot.seen !== undefined && ballot.seen !== row.digest)
    return 'The approver was shown another request.';
  if (!voter) return 'No person with a grant has this login.';
  const requesters = await selectRequesters(sql, row.plan.caller);
  const cast = await admittedBallots(sql, row.action_id);
  // The person of the claim stays a requester even when the login has been linked to another since.
  return ballotProblem(row.plan.approval, new Set([row.requester_person, ...requesters]), cast, voter);
}

/** What the ballots come to, after one more has been admitted. */
async function settle(sql: Sql, row: ActionRow): Promise<Standing> {
  const cast = await admittedBallots(sql, row.action_id);
  const standing = standingOf(row.plan.approval, cast);
  if (standing === 'approved') {
    const approvers = cast.map(({ subject }) => subject);
    await sql.query(
      `insert into approvals (shop_id, action_id, digest, rule_version, approved_by) values ($1, $2, $3, $4, $5)`,
      [row.shop_id, row.action_id, row.digest, row.plan.ruleVersion, approvers],
    );
    await sql.query(`update actions set state = 'approved' where action_id = $1`, [row.action_id]);
  }
  if (standing === 'denied') {
    const by = cast.find(({ decision }) => decision === 'reject')?.subject ?? '';
    const reason = { code: 'approval_denied', message: `Rejected by ${by}. Nothing was changed.` };
    await endAction(sql, row, { state: 'rejected', reason }, { rejected_by: by });
  }
  return standing;
}

async function recordBallot(
  sql: Sql,
  row: ActionRow,
  { ballot, ballotNo }: CastBallot,
  { channel, problem }: { readonly channel: Channel; readonly problem: string | undefined },
): Promise<void> {
  await appendAudit(sql, [
    {
      ...auditOf(row.plan),
      key: `${row.action_id}:ballot:${ballotNo}`,
      event: 'ballot',
      final: false,
      outcome: problem === undefined ? 'ok' : 'denied',
      ...(problem === undefined ? {} : { reason: problem }),
      details: {
        ballot_no: ballotNo,
        approver: kept(ballot.approver),
        decision: kept(ballot.decision),
        channel,
        digest: row.digest,
      },
    },
  ]);
}

/** Nobody reads a novel. */
function kept(text: string): string {
  return storable(text, KEPT);
}
