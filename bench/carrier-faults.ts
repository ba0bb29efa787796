import { createArrivals } from '../activities/logistics/arrival.ts';
import { getShippingEstimate } from '../activities/logistics/get-shipping-estimate.ts';
import { createCache } from '../activities/cached-read.ts';
import { createInProcessCache } from '../adapters/cache/in-process.ts';
import { openCarriers } from '../adapters/carriers/router.ts';
import { createEtaStore } from '../adapters/postgres/eta-store.ts';
import { openPools, type Pools } from '../adapters/postgres/pools.ts';
import { createQuoteStore, createShippingStore } from '../adapters/postgres/shipping-store.ts';
import { loadSettings } from '../platform/config.ts';
import { createLog } from '../platform/log.ts';
import { type CarrierSimulator, startCarrierSimulator } from '../simulator/carriers/server.ts';
import type { Fault } from '../simulator/carriers/faults.ts';
import { quantile, type Row } from './report.ts';
import type { Stack } from './stack.ts';

const SHOP = 'manga';
const PARCEL = '1Z5R89390357567127';
const CREDENTIALS = { clientId: 'bench', clientSecret: 'bench' };
const ASKS = 40;
/** At once: below what opens a carrier's bulkhead. */
const ASKERS = 8;
/** What callers are promised: an order's answer waits a second for its carrier, an estimate takes as long as its tool may. */
const BOUND_MS = { arrival: 1_250, estimate: 5_000 };

const FAULTS = [
  'none',
  'hang',
  'rate_limited',
  'down',
  'reset',
  'garbage',
  'html',
  'slow_body',
  'contradictory',
  'duplicates',
  'out_of_order',
] as const satisfies readonly Fault[];

type Ask = () => Promise<{ readonly freshness: string }>;

/** Every fault of a carrier: how long who asks has to wait, and how fresh the answer is. Nothing comes from a cache. */
export async function benchCarrierFaults(
  { config }: Stack,
  log: (line: string) => void,
): Promise<readonly Row[]> {
  const pools = await openPools({
    ...config.database,
    readPoolSize: ASKERS,
    writePoolSize: ASKERS,
    superuserLogin: 'allowed',
    applicationName: 'countersign bench',
  });
  const carrier = await startCarrierSimulator({ port: 0, ...CREDENTIALS });
  try {
    await carrier.control({ parcels: [{ tracking_number: PARCEL, estimated_delivery: inDays(3) }] });
    const rows: Row[] = [];
    for (const fault of FAULTS) {
      log(`  ${fault}`);
      rows.push(...(await benchFault(pools, carrier, fault)));
    }
    return rows;
  } finally {
    await carrier.stop();
    await pools.close();
  }
}

async function benchFault(pools: Pools, carrier: CarrierSimulator, fault: Fault): Promise<readonly Row[]> {
  // So that there is something to fall back to.
  await carrier.control({ fault: 'none' });
  const { arrival, estimate } = asksOf(pools, carrier);
  await Promise.all([arrival(), estimate('known')()]);
  await carrier.control({ fault, only: ['track', 'rate'] });
  const stranger = `${fault} ${process.pid} ${Date.now()}`;
  // Each with a circuit of its own: what one has learned would spare the next its waits.
  const fresh = () => asksOf(pools, carrier);
  return [
    ...(await measured(`arrival of an order, ${fault}`, BOUND_MS.arrival, fresh().arrival)),
    ...(await measured(`estimate, ${fault}`, BOUND_MS.estimate, fresh().estimate('known'))),
    ...(await measured(`estimate never known, ${fault}`, BOUND_MS.estimate, fresh().estimate(stranger))),
  ];
}

/** With a circuit that has seen nothing, and a cache that is never hit. */
function asksOf(pools: Pools, { url }: CarrierSimulator) {
  const settings = loadSettings({
    CARRIER_UPS_URL: url,
    CARRIER_UPS_CLIENT_ID: CREDENTIALS.clientId,
    CARRIER_UPS_CLIENT_SECRET: CREDENTIALS.clientSecret,
    CARRIER_UPS_ACCOUNT: 'A1B2C3',
    CARRIER_REQUESTS_PER_SECOND: '1000',
  });
  const carriers = openCarriers(settings, createLog({ level: 'silent' }));
  const realTime = { now: () => new Date() };
  const deps = () => ({
    cache: createCache({ store: createInProcessCache() }),
    carriers,
    etas: createEtaStore(pools),
    quotes: createQuoteStore(pools),
    shipping: createShippingStore(pools.read),
    pseudonym: (_tenant: string, hash: string) => hash,
    realTime,
  });
  const shipment = {
    carrier: 'UPS',
    trackingNumber: PARCEL,
    promisedDelivery: null,
    estimatedDelivery: inDays(3),
  };
  const caller = { tenant: SHOP, subject: 'bench', issuer: 'bench', assurance: 'development' } as const;
  return {
    arrival: () => createArrivals(deps())(SHOP, { state: 'Shipped', shipment }),
    estimate:
      (street: string): Ask =>
      () =>
        getShippingEstimate(deps())({
          caller,
          input: {
            manga_id: ['BER42'],
            delivery_address: {
              line1: street,
              city: 'Newark',
              region: 'NJ',
              postal_code: '07102',
              country: 'US',
            },
          },
        }),
  };
}

async function measured(name: string, boundMs: number, ask: Ask): Promise<readonly Row[]> {
  const times: number[] = [];
  const fresh = new Map<string, number>();
  let left = ASKS;
  const asker = async () => {
    while (left-- > 0) {
      const began = performance.now();
      const { freshness } = await ask();
      times.push(performance.now() - began);
      fresh.set(freshness, (fresh.get(freshness) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: ASKERS }, asker));
  const note = [...fresh].map(([freshness, n]) => `${n} ${freshness}`).join(', ');
  return [
    { name: `${name}: p50`, value: quantile(times, 0.5), unit: 'ms', note },
    { name: `${name}: p99`, value: quantile(times, 0.99), unit: 'ms', atMost: boundMs, note },
  ];
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}
