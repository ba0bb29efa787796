import type { Server as McpServer } from '@modelcontextprotocol/sdk/server/index.js';
import type { AnyObjectSchema, SchemaOutput } from '@modelcontextprotocol/sdk/server/zod-compat.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type {
  ServerCapabilities,
  ServerNotification,
  ServerRequest,
  ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import type { Server } from '../catalog/define.ts';
import type { Principal } from '../domain/principal.ts';
import type { Asked } from './compile-plan.ts';
import type { Core } from './gateway-core.ts';

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** One request, with its caller verified. */
export type Context = {
  readonly principal: Principal;
  readonly asked: Asked;
  readonly signal: AbortSignal;
  readonly extra: Extra;
  /** Reports a beginning, if the client asked for progress; the answer reports the end. */
  progress(begun: string): (ended: string) => Promise<void>;
};

type Handler<P> = (request: P, context: Context) => Promise<ServerResult>;

/** Adds one request handler. Whatever it throws leaves as a JSON-RPC error without foreign text. */
export type Register = <S extends AnyObjectSchema>(schema: S, handler: Handler<SchemaOutput<S>>) => void;

export type Serving = {
  readonly core: Core;
  /** One domain server, or undefined for all of them. */
  readonly server: Server | undefined;
  readonly pageSize: number;
};

/** What a program that embeds the gateway adds to each session. The product itself adds nothing. */
export type Host = {
  readonly capabilities?: ServerCapabilities;
  /** Stands before the gateway's own handlers; `next` is the one of this method. */
  readonly intercept?: (
    method: string,
    request: unknown,
    context: Context,
    next: () => Promise<ServerResult>,
  ) => Promise<ServerResult>;
  /** Adds handlers of methods that the gateway does not serve. */
  readonly register?: (server: McpServer) => void;
};
