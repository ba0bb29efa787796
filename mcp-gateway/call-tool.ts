import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ActionSpec, ControlSpec, ReadSpec, ToolSpec } from '../catalog/define.ts';
import { personalPaths } from '../catalog/field.ts';
import type { Action, ActionDesk } from '../domain/action.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ActionPlan } from '../domain/plan.ts';
import type { Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Runs } from '../domain/runs.ts';
import type { Seals } from '../domain/seals.ts';
import type { Logger } from '../platform/log.ts';
import { clauseFor } from './clause-for.ts';
import { type Asked, type Compiler, type ParsedArguments, parseArguments } from './compile-plan.ts';
import type { GatewayRecord } from './gateway-record.ts';
import { actionResult, faultResult, readResult, refusalResult } from './render.ts';
import { showPersonal } from '../catalog/personal.ts';
import { RequestCancelled } from './temporal-runs.ts';

export type CallDeps = {
  readonly runs: Runs;
  readonly desk: ActionDesk;
  readonly compiler: Compiler;
  readonly seals: Seals;
  readonly record: GatewayRecord;
  readonly log: Logger;
  /** Reads of the platform's own, by name. */
  readonly internal: ReadonlyMap<string, ToolSpec>;
};

export type ToolCall = Asked & {
  readonly tool: ToolSpec;
  readonly sent: Readonly<Record<string, unknown>>;
  /** `_meta.idempotencyKey`, used when the argument is absent. */
  readonly metaKey?: unknown;
  readonly signal?: AbortSignal;
};

/** What a call came to, for the metrics. */
export type Called = { readonly result: CallToolResult; readonly outcome: string };

/** Runs one tool call of a caller who may make it. Never throws: every ending is a result. */
export async function callTool(deps: CallDeps, call: ToolCall): Promise<Called> {
  const ids = { callId: '' };
  try {
    return { result: await answer(deps, call, ids), outcome: 'ok' };
  } catch (error) {
    if (error instanceof Refusal) return { result: refusalResult(error, ids.callId), outcome: error.code };
    const cancelled = error instanceof RequestCancelled;
    if (!cancelled) deps.log.error({ err: error, callId: ids.callId, tool: call.tool.name }, 'call failed');
    return { result: faultResult(ids.callId), outcome: cancelled ? 'cancelled' : 'fault' };
  }
}

type Ids = { callId: string };

async function answer(deps: CallDeps, call: ToolCall, ids: Ids): Promise<CallToolResult> {
  const { tool } = call;
  const parsed = await recorded(deps, call, ids, async () => parseArguments(tool, call.sent));
  return tool.effect === 'action' ? ask(deps, call, tool, parsed, ids) : look(deps, call, tool, parsed, ids);
}

async function look(
  deps: CallDeps,
  call: ToolCall,
  tool: ReadSpec | ControlSpec,
  parsed: ParsedArguments,
  ids: Ids,
): Promise<CallToolResult> {
  const plan = deps.compiler.read(tool, parsed.input, call);
  ids.callId = plan.callId;
  await noteForeignUserId(deps, call, parsed, ids);
  const output = await recorded(deps, call, ids, () => deps.runs.read(plan, options(call)));
  return readResult(
    tool,
    showPersonal(deps.seals, call.principal.tenant, output, personalPaths(tool.output)),
  );
}

async function ask(
  deps: CallDeps,
  call: ToolCall,
  tool: ActionSpec,
  parsed: ParsedArguments,
  ids: Ids,
): Promise<CallToolResult> {
  const plan = deps.compiler.action(tool, parsed.input, call);
  ids.callId = plan.callId;
  await noteForeignUserId(deps, call, parsed, ids);
  const key = parsed.idempotencyKey ?? keyFrom(call.metaKey);
  const check = async () => {
    await precheck(deps, call, tool, parsed.input);
    const clause = await clauseFor(deps, tool, call);
    return clause && deps.compiler.action(tool, parsed.input, call, clause);
  };
  const { action, replayed } = await recorded(deps, call, ids, () => claim(deps, plan, key, check));
  ids.callId = action.actionId;
  if (action.state === 'pending_approval') await startClaimed(deps, action);
  return actionResult(tool, action, replayed, resultOf(deps, tool, action));
}

type Check = () => Promise<ActionPlan | undefined>;

