import { randomUUID } from 'node:crypto';
import { Server as McpServer } from '@modelcontextprotocol/sdk/server/index.js';
import {
  type AnyObjectSchema,
  getLiteralValue,
  getObjectShape,
} from '@modelcontextprotocol/sdk/server/zod-compat.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { INSTRUCTIONS } from '../catalog/instructions.ts';
import type { Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Logger } from '../platform/log.ts';
import { faultMessage } from './render.ts';
import { RpcError, internalError } from './rpc-error.ts';
import { servePrompts } from './serve-prompts.ts';
import { serveResources } from './serve-resources.ts';
import { serveTools } from './serve-tools.ts';
import type { Context, Extra, Host, Register, Serving } from './serving.ts';
import { RequestCancelled } from './temporal-runs.ts';

export type McpServerOptions = Serving & {
  readonly version: string;
  readonly transport: 'http' | 'stdio';
  /** Unguessable; one per session. */
  readonly session: string;
  /** Who sent this request, verified now. @throws {Refusal} unauthenticated, unavailable */
  readonly identify: (extra: Extra) => Promise<Principal>;
  readonly host?: Host | undefined;
};

/** One MCP server for one session, on the SDK's low-level `Server` (docs/decisions/0007). */
export function createMcpServer(options: McpServerOptions): McpServer {
  const { server, version, host } = options;
  const mcp = new McpServer(
    { name: server ?? 'countersign', title: 'Countersign', version },
    {
      capabilities: {
        tools: {},
        resources: {},
        prompts: {},
        completions: {},
        logging: {},
        ...host?.capabilities,
      },
      instructions: INSTRUCTIONS,
    },
  );
  const on = registerOn(mcp, options);
  serveTools(on, options);
  serveResources(on, options);
  servePrompts(on, options);
  host?.register?.(mcp);
  return mcp;
}

/** Connects, and hides from the SDK what this server does not declare: see `withoutTask`. */
export async function connect(mcp: McpServer, transport: Transport): Promise<void> {
  await mcp.connect(transport);
  const receive = transport.onmessage;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a Transport is no EventTarget
  transport.onmessage = (message, extra) => receive?.(withoutTask(message), extra);
}

/**
 * The protocol has servers without tasks ignore `task` on a call. The SDK would run the handler, effects and
 * all, and then refuse its answer.
 */
function withoutTask<M extends JSONRPCMessage>(message: M): M {
  if (!('method' in message) || message.method !== 'tools/call' || message.params?.['task'] === undefined) {
    return message;
  }
  const { task: _, ...params } = message.params;
  return { ...message, params };
}

function registerOn(mcp: McpServer, options: McpServerOptions): Register {
  return (schema, handler) => {
    const method = methodOf(schema);
    mcp.setRequestHandler(schema, async (request, extra) => {
      try {
        const context = await contextOf(options, extra);
        const own = () => handler(request, context);
        return await (options.host?.intercept?.(method, request, context, own) ?? own());
      } catch (error) {
        throw rpcErrorOf(error, options, mcp, extra);
      }
    });
  };
}

function methodOf(schema: AnyObjectSchema): string {
  const method = getObjectShape(schema)?.['method'];
  return String(method === undefined ? '' : getLiteralValue(method));
}

async function contextOf(options: McpServerOptions, extra: Extra): Promise<Context> {
  const principal = await options.identify(extra);
  const { transport, session } = options;
  return {
    principal,
    asked: { principal, transport, session, requestId: String(extra.requestId) },
    signal: extra.signal,
    extra,
    progress: (begun) => reportProgress(extra, begun),
  };
}

function reportProgress(extra: Extra, begun: string): (ended: string) => Promise<void> {
  const token = extra._meta?.progressToken;
  if (token === undefined) return async () => undefined;
  const send = (progress: number, message: string) =>
    extra.sendNotification({
      method: 'notifications/progress',
      params: { progressToken: token, progress, total: 1, message },
    });
  const first = send(0, begun);
  return async (ended) => {
    await first;
    await send(1, ended);
  };
}

/** What may leave: our own errors as they are, refusals by their message, and of a fault nothing but an id. */
function rpcErrorOf(error: unknown, { core }: McpServerOptions, mcp: McpServer, extra: Extra): Error {
  if (error instanceof RpcError) return error;
  if (error instanceof Refusal) return internalError(error.message);
  if (error instanceof RequestCancelled || extra.signal.aborted) return internalError('Request cancelled');
  const id = randomUUID();
  core.log.error({ err: error, callId: id }, 'request failed');
  void tell(mcp, id, extra, core.log);
  return internalError(faultMessage(id));
}

async function tell(mcp: McpServer, callId: string, { sessionId }: Extra, log: Logger): Promise<void> {
  try {
    const data = { call_id: callId };
    await mcp.sendLoggingMessage({ level: 'error', logger: 'countersign', data }, sessionId);
  } catch (error) {
    log.debug({ err: error }, 'the client does not take log messages any more');
  }
}
