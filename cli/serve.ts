import { prepareTemporal } from '../adapters/temporal/namespace.ts';
import type { Config } from '../platform/config.ts';
import { createLog } from '../platform/log.ts';
import { loadServingConfig } from '../platform/state.ts';
import { explain } from './explain.ts';
import type { Parts } from './parts.ts';
import { supervise } from './supervisor.ts';

export type Serve = {
  readonly json: boolean;
  /** Starts what is to be served and registers how it ends. */
  readonly begin: (parts: Parts) => Promise<void>;
  /** What is said on stdout once it serves. */
  readonly ready: (config: Config) => {
    readonly line: string;
    readonly facts: Readonly<Record<string, unknown>>;
  };
};

/** Runs one part of the product until a signal asks it to end; then lets what is under way finish. */
export async function serve({ json, begin, ready }: Serve): Promise<void> {
  const config = loadServingConfig(process.env);
  const log = createLog({ level: config.logLevel });
  const supervisor = supervise((line) => log.info(line));
  const note = (text: string) => log.debug(text);
  // Every process does: whoever comes first on a new cluster makes it ready for the others.
  const started = prepareTemporal(config.temporal).then(() => begin({ config, log, supervisor, note }));
  const outcome = await Promise.race([started.then(() => 'ready' as const, failed), supervisor.asked]);
  if (outcome === 'ready') {
    const { line, facts } = ready(config);
    process.stdout.write(
      `${json ? JSON.stringify({ status: 'ready', pid: process.pid, ...facts }) : line}\n`,
    );
    log.info({ signal: await supervisor.asked }, 'draining');
  }
  const problems = await supervisor.end();
  if (typeof outcome !== 'string') process.stderr.write(`${explain(outcome.error)}\n`);
  // Connections of libraries must not keep alive what has been stopped.
  process.exit(typeof outcome === 'string' && problems.length === 0 ? 0 : 1);
}

const failed = (error: unknown) => ({ error });
