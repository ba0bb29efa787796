import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { mintToken } from '../mcp-gateway/mint-token.ts';
import type { Config } from '../platform/config.ts';
import { loadCommandConfig } from '../platform/state.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The whole product, started as a user starts it, on a home of its own. */
export type Stack = {
  readonly url: string;
  readonly config: Config;
  /** From the command to `countersign ready`. */
  readonly startedInMs: number;
  token(as: string): Promise<string>;
  stop(): Promise<void>;
};

export function freshHome(): { readonly home: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  return { home: join(folder, 'home'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** @throws {Error} with what the start printed, when it does not become ready */
export async function startStack(home: string): Promise<Stack> {
  const began = performance.now();
  const child = spawn(process.execPath, ['cli/countersign.mjs', 'start', '--json'], {
    cwd: ROOT,
    env: { ...process.env, COUNTERSIGN_HOME: home, COUNTERSIGN_PROFILE: 'development' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => void said.push(chunk.toString()));
  const ready = await Promise.race([readyLine(child), once(child, 'exit').then(() => undefined)]);
  if (ready === undefined) throw new Error(`The stack did not start:\n${said.join('')}`);
  const config = loadCommandConfig({ ...process.env, COUNTERSIGN_HOME: home });
  return {
    url: ready,
    config,
    startedInMs: performance.now() - began,
    token: (as) => token(config, as),
    stop: async () => {
      child.kill('SIGINT');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function readyLine(child: ChildProcess): Promise<string | undefined> {
  if (!child.stdout) return undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    // The cast names what `start --json` documents.
    const { status, urls } = JSON.parse(line) as { status: string; urls: Record<string, string> };
    if (status === 'ready') return new URL(urls['mcp'] ?? '').origin;
  }
  return undefined;
}

async function token({ identity }: Config, as: string): Promise<string> {
  const { issuer, signingKey, audiences } = identity;
  if (signingKey === undefined) throw new Error('Benchmarks run with the development issuer.');
  const minted = await mintToken({ as, shop: 'manga', ttlSeconds: 7_200 }, { issuer, signingKey, audiences });
  return minted.token;
}

/** Gateway and worker alone, in a process that can be asked to collect its garbage. */
export type Server = {
  readonly url: string;
  /** Bytes after a forced garbage collection. */
  memory(): Promise<{ readonly rss: number; readonly heapUsed: number }>;
  stop(): Promise<void>;
};

/** `env` lies over what the stack on `home` runs with. */
export async function startServer(home: string, env: Readonly<Record<string, string>>): Promise<Server> {
  const child = fork(join(ROOT, 'bench', 'server.ts'), {
    cwd: ROOT,
    execArgv: ['--expose-gc', '--import', 'tsx'],
    env: { ...process.env, COUNTERSIGN_HOME: home, COUNTERSIGN_PROFILE: 'development', ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const url = await reply<string>(child);
  return {
    url,
    memory: () => {
      child.send('memory');
      return reply(child);
    },
    stop: async () => {
      child.send('stop');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function reply<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('The server ended before it answered.');
  });
  // bench/server.ts sends exactly one message for each question.
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return message;
}
