import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const CLI = fileURLToPath(new URL('../../cli/countersign.mjs', import.meta.url));

const READY = z.object({
  status: z.literal('ready'),
  pid: z.int(),
  namespace: z.string(),
  temporal_address: z.string(),
  urls: z.record(z.string(), z.string()),
});
export type Ready = z.output<typeof READY>;

export type Run = {
  readonly pid: number;
  /** Everything said so far on both streams. */
  said(): string;
  /** Resolves with what runs where; rejects with what was said when the process ends first. */
  readonly ready: Promise<Ready>;
  /** The exit status; null after a signal. */
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
};

export type RunOptions = {
  readonly env: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number };
};

/** Runs a command of ours in a process of its own, with nothing of this run's environment but what it needs. */
export function runCli(args: readonly string[], { env, user }: RunOptions): Run {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ready = new Promise<Ready>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      text += `${line}\n`;
      const parsed = line.startsWith('{') ? READY.safeParse(JSON.parse(line)) : undefined;
      if (parsed?.success) resolve(parsed.data);
    });
    void ended.then((status) => reject(new Error(`ended with ${status} before it was ready:\n${text}`)));
  });
  // A run that nobody waits for may fail.
  ready.catch(() => undefined);
  return { pid: child.pid ?? 0, said: () => text, ready, ended, signal: (signal) => child.kill(signal) };
}
