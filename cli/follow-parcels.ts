import { type ParcelUnderWay, upsParcelsUnderWay } from '../adapters/postgres/parcels-under-way.ts';
import { openPools } from '../adapters/postgres/pools.ts';
import { shopIds } from '../adapters/postgres/shops.ts';
import type { Profile } from '../platform/config.ts';
import type { CarrierSimulator } from '../simulator/carriers/server.ts';

const MOST = 10_000;
const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Database = { readonly writeUrl: string; readonly systemUrl: string; readonly profile: Profile };

export type Following = {
  /** Parcels that it told the carrier at the start. */
  readonly registered: number;
  /** Shops that there were then. */
  readonly shops: readonly string[];
  stop(): Promise<void>;
};

/** What of the database's parcels the simulated carrier does not know yet, it is told, now and every ten seconds. */
export async function followParcels(
  simulator: CarrierSimulator,
  { writeUrl, systemUrl, profile }: Database,
  say: (line: string) => void,
): Promise<Following> {
  const pools = await openPools({
    writeUrl,
    systemUrl,
    readPoolSize: 1,
    writePoolSize: 1,
    superuserLogin: profile === 'development' ? 'allowed' : 'refused',
    applicationName: 'countersign carrier simulator',
  });
  const told = new Set<string>();
  const tell = async () => {
    const parcels = await upsParcelsUnderWay(pools, MOST);
    const fresh = parcels.filter(({ trackingNumber }) => !told.has(trackingNumber));
    if (fresh.length === 0) return;
    const now = new Date(simulator.state().clock);
    const late = fresh.filter((parcel) => isLate(parcel, now));
    await simulator.control({
      parcels: fresh.map((parcel) => parcelOf(parcel, now)),
      // What should have arrived and has not comes tomorrow; what a driver has, today.
      etas: late.map(({ trackingNumber, isOut }) => ({
        tracking_number: trackingNumber,
        estimated_delivery: after(now, isOut ? 4 * HOUR_MS : DAY_MS),
      })),
    });
    for (const { trackingNumber } of fresh) told.add(trackingNumber);
  };
  let running = tell();
  await running;
  const registered = told.size;
  const shops = await shopIds(pools);
  const timer = setInterval(() => {
    running = running
      .then(tell)
      .catch((error: unknown) => say(`Parcels could not be read: ${String(error)}`));
  }, EVERY_MS);
  return {
    registered,
    shops,
    stop: async () => {
      clearInterval(timer);
      await running;
      await pools.close();
    },
  };
}

function parcelOf({ tenant, trackingNumber, shippedAt, estimatedDelivery }: ParcelUnderWay, now: Date) {
  return {
    shop: tenant,
    tracking_number: trackingNumber,
    booked_at: shippedAt ?? after(now, -DAY_MS),
    estimated_delivery: estimatedDelivery ?? after(now, 2 * DAY_MS),
  };
}

function isLate({ estimatedDelivery }: ParcelUnderWay, now: Date): boolean {
  return estimatedDelivery !== null && Date.parse(estimatedDelivery) <= now.getTime();
}

function after(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}
