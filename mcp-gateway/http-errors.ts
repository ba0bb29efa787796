import type { Response } from 'express';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import { faultMessage } from './render.ts';

/** What a refusal is in HTTP. What is not listed is a conflict with the state of things: 409. */
const STATUS: Partial<Readonly<Record<RefusalCode, number>>> = {
  unauthenticated: 401,
  forbidden: 403,
  insufficient_scope: 403,
  not_found: 404,
  unknown_tool: 404,
  invalid_arguments: 400,
  busy: 503,
  unavailable: 503,
};

function statusOf(code: RefusalCode): number {
  return STATUS[code] ?? 409;
}

/** The one error body of the HTTP side: `{error: {code, message, request_id, …facts}}`. */
export function sendRefusal(response: Response, { code, message, facts }: Refusal): void {
  const status = statusOf(code);
  if (status === 401) response.set('WWW-Authenticate', challenge('invalid_token', message));
  if (status === 503) response.set('Retry-After', '5');
  sendError(response, status, { code, message, ...facts });
}

export function sendError(
  response: Response,
  status: number,
  error: { readonly code: string; readonly message: string },
): void {
  if (response.headersSent) return void response.end();
  response.status(status).json({ error: { ...error, request_id: requestIdOf(response) } });
}

/** RFC 6750. The text is ours: constants only, no quotes in it. */
export function challenge(error: string, description: string, scope?: string): string {
  const parts = [
    `Bearer realm="countersign"`,
    `error="${error}"`,
    `error_description="${quoted(description)}"`,
  ];
  return [...parts, ...(scope === undefined ? [] : [`scope="${scope}"`])].join(', ');
}

/** Header values are Latin-1 and quoted. */
function quoted(text: string): string {
  return text.replaceAll('’', "'").replaceAll(/[^\x20-\x7E]|["\\]/g, '');
}

export function sendRpcError(response: Response, status: number, code: number, message: string): void {
  if (response.headersSent) return void response.end();
  response.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
}

export function sendFault(response: Response): void {
  sendError(response, 500, { code: 'internal', message: faultMessage(requestIdOf(response)) });
}

export function requestIdOf(response: Response): string {
  const id: unknown = response.locals['requestId'];
  return typeof id === 'string' ? id : '';
}

/** What body-parser throws: a body that is too large, cut off, badly encoded or no JSON. */
export function bodyProblem(error: unknown): { readonly status: number; readonly type: string } | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('type' in error)) return undefined;
  const { status, type } = error;
  return typeof status === 'number' && status >= 400 && status < 500 && typeof type === 'string'
    ? { status, type }
    : undefined;
}
