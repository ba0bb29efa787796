/**
 * A worker in a process of its own that kills itself, without a word, at the point named by CRASH_AT. Started by
 * crash.test.ts.
 */
import { bodies } from '../../activities/index.ts';
import { noPolicies } from '../support/no-policies.ts';
import { createActionCourt } from '../../adapters/postgres/action-court.ts';
import { createActionDesk } from '../../adapters/postgres/action-desk.ts';
import { createAuditLog } from '../../adapters/postgres/audit-log.ts';
import { createEffects } from '../../adapters/postgres/effects.ts';
import { openPools } from '../../adapters/postgres/pools.ts';
import { connectWorker } from '../../adapters/temporal/connect.ts';
import type { Effects } from '../../domain/action.ts';
import { QUEUE_KINDS } from '../../domain/queues.ts';
import type { BallotStatement } from '../../domain/seals.ts';
import { createSeals } from '../../platform/seals.ts';
import { activitiesOf } from '../../workers/activities.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { setUpRuntime, temporalLogger } from '../../workers/runtime.ts';
import { startOn } from '../../workers/worker.ts';
import { both, freshCache, shippingOver } from '../support/world.ts';
import { judgeOrderEvents } from '../../activities/lifecycle/judge-order-events.ts';
import { createOrderLives } from '../../adapters/postgres/order-life.ts';
import { createOrderStore } from '../../adapters/postgres/order-store.ts';
import { createPriceStore } from '../../adapters/postgres/price-store.ts';
import { createPromotionStore } from '../../adapters/postgres/promotion-store.ts';
import { createStockStore } from '../../adapters/postgres/stock-store.ts';
import { silent } from './stage.ts';

const { CRASH_AT, DATABASE, NAMESPACE, ADDRESS, SEAL, PERSONAL } = process.env;
const die = () => process.kill(process.pid, 'SIGKILL');
const never = () => new Promise<never>(() => undefined);

setUpRuntime(silent);
const pools = await openPools({
  writeUrl: DATABASE ?? '',
  readPoolSize: 4,
  writePoolSize: 4,
  superuserLogin: 'allowed',
});
const { connection } = await connectWorker({
  address: ADDRESS ?? '',
  namespace: NAMESPACE ?? '',
  tls: undefined,
  apiKey: undefined,
});
const real = createEffects(pools);
const effects: Effects = {
  once: async (call, digest, effect) => {
    const result = await real.once(call, digest, async (work) => {
      const done = await effect(work);
      if (CRASH_AT === 'before commit') {
        die();
        await never();
      }
      return done;
    });
    if (CRASH_AT === 'after commit') {
      die();
      await never();
    }
    return result;
  },
};
const stock = createStockStore(pools.read);
const all = bodies({
  cache: freshCache(),
  stock: both(
    CRASH_AT === 'in a read'
      ? {
          ...stock,
          warehouses: () => {
            die();
            return never();
          },
        }
      : stock,
  ),
  orders: both(createOrderStore(pools.read)),
  promotions: createPromotionStore(pools.write),
  prices: both(createPriceStore(pools.read)),
  desk: createActionDesk(pools),
  effects,
  checkout: { place: never },
  policies: noPolicies(),
  ...shippingOver(pools),
  carriers: { track: never, rate: never, label: never, intercept: never },
  runs: { nudge: async () => undefined },
  clock: { now: () => new Date() },
  realTime: { now: () => new Date() },
});
const lives = createOrderLives(pools);
const judge_order_events = judgeOrderEvents(
  {
    ...lives,
    advance: async (life) => {
      const advanced = await lives.advance(life);
      if (CRASH_AT === 'after judging') {
        die();
        await never();
      }
      return advanced;
    },
  },
  freshCache(),
);
const activities = activitiesOf(all, {
  seals: createSeals<BallotStatement>({ seal: [SEAL ?? ''], personal: [PERSONAL ?? ''] }),
  audit: createAuditLog(pools),
  court: createActionCourt(pools),
  now: () => new Date(),
});
const bundle = await workflowBundle(temporalLogger(silent));
for (const kind of QUEUE_KINDS) {
  await startOn(kind, {
    connection,
    namespace: NAMESPACE ?? '',
    queuePrefix: NAMESPACE ?? '',
    activities: { ...activities, judge_order_events },
    bundle,
    log: silent,
    onDeath: () => process.exit(1),
  });
}
process.send?.('ready');
