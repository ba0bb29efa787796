import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { skip } from '../../support/skip.ts';
import { closed, listening, send } from './support.ts';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('../../prism/', import.meta.url));
const PRISM = `${HERE}node_modules/@stoplight/prism-cli/dist/index.js`;

/** Its own lock file, in its own folder: it brings more packages than the product. */
async function install(context: Mocha.Context): Promise<void> {
  if (existsSync(PRISM)) return;
  try {
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE });
  } catch (error) {
    skip(context, `prism cannot be installed: ${String(error).slice(0, 200)}`);
  }
}

export type Prism = {
  /** Base address under which the specification's paths are. */
  readonly url: string;
  /** What our requests broke of the specification. */
  readonly violations: unknown[];
  /** Makes it answer with this status, or by itself again. */
  answerWith(code: number | undefined): void;
  close(): Promise<void>;
};

const VIOLATIONS = z.array(z.looseObject({ location: z.array(z.string()) }));

/**
 * A mock of one specification. Before it stands a door that gives tokens, as UPS does beside every interface,
 * and takes the server's own path off.
 */
export async function startPrism(
  context: Mocha.Context,
  specification: string,
  prefix: string,
): Promise<Prism> {
  await install(context);
  const { child, port } = await spawnPrism(specification);
  const violations: unknown[] = [];
  let code: number | undefined;
  const door = createServer((request, response) => {
    void pass(request, response).catch(() => response.destroy());
  });
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await textOf(request);
    const { url = '', method = 'GET', headers } = request;
    if (url.startsWith('/security/v1/oauth/token'))
      return send(response, 200, { access_token: 'a-token', expires_in: '14399' });
    const answer = await fetch(`http://127.0.0.1:${port}${url.replace(prefix, '')}`, {
      method,
      headers: { ...plain(headers), ...(code === undefined ? {} : { prefer: `code=${code}` }) },
      ...(body === '' ? {} : { body }),
    });
    const told = VIOLATIONS.safeParse(JSON.parse(answer.headers.get('sl-violations') ?? '[]'));
    violations.push(...(told.data ?? []).filter(({ location }) => location[0] === 'request'));
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  };
  return {
    url: await listening(door),
    violations,
    answerWith: (status) => (code = status),
    close: async () => {
      await closed(door);
      child.kill('SIGKILL');
    },
  };
}

async function spawnPrism(specification: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [PRISM, 'mock', '-p', '0', specification], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  let output = '';
  const exited = once(child, 'exit');
  for (;;) {
    const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(output);
    if (found) {
      child.stdout.resume();
      return { child, port: Number(found[1]) };
    }
    const next: unknown = await Promise.race([once(child.stdout, 'data'), exited.then(() => undefined)]);
    if (!Array.isArray(next)) throw new Error(`Prism did not start: ${output.slice(-500)}`);
    output += String(next[0]);
  }
}

function plain(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      ['host', 'connection', 'content-length', 'accept-encoding'].includes(name) || typeof value !== 'string'
        ? []
        : [[name, value]],
    ),
  );
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
