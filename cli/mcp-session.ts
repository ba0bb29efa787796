import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { mintToken } from '../mcp-gateway/mint-token.ts';
import { DEVELOPMENT_ISSUER } from '../platform/config.ts';
import { liveRun } from '../platform/run-file.ts';
import { loadCommandSettings } from '../platform/state.ts';

/** How a command reaches the gateway as an MCP client, and as whom. */
export type McpOptions = {
  readonly transport: 'http' | 'stdio';
  readonly url?: string;
  readonly server?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly as: string;
  readonly shop: string;
};

/** A connected client. Whoever gets it closes it. */
export async function connectMcp(options: McpOptions, name: string): Promise<Client> {
  const token = await tokenFor(options);
  const client = new Client({ name, version: '0.1.0' });
  await client.connect(transportFor(options, token));
  return client;
}

async function tokenFor({ token, tokenFile, as, shop }: McpOptions): Promise<string> {
  if (token !== undefined) return token;
  if (tokenFile !== undefined) return readFileSync(tokenFile, 'utf8').trim().split('\n').at(-1) ?? '';
  const { identity } = loadCommandSettings(process.env);
  const { signingKey, audiences } = identity;
  if (signingKey === undefined || !identity.development) {
    throw new Error(
      'Give a token: --token <token> or --token-file <path>. Only a development stack lends its issuer.',
    );
  }
  return (
    await mintToken({ as, shop, ttlSeconds: 600 }, { issuer: DEVELOPMENT_ISSUER, signingKey, audiences })
  ).token;
}

function transportFor(options: McpOptions, token: string): Transport {
  return options.transport === 'stdio' ? overStdio(options, token) : overHttp(options, token);
}

function overHttp({ url, server }: McpOptions, token: string): Transport {
  const { home, ports } = loadCommandSettings(process.env);
  const base = url ?? liveRun(home)?.urls['console'] ?? `http://127.0.0.1:${ports.gateway}`;
  const path = server === undefined ? '/mcp' : `/mcp/${server}`;
  return new StreamableHTTPClientTransport(new URL(path, base), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
}

/** The command a host would start, from the same checkout; the token travels in the environment, not in the arguments. */
function overStdio({ server }: McpOptions, token: string): Transport {
  const entry = fileURLToPath(new URL('./countersign.mjs', import.meta.url));
  const own = Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return new StdioClientTransport({
    command: process.execPath,
    args: [entry, 'stdio', ...(server === undefined ? [] : ['--server', server])],
    env: { ...getDefaultEnvironment(), ...Object.fromEntries(own), COUNTERSIGN_TOKEN: token },
  });
}
