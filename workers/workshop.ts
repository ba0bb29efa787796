import { openCarriers } from '../adapters/carriers/router.ts';
import { createActionCourt } from '../adapters/postgres/action-court.ts';
import { createActionDesk } from '../adapters/postgres/action-desk.ts';
import { createAuditLog } from '../adapters/postgres/audit-log.ts';
import { createCheckout, randomOrderId } from '../adapters/postgres/checkout.ts';
import { createEffects } from '../adapters/postgres/effects.ts';
import { createEtaStore } from '../adapters/postgres/eta-store.ts';
import { createGrants, seedDevelopmentGrants } from '../adapters/postgres/grants.ts';
import { createLogisticsStore } from '../adapters/postgres/logistics-store.ts';
import { createOrderLives } from '../adapters/postgres/order-life.ts';
import { createOrderStore } from '../adapters/postgres/order-store.ts';
import { openPools, type Pools } from '../adapters/postgres/pools.ts';
import { createPriceStore } from '../adapters/postgres/price-store.ts';
import { createPromotionStore, createPromotionTimes } from '../adapters/postgres/promotion-store.ts';
import { createQuoteStore, createShippingStore } from '../adapters/postgres/shipping-store.ts';
import { shopIds } from '../adapters/postgres/shops.ts';
import { createStockStore } from '../adapters/postgres/stock-store.ts';
import type { Around } from '../activities/actions/run-body.ts';
import { createCache } from '../activities/cached-read.ts';
import { bodies, type BodyDeps } from '../activities/index.ts';
import { judgeOrderEvents } from '../activities/lifecycle/judge-order-events.ts';
import { announcePromotion } from '../activities/pricing/announce-promotion.ts';
import type { ActionCourt, ActionDesk } from '../domain/action.ts';
import type { AuditLog } from '../domain/audit.ts';
import type { Cache, CacheMetrics, CacheStore } from '../domain/cache.ts';
import type { CarrierMetrics, EtaStore } from '../domain/carriers.ts';
import type { Clock } from '../domain/clock.ts';
import type { OrderLives } from '../domain/order-life.ts';
import { ROLES } from '../domain/roles.ts';
import type { QuoteStore } from '../domain/shipping.ts';
import type { Runs } from '../domain/runs.ts';
import type { BallotStatement, Seals } from '../domain/seals.ts';
import { type Config, DEVELOPMENT_ISSUER } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { createSeals } from '../platform/seals.ts';
import { type Activities, activitiesOf } from './activities.ts';
import { openCacheStore } from './cache-store.ts';
import { paymentActivities } from './payment-activities.ts';
import { openPolicies } from './policies.ts';
import { policyActivities } from './policy-activities.ts';

/** What workers of one process share: activities over real stores, and what keeps house. */
export type Workshop = {
  readonly activities: Activities;
  readonly desk: ActionDesk;
  readonly court: ActionCourt;
  readonly audit: AuditLog;
  readonly seals: Seals;
  readonly pools: Pools;
  readonly lives: OrderLives;
  readonly clock: Clock;
  readonly cache: Cache;
  close(): Promise<void>;
};

export type WorkshopDeps = {
  readonly config: Config;
  readonly log: Logger;
  readonly nudge: Runs['nudge'];
  readonly metrics?: CacheMetrics;
  readonly carrierMetrics?: CarrierMetrics;
  readonly onAnswer?: Around['onAnswer'];
  /** A store that others in this process use, too. Its owner closes it. */
  readonly sharedStore?: CacheStore;
  /** Instead of those that the configuration names: of programs that embed this one. */
  readonly policies?: BodyDeps['policies'];
  readonly applicationName: string;
};

