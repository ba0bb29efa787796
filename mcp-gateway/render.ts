import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import type { ActionSpec, ControlSpec, ReadSpec } from '../catalog/define.ts';
import type { Action } from '../domain/action.ts';
import type { JsonObject } from '../domain/json.ts';
import { Refusal } from '../domain/refusal.ts';

/** What a read answered: the sentence for people, the JSON for models, the structure for programs. */
export function readResult(tool: ReadSpec | ControlSpec, output: JsonObject): CallToolResult {
  return said(tool.say(output), output);
}

/** Where an action stands. `result` is its own output, opened; present once executed. */
export function actionResult(
  tool: ActionSpec,
  action: Action,
  replayed: boolean,
  result: JsonObject | undefined,
): CallToolResult {
  const sentence = result === undefined ? standing(tool, action) : tool.say(result);
  return said(sentence, {
    status: action.state,
    action_id: action.actionId,
    message: action.state === 'pending_approval' ? howToApprove(action) : sentence,
    expires_at: action.expiresAt,
    ...(replayed ? { replayed } : {}),
    ...(action.reason === null ? {} : { reason: { ...action.reason } }),
    ...(result === undefined ? {} : { result }),
  });
}

function standing(tool: ActionSpec, { state, reason, approverRole }: Action): string {
  if (state === 'pending_approval') return `${tool.title}: waiting for approval by ${approverRole}.`;
  return `${tool.title}: ${state}.${reason === null ? '' : ` ${reason.message}`}`;
}

function howToApprove({ asks, approversNeeded, approverRole, actionId, expiresAt }: Action): string {
  const who =
    approversNeeded === 1 ? `a ${approverRole}` : `${approversNeeded} persons with the role ${approverRole}`;
  return (
    `${asks} Nothing has happened yet: ${who}, other than the requester, must approve before ${expiresAt}, with ` +
    `\`countersign approve ${actionId}\`, POST /v1/approvals/${actionId}/decision, or a signal in the Temporal UI. ` +
    'Follow it with get_action_status.'
  );
}

function said(sentence: string, structuredContent: JsonObject): CallToolResult {
  return {
    content: [
      { type: 'text', text: sentence },
      { type: 'text', text: JSON.stringify(structuredContent) },
    ],
    structuredContent: { ...structuredContent },
  };
}

/** An expected no, as the model reads it. */
export function refusalResult({ code, message, facts }: Refusal, callId: string): CallToolResult {
  const error = { code, message, ...facts, call_id: callId };
  return {
    isError: true,
    content: [
      { type: 'text', text: message },
      { type: 'text', text: JSON.stringify({ error }) },
    ],
  };
}

/** A fault: what went wrong is for operators; the caller gets the id to ask them about. */
export function faultResult(callId: string): CallToolResult {
  return refusalResult(new Refusal('outcome_unknown', faultMessage(callId)), callId);
}

export function faultMessage(callId: string): string {
  return `The call failed on our side. Try again; if it keeps failing, tell an operator its id: ${callId}.`;
}

const MOST_ISSUES = 5;

/** Names each argument and what it must be. Values are never repeated: they may be anybody's text. */
export function invalidArguments(problems: readonly string[]): Refusal {
  const shown = problems.slice(0, MOST_ISSUES);
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
  return new Refusal(
    'invalid_arguments',
    `Invalid arguments. ${[...shown, ...more].join('; ')}. Correct them as the tool's input schema says and call again.`,
  );
}

export function problemsOf(error: z.ZodError): readonly string[] {
  return error.issues.map((issue) => {
    const path = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') return `unknown arguments: ${issue.keys.map(plain).join(', ')}`;
    return `${path === '' ? 'arguments' : plain(path)}: ${issue.message.slice(0, 200)}`;
  });
}

/** A caller may name an argument anything; only a short, plain name is repeated. */
function plain(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : '(unprintable name)';
}
