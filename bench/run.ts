import { benchHotKey } from './cache.ts';
import { benchActions, benchReads } from './calls.ts';
import { benchCarrierFaults } from './carrier-faults.ts';
import { benchImport } from './import.ts';
import { benchLifecycles } from './lifecycles.ts';
import { benchHotKeyOverMcp, benchMemory } from './load.ts';
import { benchPolicies } from './policies.ts';
import type { Row } from './report.ts';
import { freshHome, type Stack, startStack } from './stack.ts';
import { benchWarmStart } from './warm-start.ts';

type Log = (line: string) => void;

/** Measurements that need a running stack. */
const ON_A_STACK: Readonly<Record<string, (stack: Stack, log: Log) => Promise<readonly Row[]>>> = {
  reads: benchReads,
  actions: benchActions,
  memory: benchMemory,
  lifecycles: benchLifecycles,
  carriers: benchCarrierFaults,
  'hot-key': async (stack, log) => {
    const redisUrl = process.env['TEST_REDIS_URL'] ?? process.env['REDIS_URL'];
    if (redisUrl !== undefined) return benchHotKeyOverMcp(stack, redisUrl);
    log('hot key over two gateways: left out, REDIS_URL names no Redis');
    return [];
  },
};

/** Measurements that bring what they need. */
const ALONE: Readonly<Record<string, (log: Log) => Promise<readonly Row[]>>> = {
  cache: (log) => benchHotKey(log),
  import: (log) => benchImport(log),
  policies: (log) => benchPolicies(log),
};

export const BENCHMARKS = [...Object.keys(ON_A_STACK), 'start', ...Object.keys(ALONE)];

/** Runs what is asked for, one after the other, and answers with every figure. */
export async function runBenchmarks(names: readonly string[], log: Log): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const wanted = (name: string) => names.length === 0 || names.includes(name);
  const onStack = Object.entries(ON_A_STACK).filter(([name]) => wanted(name));
  if (onStack.length > 0 || wanted('start')) {
    const fresh = freshHome();
    log('starting a stack');
    const stack = await startStack(fresh.home);
    try {
      for (const [name, bench] of onStack) {
        log(name);
        rows.push(...(await bench(stack, log)));
      }
    } finally {
      await stack.stop();
    }
    if (wanted('start')) rows.push(...(await benchWarmStart(fresh.home)));
    fresh.remove();
  }
  for (const [name, bench] of Object.entries(ALONE)) {
    if (!wanted(name)) continue;
    log(name);
    rows.push(...(await bench(log)));
  }
  return rows;
}
