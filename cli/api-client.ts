import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { mintToken } from '../mcp-gateway/mint-token.ts';
import { DEVELOPMENT_ISSUER, type Settings } from '../platform/config.ts';
import { loadCommandSettings } from '../platform/state.ts';

/** How a command reaches the HTTP API, and as whom. */
export type ApiOptions = {
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly as?: string;
  readonly shop: string;
};

export function withApiOptions(command: Command): Command {
  return command
    .option('--url <url>', 'address of the gateway; default: COUNTERSIGN_URL, else the stack on this home')
    .option('--token <token>', 'your own token; default: COUNTERSIGN_TOKEN')
    .option('--token-file <path>', 'file that holds it, on its last line')
    .option('--as <role>', 'in development: mint a token of the built-in issuer')
    .option('--shop <id>', 'the shop of that token', 'manga');
}

export type Api = {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  post<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T>;
};

const MOST_MS = 30_000;
const ERROR = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** @throws {Error} no token was given, or none can be made */
export async function openApi(options: ApiOptions): Promise<Api> {
  const settings = loadCommandSettings(environment(options));
  const base = new URL(options.url ?? process.env['COUNTERSIGN_URL'] ?? addressOf(settings));
  const token = await tokenOf(options, settings);
  const call = async <T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> => {
    const url = new URL(path, base);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await reached(url, () =>
      fetch(url, {
        method,
        headers,
        signal: AbortSignal.timeout(MOST_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw new Error(problemIn(answer, response.status));
    return schema.parse(answer);
  };
  return {
    get: (path, schema) => call('GET', path, schema),
    post: (path, body, schema) => call('POST', path, schema, body),
  };
}

/** A checkout is a development installation unless its environment says otherwise. */
function environment({ as }: ApiOptions): NodeJS.ProcessEnv {
  const profile = process.env['COUNTERSIGN_PROFILE'];
  return as === undefined || (profile !== undefined && profile !== '')
    ? process.env
    : { ...process.env, COUNTERSIGN_PROFILE: 'development' };
}

function addressOf({ host, ports }: Settings): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${ports.gateway}`;
}

async function tokenOf(options: ApiOptions, { identity }: Settings): Promise<string> {
  const given = options.token ?? fromFile(options.tokenFile) ?? process.env['COUNTERSIGN_TOKEN'];
  if (options.as === undefined) {
    if (given !== undefined && given !== '') return given;
    throw new Error('Who are you? Give your token: --token, --token-file or COUNTERSIGN_TOKEN.');
  }
  if (!identity.development || identity.signingKey === undefined) {
    throw new Error('--as works in the development profile only. Use --token or --token-file.');
  }
  const { token } = await mintToken(
    { as: options.as, shop: options.shop, ttlSeconds: 300 },
    { issuer: DEVELOPMENT_ISSUER, signingKey: identity.signingKey, audiences: identity.audiences },
  );
  return token;
}

function fromFile(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.map((line) => line.trim()).findLast((line) => line !== '');
}

async function reached(url: URL, call: () => Promise<Response>): Promise<Response> {
  try {
    return await call();
  } catch (error) {
    throw new Error(
      `No gateway answers at ${url.origin}. Start the stack (npm start), or name it: --url or COUNTERSIGN_URL.`,
      { cause: error },
    );
  }
}

function problemIn(answer: unknown, status: number): string {
  const parsed = ERROR.safeParse(answer);
  return parsed.success
    ? `${parsed.data.error.message} (${parsed.data.error.code})`
    : `The gateway answered ${status}.`;
}
