import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicyRun } from '../../domain/policy-registry.ts';
import { loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { openState } from '../../platform/state.ts';
import type { IngestDeps } from '../../policy-index/ingest/deps.ts';
import { runPolicies } from '../../policy-index/ingest/run.ts';
import { openPolicies } from '../../workers/policies.ts';
import { freshDatabase } from '../support/database.ts';
import { openShop } from '../support/rows.ts';
import type { TestTemporal } from '../support/temporal.ts';

type Said = { readonly out: string; readonly err: string; readonly code: number };

/** Where `countersign policy` finds its database and its folder; what it asks for is done on demand. */
export async function commandRoom(temporal: TestTemporal) {
  const db = await freshDatabase();
  await openShop(db.pools, 'manga');
  const home = await mkdtemp(join(tmpdir(), 'countersign-policy-'));
  const folder = await mkdtemp(join(tmpdir(), 'countersign-policies-'));
  const env = {
    COUNTERSIGN_PROFILE: 'development',
    COUNTERSIGN_HOME: join(home, 'state'),
    DATABASE_URL: db.writeUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    COUNTERSIGN_QUEUE_PREFIX: temporal.queuePrefix,
    POLICY_FOLDER: folder,
    POLICY_EMBEDDER: 'lsa',
    USER: 'akiko',
  };
  openState(env.COUNTERSIGN_HOME);
  const policies = openPolicies(loadSettings(env), db.pools, createLog({ level: 'silent' }));
  const deps = await policies.ingest();
  return {
    db,
    folder,
    deps,
    /** Files of the state directory. */
    history: join(home, 'state', 'policy-history'),
    command: (args: readonly string[], changes: Readonly<Record<string, string>> = {}) =>
      command(['policy', ...args], { ...env, ...changes }),
    /** Publishes what the folder holds, without the command. */
    publish: async () => {
      const { id } = await deps.runs.request({ kind: 'ingest', target: null, requestedBy: 'test' });
      await runPolicies(deps, id);
    },
    /** Does whatever is asked for, one after the other, while `work` lasts. */
    keeping: async <T>(work: Promise<T>): Promise<T> => {
      const keeper = keep(deps);
      try {
        return await work;
      } finally {
        await keeper.stop();
      }
    },
    runs: (): Promise<readonly PolicyRun[]> => deps.runs.latest(100),
    close: async () => {
      await policies.close();
      await db.drop();
      await rm(home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type CommandRoom = Awaited<ReturnType<typeof commandRoom>>;

function keep(deps: IngestDeps): { stop(): Promise<void> } {
  let isOver = false;
  const working = (async () => {
    while (!isOver) {
      const open = await deps.runs.open();
      if (open !== undefined) await runPolicies(deps, open.id);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  // Looked at by `stop`.
  working.catch(() => undefined);
  return {
    stop: () => {
      isOver = true;
      return working;
    },
  };
}

function command(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['cli/countersign.mjs', ...args],
      { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env } },
      (_error, out, err) => resolve({ out, err, code: child.exitCode ?? -1 }),
    );
  });
}
