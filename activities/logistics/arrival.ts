import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from '../../domain/cache.ts';
import {
  type CarrierClient,
  CarrierError,
  type CarrierProblem,
  type EtaStore,
  type LastKnownEta,
} from '../../domain/carriers.ts';
import type { Clock } from '../../domain/clock.ts';
import type { OrderState, Shipment } from '../../domain/orders.ts';
import { Refusal } from '../../domain/refusal.ts';
import { keysShowing } from '../orders/keys.ts';
import { parcelKey } from './keys.ts';

/** An answer about an order waits no longer for its carrier. */
const PATIENCE_MS = 1_000;
/** The carrier's own share of it. */
const DEADLINE_MS = 800;
/** A carrier that does not answer is not asked about the same parcel again before. */
const RETRY_SECONDS = 5;

const UNDER_WAY: ReadonlySet<OrderState> = new Set(['Shipped', 'OutForDelivery']);

/** A date, and how good it is. */
export type Arrival = {
  readonly estimated_delivery: string | null;
  readonly freshness: 'live' | 'stale' | 'none';
  readonly eta_as_of: string | null;
  readonly eta_age_s: number | null;
  readonly eta_why: CarrierProblem | null;
};

export type ArrivalDeps = {
  readonly cache: Cache;
  readonly carriers: Pick<CarrierClient, 'track'>;
  readonly etas: EtaStore;
  readonly realTime: Clock;
};

type OnItsWay = { readonly state: OrderState; readonly shipment: Shipment | undefined };

/** When a shipment arrives, as far as anybody knows, within a second. */
export type Arrivals = (tenant: string, order: OnItsWay) => Promise<Arrival>;

/**
 * Asks the carrier through the cache, falls back to what it said last, and to the date on file where it never said
 * anything. Only parcels under way are asked about.
 */
export function createArrivals(deps: ArrivalDeps): Arrivals {
  return async (tenant, { state, shipment }) => {
    const { carrier = null, trackingNumber = null, estimatedDelivery = null } = shipment ?? {};
    if (!UNDER_WAY.has(state) || carrier === null || trackingNumber === null)
      return onFile(estimatedDelivery);
    const { eta, problem } = await whatIsKnown(deps, { tenant, carrier, trackingNumber });
    const day = eta?.estimatedDelivery ?? null;
    if (eta === null || day === null) return onFile(estimatedDelivery);
    return {
      estimated_delivery: new Date(day).toISOString(),
      freshness: problem === null ? 'live' : 'stale',
      eta_as_of: eta.seenAt,
      eta_age_s: ageOf(eta.seenAt, deps.realTime),
      eta_why: problem,
    };
  };
}

export function onFile(estimatedDelivery: string | null): Arrival {
  return {
    estimated_delivery: estimatedDelivery,
    freshness: 'none',
    eta_as_of: null,
    eta_age_s: null,
    eta_why: null,
  };
}

/** Whole seconds; clocks of two machines may disagree, and nothing is younger than now. */
export function ageOf(seenAt: string, realTime: Clock): number {
  return Math.max(0, Math.floor((realTime.now().getTime() - Date.parse(seenAt)) / 1000));
}

type Asked = { readonly tenant: string; readonly carrier: string; readonly trackingNumber: string };
/** `problem`: why the carrier did not say so just now. */
type Known = { readonly eta: LastKnownEta | null; readonly problem: CarrierProblem | null };

async function whatIsKnown(deps: ArrivalDeps, parcel: Asked): Promise<Known> {
  try {
    const key = parcelKey(parcel.tenant, parcel);
    const answer = deps.cache.read(key, () => ask(deps, parcel), { maxAgeSeconds: lifeOf });
    return (await within(PATIENCE_MS, answer)).value;
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error;
    return { eta: await lastKnown(deps.etas, parcel), problem: error.problem };
  }
}

/** That a carrier has no interface does not change from one second to the next. */
function lifeOf({ problem }: Known): number {
  return problem === null || problem === 'unsupported' ? Infinity : RETRY_SECONDS;
}

async function ask(deps: ArrivalDeps, parcel: Asked): Promise<Known> {
  const { carrier, trackingNumber } = parcel;
  try {
    const said = await deps.carriers.track(carrier, trackingNumber, { deadlineMs: DEADLINE_MS });
    const { state, estimatedDelivery } = said;
    // As the shipment writes them, not as the carrier does: that is how they are found again.
    const seenAt = deps.realTime.now().toISOString();
    const eta = { carrier, trackingNumber, state, estimatedDelivery, seenAt };
    await remember(deps, parcel.tenant, eta);
    return { eta, problem: null };
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error;
    return { eta: await lastKnown(deps.etas, parcel), problem: error.problem };
  }
}

/** Voids what shows another day. */
async function remember({ cache, etas }: ArrivalDeps, tenant: string, eta: LastKnownEta): Promise<void> {
  const touched = await etas.keep(tenant, eta);
  await Promise.all(touched.flatMap((one) => keysShowing(tenant, one)).map((key) => cache.invalidate(key)));
}

/** A database that is away knows nothing, and the order may still come from the cache. */
async function lastKnown(
  etas: EtaStore,
  { tenant, carrier, trackingNumber }: Asked,
): Promise<LastKnownEta | null> {
  try {
    return (await etas.lastKnown(tenant, carrier, trackingNumber)) ?? null;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** @throws {CarrierError} timeout. What comes later is kept, and its failure is nobody's any more. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(ms, undefined, { signal: done.signal }).then(() => {
    throw new CarrierError('timeout', 'The carrier did not answer in time.');
  });
  // Whichever loses is not looked at again.
  late.catch(() => undefined);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}
