import { chooseRetrieval } from '../../policy-index/retrieval-choice.ts';
import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import { openPools } from '../../adapters/postgres/pools.ts';
import type { PolicyIndex } from '../../domain/policies.ts';
import type { PolicyRegistry } from '../../domain/policy-registry.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { runPolicies } from '../../policy-index/ingest/run.ts';
import { folderSource } from '../../policy-index/sources/folder.ts';

/** One run in a process of its own. Before a change of this name it says so, and stops for ever. */
const [, , runId = '', pauseAt = '', url = '', home = '', folder = '', history = '', now = ''] = process.argv;

const times = new Map<string, number>();
async function beforeChange(name: string): Promise<void> {
  const time = (times.get(name) ?? 0) + 1;
  times.set(name, time);
  if (pauseAt !== `${name} ${time}`) return;
  process.stdout.write('paused\n');
  await new Promise(() => setInterval(() => undefined, 1000));
}

function watched<T extends object>(target: T, methods: readonly string[]): T {
  return new Proxy(target, {
    get(real, name, receiver) {
      const value: unknown = Reflect.get(real, name, receiver);
      if (typeof name !== 'string' || typeof value !== 'function' || !methods.includes(name)) return value;
      return async (...given: readonly unknown[]) => {
        await beforeChange(name);
        return Reflect.apply(value, real, given);
      };
    },
  });
}

const pools = await openPools({
  writeUrl: url,
  readPoolSize: 2,
  writePoolSize: 2,
  superuserLogin: 'allowed',
});
const index: PolicyIndex = watched(openEmbeddedIndex({ folder: home }), [
  'openBuild',
  'add',
  'keepModel',
  'seal',
  'supersede',
  'verify',
  'pointAlias',
  'remove',
  'drop',
]);
const registry: PolicyRegistry = watched(createPolicyRegistry(pools), [
  'stage',
  'begin',
  'release',
  'publish',
  'removed',
]);
const runs = watched(createPolicyRuns(pools), ['end']);
const { embedders } = await chooseRetrieval({
  embedder: { kind: 'lsa' },
  reranker: { kind: 'none' },
  modelsFolder: home,
});
await runPolicies(
  {
    source: folderSource(folder, history),
    registry,
    runs,
    index,
    embedders,
    fusion: 'minmax',
    supersededMs: 86_400_000,
    syncMs: 3_600_000,
    moment: () => ({ at: now, today: now }),
  },
  runId,
);
await pools.close();