/** Opens pools and cache and puts the activities together. Close it after the workers that use it. */
export async function openWorkshop({
  config,
  log,
  nudge,
  metrics,
  carrierMetrics,
  onAnswer,
  sharedStore,
  policies,
  applicationName,
}: WorkshopDeps): Promise<Workshop> {
  const { database, clockOffsetMs } = config;
  const pools = await openPools({
    ...database,
    applicationName,
    superuserLogin: config.profile === 'development' ? 'allowed' : 'refused',
    onIdleError: (kind, error) => log.warn({ err: error, pool: kind }, 'a database connection broke'),
  });
  const store = sharedStore ?? (await openCacheStore(config, log));
  const cache = createCache({
    store,
    ...(metrics ? { metrics } : {}),
    onStoreChange: (isAvailable) =>
      log[isAvailable ? 'info' : 'warn'](
        isAvailable ? 'the cache answers again' : 'the cache is away; reads load directly',
      ),
  });
  if (config.identity.development) await makeRolesKnown(pools);
  const desk = createActionDesk(pools);
  const court = createActionCourt(pools);
  const audit = createAuditLog(pools);
  const seals = sealsOf(config);
  const kept = openPolicies(config, pools, log);
  const lives = createOrderLives(pools);
  const clock: Clock = { now: () => new Date(Date.now() + clockOffsetMs) };
  const realTime: Clock = { now: () => new Date() };
  const work = bodies({
    cache,
    stock: { replica: createStockStore(pools.read), primary: createStockStore(pools.write) },
    orders: { replica: createOrderStore(pools.read), primary: createOrderStore(pools.write) },
    prices: { replica: createPriceStore(pools.read), primary: createPriceStore(pools.write) },
    promotions: createPromotionStore(pools.write),
    desk,
    effects: createEffects(pools),
    checkout: createCheckout(pools, {
      clock,
      realTime,
      paymentDueSeconds: config.payments.dueSeconds,
      newOrderId: randomOrderId,
    }),
    policies: policies ?? kept.answers,
    carriers: openCarriers(config, log, carrierMetrics),
    ...keptBestEffort(pools, log),
    logistics: createLogisticsStore(pools.read),
    shipping: createShippingStore(pools.read),
    pseudonym: (tenant, text) => seals.pseudonym(tenant, text),
    runs: { nudge },
    clock,
    realTime,
  });
  const onOwed = (error: unknown) => log.warn({ err: error }, 'an audit row is owed');
  return {
    activities: {
      ...activitiesOf(work, {
        seals,
        audit,
        court,
        onOwed,
        now: () => new Date(),
        ...(onAnswer ? { onAnswer } : {}),
      }),
      ...paymentActivities(pools, config),
      ...policyActivities(kept, log),
      judge_order_events: judgeOrderEvents(lives, cache),
      announce_promotion: announcePromotion(createPromotionTimes(pools, clock, clockOffsetMs), cache),
    },
    desk,
    court,
    audit,
    seals,
    pools,
    lives,
    clock,
    cache,
    close: async () => {
      if (sharedStore === undefined) await store.close();
      await kept.close();
      await pools.close();
    },
  };
}

/** What a carrier said is an answer also when it cannot be kept for later. */
function keptBestEffort(pools: Pools, log: Logger): { readonly etas: EtaStore; readonly quotes: QuoteStore } {
  const [etas, quotes] = [createEtaStore(pools), createQuoteStore(pools)];
  const lost = (error: unknown) => log.warn({ err: error }, 'what a carrier said could not be kept');
  return {
    etas: {
      ...etas,
      keep: (tenant, eta) =>
        etas.keep(tenant, eta).catch((error: unknown) => {
          lost(error);
          return [];
        }),
    },
    quotes: { ...quotes, keep: (...known) => quotes.keep(...known).catch(lost) },
  };
}

function sealsOf({ secrets }: Config): Seals {
  return createSeals<BallotStatement>({
    seal: [secrets.sealKey.toString('base64')],
    personal: [secrets.personalDataKey.toString('base64')],
  });
}

/** The built-in issuer's logins, one person per role and an agent of each, in every shop. Never restores what was revoked. */
async function makeRolesKnown(pools: Pools): Promise<void> {
  const grants = createGrants(pools);
  for (const id of await shopIds(pools)) {
    await seedDevelopmentGrants(grants, id, DEVELOPMENT_ISSUER);
    for (const role of ROLES.filter((one) => one !== 'customer'))
      await grants.ensureAgent(id, DEVELOPMENT_ISSUER, `agent-of-${role}`, role);
  }
}