/** A claim that fails for a reason of our own has changed nothing that anybody could approve. */
async function claim(deps: CallDeps, plan: ActionPlan, key: string | undefined, check: Check) {
  try {
    return await deps.desk.claim(plan, key, check);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    deps.log.error({ err: error, callId: plan.callId, tool: plan.tool }, 'claim failed');
    throw new Refusal(
      'unavailable',
      'The database does not take requests at the moment, so nothing was asked of anybody. ' +
        'Repeat the call in a minute; a repeat is never done twice.',
    );
  }
}

/** Judges a new request against the world as it is, by a read with the same input. */
async function precheck(deps: CallDeps, call: ToolCall, tool: ActionSpec, input: JsonObject): Promise<void> {
  if (tool.precheck === undefined) return;
  const spec = deps.internal.get(tool.precheck);
  if (spec?.effect !== 'read')
    throw new Error(`${tool.name} names ${tool.precheck}, which is no internal read`);
  await deps.runs.read(deps.compiler.read(spec, input, call), options(call));
}

/** How long an answer may wait for the start: whoever acts on it at once should find the workflow there. */
const START_MOMENT_MS = 20;

/**
 * The claim is what accepts an action; the start is given a moment and then goes on without the caller. The claim
 * stands whatever happens here: what is not started now is started by the sweeper, or by the first vote.
 */
async function startClaimed({ runs, log }: CallDeps, action: Action): Promise<void> {
  let moment: NodeJS.Timeout | undefined;
  const start = runs.startAction(action.plan);
  const gone = new Promise<void>((resolve) => {
    moment = setTimeout(() => {
      start.catch((error: unknown) =>
        log.warn({ err: error, callId: action.actionId }, 'start is left to the sweeper'),
      );
      resolve();
    }, START_MOMENT_MS);
  });
  try {
    await Promise.race([start, gone]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      error.code,
      `The request is recorded as ${action.actionId} and starts by itself once the durable engine (Temporal) is ` +
        'back. Nothing has happened yet; follow it with get_action_status.',
      { action_id: action.actionId, status: action.state },
    );
  } finally {
    clearTimeout(moment);
  }
}

function resultOf(
  { seals }: CallDeps,
  tool: ActionSpec,
  { state, result, tenant }: Action,
): JsonObject | undefined {
  if (state !== 'executed' || result === null || typeof result !== 'object' || isList(result))
    return undefined;
  return showPersonal(seals, tenant, result, personalPaths(tool.output));
}

function isList(value: object): value is readonly unknown[] {
  return Array.isArray(value);
}

function options({ signal }: ToolCall): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function keyFrom(metaKey: unknown): string | undefined {
  if (metaKey === undefined) return undefined;
  if (typeof metaKey === 'string' && /^[\x20-\x7E]{1,128}$/.test(metaKey)) return metaKey;
  throw new Refusal(
    'invalid_arguments',
    '_meta.idempotencyKey: 1 to 128 printable ASCII characters are needed.',
  );
}

/** What a read is refused with before it reaches a worker; everything else is in the worker's own row. */
const BEFORE_THE_WORKER: readonly string[] = ['invalid_arguments', 'busy', 'unavailable'];

async function recorded<T>(deps: CallDeps, call: ToolCall, ids: Ids, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Refusal && isOurs(call.tool, error)) {
      // Temporal may have taken a start whose answer was lost: the worker's row, if any, is the final one.
      const unsure = error.code === 'unavailable';
      await deps.record.write({
        tool: call.tool.name,
        event: 'denied',
        outcome: unsure ? 'unknown' : 'denied',
        final: !unsure,
        reason: error.code,
        ...(ids.callId === '' ? {} : { callId: ids.callId }),
        principal: call.principal,
        transport: call.transport,
        requestId: call.requestId,
      });
    }
    throw error;
  }
}

/** An action that was never claimed has no row but the gateway's. */
function isOurs(tool: ToolSpec, { code }: Refusal): boolean {
  return tool.effect === 'action' || BEFORE_THE_WORKER.includes(code);
}

async function noteForeignUserId(
  deps: CallDeps,
  call: ToolCall,
  { userId }: ParsedArguments,
  ids: Ids,
): Promise<void> {
  if (userId === undefined || isOwn(userId, call.principal)) return;
  await deps.record.write({
    tool: call.tool.name,
    event: 'call',
    outcome: 'pending',
    final: false,
    reason: 'user_id_ignored',
    callId: ids.callId,
    principal: call.principal,
    transport: call.transport,
    requestId: call.requestId,
  });
}

function isOwn(userId: unknown, { subject, customerId }: Principal): boolean {
  return userId === subject || (customerId !== undefined && userId === customerId);
}
