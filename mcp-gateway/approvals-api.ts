import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type Action, isOpen, standingIn } from '../domain/action.ts';
import { type Ballot, DECISIONS, type Verdict } from '../domain/approval.ts';
import type { ActionPlan } from '../domain/plan.ts';
import { type Principal, callerOf } from '../domain/principal.ts';
import { APPROVAL } from '../domain/queues.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Scope } from '../domain/roles.ts';
import type { Runs } from '../domain/runs.ts';
import { type Authenticate, requireScope } from './authenticate.ts';
import type { Core } from './gateway-core.ts';
import { requestIdOf } from './http-errors.ts';
import { problemsOf } from './render.ts';

export type ApiDeps = {
  readonly core: Core;
  /** For the audience of the HTTP API, which no agent's token has. */
  readonly authenticate: Authenticate;
  readonly now?: () => Date;
};

const MOST_PENDING = 200;
/** Between the click and the activity that judges it; long enough for a worker to restart. */
const PROOF_SECONDS = 300;

const DECISION = z.strictObject({
  decision: z.enum(DECISIONS),
  comment: z.string().max(1000).optional(),
  seen: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const CODE = z.strictObject({ decision: z.enum(DECISIONS) });

/** Where people decide. There is no tool for it: a model has no way in here. */
export function approvalsApi(deps: ApiDeps): Router {
  const { core, authenticate } = deps;
  const router = Router();

  router.get('/approvals', async (request, response) => {
    const principal = await allowed(request, response, 'approvals:read');
    const pending = await core.desk.pending(callerOf(principal), MOST_PENDING);
    response.json({ pending: pending.map(shown) });
  });

  router.get('/approvals/:id', async (request, response) => {
    const principal = await allowed(request, response, 'approvals:read');
    response.json(shown(await found(principal, request)));
  });

  router.post('/approvals/:id/decision', async (request, response) => {
    const principal = await decider(request, response);
    const body = parsed(DECISION, request.body);
    const action = await found(principal, request);
    response.json(await decideOnce(action, principal, body, requestIdOf(response)));
  });

  router.post('/approvals/:id/code', async (request, response) => {
    const principal = await decider(request, response);
    const { decision } = parsed(CODE, request.body);
    const { actionId } = await found(principal, request);
    const { code, expiresAt } = await core.desk.issueCode(callerOf(principal), actionId, decision);
    const input = { decision, approver: principal.subject, comment: '', code };
    response.json({ workflow_id: actionId, signal: APPROVAL, input, expires_at: expiresAt });
  });

  return router;

  async function allowed(request: Request, response: Response, scope: Scope): Promise<Principal> {
    const principal = await authenticate(request, response);
    await requireScope(core.record, principal, scope, response);
    return principal;
  }

  /** A person at a keyboard, without an agent between. */
  async function decider(request: Request, response: Response): Promise<Principal> {
    const principal = await allowed(request, response, 'approvals:decide');
    if (principal.interactive && principal.actor === undefined) return principal;
    await denied(principal, 'forbidden', requestIdOf(response));
    throw new Refusal(
      'forbidden',
      'Only a person who logged in may decide; this token was not made by a login.',
    );
  }

  function denied(principal: Principal, reason: string, requestId: string, callId?: string) {
    const moment = {
      event: 'denied',
      outcome: 'denied',
      final: callId === undefined,
      transport: 'api',
    } as const;
    const about = callId === undefined ? {} : { callId };
    return core.record.write({ ...moment, ...about, tool: 'approvals', reason, principal, requestId });
  }

  async function found(principal: Principal, { params }: Request): Promise<Action> {
    const id = String(params['id'] ?? '');
    const action = /^[\w-]{1,200}$/.test(id) ? await core.desk.find(callerOf(principal), id) : undefined;
    if (action === undefined)
      throw new Refusal('not_found', 'There is no such action, or it is not yours to see.');
    return action;
  }

  /** Whoever lost the answer to their vote sends it again, and has it counted once and answered as before. */
  async function decideOnce(action: Action, principal: Principal, body: Decided, requestId: string) {
    const counted = await repeated(action, principal, body);
    if (counted) return counted;
    if (!isOpen(action.state)) throw await late(action, principal, requestId);
    try {
      return await decide(deps, action, principal, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // The first one may have been judged between our look and this.
      const now = await core.desk.find(callerOf(principal), action.actionId);
      const meanwhile = now && (await repeated(now, principal, body));
      if (meanwhile) return meanwhile;
      throw error;
    }
  }

  async function repeated(action: Action, principal: Principal, { decision, seen = action.digest }: Decided) {
    const { actionId, ballots, digest, state } = action;
    const looksSo = ballots.some((one) => one.admitted && one.approver === principal.subject);
    if (!looksSo || seen !== digest) return undefined;
    // A subject is a name at one issuer; a vote is a person's.
    if ((await core.desk.voteOf(callerOf(principal), actionId)) !== decision) return undefined;
    return { action_id: actionId, decision, admitted: true, standing: standingIn(state), repeated: true };
  }

  /** Too late to count, and still part of the record. */
  async function late(
    { actionId, state }: Action,
    principal: Principal,
    requestId: string,
  ): Promise<Refusal> {
    await denied(principal, 'action_closed', requestId, actionId);
    return new Refusal(
      'action_closed',
      `This action has already ended (${state}); nothing can be decided any more.`,
      {
        status: state,
      },
    );
  }
}

type Decided = z.output<typeof DECISION>;

async function decide(
  deps: ApiDeps,
  action: Action,
  principal: Principal,
  { decision, comment, seen }: Decided,
) {
  const { actionId, tenant, digest } = action;
  const { now = () => new Date() } = deps;
  const { subject, issuer } = principal;
  const proof = deps.core.seals.proveBallot({
    tenant,
    actionId,
    digest,
    decision,
    subject,
    issuer,
    jti: randomUUID(),
    expiresAtUnix: Math.floor(now().getTime() / 1000) + PROOF_SECONDS,
  });
  const verdict = await castOn(deps.core.runs, action, {
    decision,
    approver: subject,
    proof,
    ...(comment === undefined ? {} : { comment }),
    ...(seen === undefined ? {} : { seen }),
  });
  if (!verdict.admitted) throw new Refusal('forbidden', verdict.problem ?? 'This vote does not count.');
  return { action_id: actionId, decision, admitted: true, standing: verdict.standing };
}

/** An open action whose workflow was lost between claim and start gets it here, and then the vote. */
async function castOn(runs: Runs, { actionId, plan }: Action, ballot: Ballot): Promise<Verdict> {
  try {
    return await runs.vote(actionId, ballot);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'action_closed') throw error;
    await runs.startAction(plan);
    return runs.vote(actionId, ballot);
  }
}

/** @throws {Refusal} invalid_arguments */
function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Refusal('invalid_arguments', `Invalid body. ${problemsOf(result.error).join('; ')}.`);
}

/** Quoted beside what is asked, never in it. Null: no clause was found when this was asked. */
function clauseShown({ clause }: ActionPlan) {
  if (clause === undefined) return null;
  const { docId, docVersion, title, headingPath, text, sourceUrl, effectiveFrom, digest } = clause;
  return {
    quote: text,
    heading_path: headingPath,
    title,
    source_url: sourceUrl,
    doc_id: docId,
    doc_version: docVersion,
    effective_from: effectiveFrom,
    digest,
  };
}

function shown(action: Action) {
  return {
    action_id: action.actionId,
    tool: action.tool,
    title: action.title,
    asks: action.asks,
    policy_clause: clauseShown(action.plan),
    status: action.state,
    requested_by: action.requester,
    ...(action.actor === null ? {} : { actor: action.actor }),
    requested_at: action.requestedAt,
    expires_at: action.expiresAt,
    ended_at: action.endedAt,
    approver_role: action.approverRole,
    approvals_needed: action.approversNeeded,
    digest: action.digest,
    ...(action.reason === null ? {} : { reason: action.reason }),
    ballots: action.ballots.map(({ ballotNo, ...ballot }) => ({ ballot_no: ballotNo, ...ballot })),
  };
}
