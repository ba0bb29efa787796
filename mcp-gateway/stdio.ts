import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { Server } from '../catalog/define.ts';
import type { Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Core } from './gateway-core.ts';
import { connect, createMcpServer } from './mcp-server.ts';
import { RpcError } from './rpc-error.ts';
import type { Host } from './serving.ts';

export type StdioDeps = {
  readonly core: Core;
  readonly server: Server | undefined;
  /** Who speaks, verified now: the token may have expired, or been replaced, since the last call. @throws {Refusal} */
  readonly identify: () => Promise<Principal>;
  readonly host?: Host | undefined;
  readonly input: Readable;
  readonly output: Writable;
  readonly version?: string;
};

const VERSION = '0.1.0';
const PAGE_SIZE = 100;

/** Serves one client over two streams; nothing but JSON-RPC goes to `output`. Resolves when the client hangs up. */
export async function serveStdio(deps: StdioDeps): Promise<void> {
  const { core, server, host, input, output, version = VERSION } = deps;
  const mcp = createMcpServer({
    core,
    server,
    version,
    host,
    pageSize: PAGE_SIZE,
    transport: 'stdio',
    session: randomUUID(),
    identify: (extra) => identified(deps, String(extra.requestId)),
  });
  const ended = new Promise<void>((resolve) => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- an MCP server is no EventTarget
    mcp.onclose = resolve;
    input.once('end', resolve);
    input.once('close', resolve);
  });
  await connect(mcp, new StdioServerTransport(input, output));
  await ended;
  await mcp.close();
}

async function identified({ core, identify }: StdioDeps, requestId: string): Promise<Principal> {
  try {
    return await identify();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'unauthenticated') throw error;
    const moment = { event: 'denied', outcome: 'denied', final: true, transport: 'stdio' } as const;
    await core.record.write({ ...moment, tool: 'stdio', reason: error.code, requestId });
    throw new RpcError(ErrorCode.InvalidRequest, error.message);
  }
}
