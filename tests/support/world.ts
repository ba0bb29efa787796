import { bodies, type BodyDeps } from '../../activities/index.ts';
import { createCache } from '../../activities/cached-read.ts';
import { noPolicies } from './no-policies.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { createEtaStore } from '../../adapters/postgres/eta-store.ts';
import { createLogisticsStore } from '../../adapters/postgres/logistics-store.ts';
import { createOrderStore } from '../../adapters/postgres/order-store.ts';
import type { Pools } from '../../adapters/postgres/pools.ts';
import { createPriceStore } from '../../adapters/postgres/price-store.ts';
import { createPromotionStore } from '../../adapters/postgres/promotion-store.ts';
import { seed } from '../../adapters/postgres/seed/seed.ts';
import { createQuoteStore, createShippingStore } from '../../adapters/postgres/shipping-store.ts';
import { createStockStore } from '../../adapters/postgres/stock-store.ts';
import { hashOf } from '../../catalog/digest.ts';
import type { Bodies } from '../../catalog/index.ts';
import { type CarrierClient, CarrierError } from '../../domain/carriers.ts';
import type { Caller } from '../../domain/principal.ts';
import { freshDatabase, type TestDatabase } from './database.ts';

/** Business time of the seeded world. */
export const NOW = new Date('2026-11-21T12:00:00Z');

/** The three seeded shops with bodies over real stores and a real cache. What has no store here is not to be called. */
export type World = {
  readonly db: TestDatabase;
  readonly deps: BodyDeps;
  /** Bodies, with other parts put in where given. */
  bodies(other?: Partial<BodyDeps>): Bodies;
  close(): Promise<void>;
};

export async function seededWorld(): Promise<World> {
  const db = await freshDatabase();
  await seed({ writeUrl: db.writeUrl, systemUrl: db.systemUrl, superuserLogin: 'allowed' }, { now: NOW });
  const deps = depsOf(db);
  return { db, deps, bodies: (other) => bodies({ ...deps, ...other }), close: () => db.drop() };
}

/** Bodies' parts over one database, with a cache of their own. */
export function depsOf(db: TestDatabase): BodyDeps {
  const unused = () => Promise.reject(new Error('This test has no such part.'));
  return {
    cache: freshCache(),
    stock: both(createStockStore(db.pools.read)),
    orders: both(createOrderStore(db.pools.read)),
    prices: both(createPriceStore(db.pools.read)),
    promotions: createPromotionStore(db.pools.write),
    desk: { find: unused, cancel: unused, pending: unused },
    effects: { once: unused },
    checkout: { place: unused },
    policies: noPolicies(),
    ...shippingOver(db.pools),
    carriers: noCarriers(),
    runs: { nudge: unused },
    clock: { now: () => NOW },
    realTime: { now: () => new Date() },
  };
}

/** What shipping is read from and kept in. */
export function shippingOver(pools: Pools) {
  return {
    etas: createEtaStore(pools),
    logistics: createLogisticsStore(pools.read),
    shipping: createShippingStore(pools.read),
    quotes: createQuoteStore(pools),
    pseudonym: (tenant: string, text: string) => hashOf({ tenant, text }).slice(0, 32),
  };
}

/** As a process without any carrier configured. */
function noCarriers(): CarrierClient {
  const none = () => Promise.reject(new CarrierError('unsupported', 'No carrier has an interface.'));
  return { track: none, rate: none, label: none, intercept: none };
}

/** Parts over a database that is gone, with a cache of their own. */
export async function unreachable(): Promise<BodyDeps> {
  const gone = await freshDatabase();
  await gone.drop();
  return depsOf(gone);
}

export function freshCache() {
  return createCache({ store: createInProcessCache() });
}

export function both<T>(reader: T): { readonly replica: T; readonly primary: T } {
  return { replica: reader, primary: reader };
}

/** A member of the shop's staff. */
export function staff(tenant = 'manga', subject = 'supply_chain_manager'): Caller {
  return { tenant, subject, issuer: 'test', assurance: 'development' };
}

export function customer(customerId: string, tenant = 'manga'): Caller {
  return { tenant, subject: customerId, issuer: 'test', customerId, assurance: 'development' };
}
