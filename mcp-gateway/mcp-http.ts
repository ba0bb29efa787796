import { randomUUID } from 'node:crypto';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ErrorCode, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Server } from '../catalog/define.ts';
import type { Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Authenticate } from './authenticate.ts';
import { boundedEventStore } from './event-store.ts';
import type { Core } from './gateway-core.ts';
import { challenge, sendError, sendRpcError } from './http-errors.ts';
import { connect, createMcpServer } from './mcp-server.ts';
import type { Extra, Host } from './serving.ts';
import { type Session, type Sessions, ownerOf } from './sessions.ts';

export type McpHttpDeps = {
  readonly core: Core;
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly version: string;
  readonly pageSize: number;
  readonly host?: Host | undefined;
};

const MOST_SESSIONS = 5000;
/** Enough to resume after a lost connection; small enough for thousands of sessions. */
const EVENTS = { events: 64, bytes: 512 * 1024 };
/** The transport's own number for it. */
const SESSION_NOT_FOUND = -32001;

/** Streamable HTTP: one handler for POST, GET and DELETE of `/mcp` and `/mcp/<server>`. */
export function mcpHttp(deps: McpHttpDeps, server: Server | undefined) {
  const { authenticate, sessions } = deps;

  return async (request: Request, response: Response): Promise<void> => {
    const principal = await authenticate(request, response);
    const problem = malformed(request);
    if (problem !== undefined) return sendRpcError(response, 400, problem.code, problem.message);

    const id = request.headers['mcp-session-id'];
    if (id === undefined) return begin(deps, server, principal, request, response);
    const session = typeof id === 'string' ? sessions.find(id, ownerOf(principal, server ?? '')) : undefined;
    if (session === undefined || typeof id !== 'string') {
      // Unknown, ended, idle for too long, or somebody else's: clients start a new one.
      return sendRpcError(response, 404, SESSION_NOT_FOUND, 'Session not found');
    }
    if (await lacksScope(deps, server, principal, request, response)) return;
    const release = sessions.hold(id);
    response.once('close', release);
    await takeTurn(session, request, response);
    await pass(session, principal, request, response);
  };
}

async function begin(
  deps: McpHttpDeps,
  server: Server | undefined,
  principal: Principal,
  request: Request,
  response: Response,
): Promise<void> {
  if (request.method !== 'POST' || !isInitialize(request.body)) {
    return sendRpcError(response, 400, -32000, 'The Mcp-Session-Id header is needed; begin with initialize');
  }
  if (deps.sessions.size >= MOST_SESSIONS)
    throw new Refusal('busy', 'Too many sessions are open. Try again later.');
  const session = newSession(deps, server, principal);
  await connect(session.server, session.transport);
  await pass(session, principal, request, response);
  // The transport refused to initialize (headers, version), so nobody will ever come back to it.
  if (session.transport.sessionId === undefined) await session.server.close();
}

function newSession(deps: McpHttpDeps, server: Server | undefined, principal: Principal): Session {
  const { core, sessions, version, pageSize, host } = deps;
  const id = randomUUID();
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    onsessioninitialized: (initialized) => sessions.add(initialized, session),
    onsessionclosed: (closed) => sessions.remove(closed),
    eventStore: boundedEventStore(EVENTS),
  });
  const serving = { core, server, pageSize, version, host };
  const mcp = createMcpServer({ ...serving, transport: 'http', session: id, identify: callerIn });
  const session: Session = {
    owner: ownerOf(principal, server ?? ''),
    server: mcp,
    transport,
    answering: new Map(),
  };
  return session;
}

/** The caller of this very request; a session lends its identity to nobody. */
async function callerIn({ authInfo }: Extra): Promise<Principal> {
  const { principal } = CARRIED.parse(authInfo?.extra);
  return principal;
}

const CARRIED = z.object({
  principal: z.custom<Principal>((value) => typeof value === 'object' && value !== null),
});

async function pass(
  session: Session,
  principal: Principal,
  request: Request,
  response: Response,
): Promise<void> {
  // The token itself stays outside: nothing further in needs it.
  const auth: AuthInfo = {
    token: '',
    clientId: principal.client ?? '',
    scopes: [...principal.scopes],
    expiresAt: principal.expiresAtUnix,
    extra: { principal },
  };
  await session.transport.handleRequest(Object.assign(request, { auth }), response, request.body);
}

/**
 * A repeat of a request that is still being answered waits for that answer. The transport keeps one stream per
 * id: the second would take the first one's place, and the first would wait for ever.
 */
async function takeTurn({ answering }: Session, { body }: Request, response: Response): Promise<void> {
  const request = REQUEST.safeParse(body);
  if (!request.success) return;
  const { id } = request.data;
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  const earlier = answering.get(id);
  const mine = ended.then(() => void (answering.get(id) === mine && answering.delete(id)));
  answering.set(id, mine);
  await earlier;
}

const REQUEST = z.object({ id: z.union([z.string(), z.number()]), method: z.string() });

/** RFC 6750 step-up: a call the caller's roles allow and the token does not is an HTTP answer, so that clients can ask for more. */
async function lacksScope(
  { core }: McpHttpDeps,
  server: Server | undefined,
  principal: Principal,
  request: Request,
  response: Response,
): Promise<boolean> {
  const call = CALL.safeParse(request.body);
  if (!call.success) return false;
  const standing = core.standing(principal, call.data.params.name, server);
  if (standing.kind !== 'could') return false;
  const moment = { event: 'denied', outcome: 'denied', final: true, transport: 'http' } as const;
  const requestId = String(call.data.id);
  await core.record.write({
    ...moment,
    tool: standing.tool.name,
    reason: 'insufficient_scope',
    principal,
    requestId,
  });
  const message = `This tool needs a token with the scope ${standing.scopes.join(' or ')}.`;
  response.set('WWW-Authenticate', challenge('insufficient_scope', message, standing.scopes.join(' ')));
  sendError(response, 403, { code: 'insufficient_scope', message });
  return true;
}

const CALL = z.object({
  id: z.union([z.string(), z.number()]),
  method: z.literal('tools/call'),
  params: z.object({ name: z.string() }),
});

const INITIALIZE = z.object({ method: z.literal('initialize') });

function isInitialize(body: unknown): boolean {
  return (Array.isArray(body) ? body : [body]).some((message) => INITIALIZE.safeParse(message).success);
}

/** JSON that is no JSON-RPC. The SDK would answer with its validator's text, which repeats what was sent. */
function malformed({
  method,
  body,
}: Request): { readonly code: number; readonly message: string } | undefined {
  if (method !== 'POST' || body === undefined) return undefined;
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  const isWell =
    messages.length > 0 && messages.every((message) => JSONRPCMessageSchema.safeParse(message).success);
  return isWell
    ? undefined
    : { code: ErrorCode.InvalidRequest, message: 'Invalid Request: not a JSON-RPC 2.0 message' };
}
