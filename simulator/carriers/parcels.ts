import type { ParcelState } from '../../domain/carriers.ts';
import { upsNumber } from './ups/number.ts';

/** Somewhere as far as a carrier tells: no street and no name is kept. */
export type Place = { readonly city: string; readonly country: string };

export type Scan = {
  readonly state: ParcelState;
  readonly at: Date;
  readonly place: Place;
};

export type SimulatedParcel = {
  readonly trackingNumber: string;
  readonly service: string;
  readonly from: Place;
  readonly to: Place;
  readonly bookedAt: Date;
  /** As said at booking. */
  readonly promisedAt: Date;
  /** When it will be there; moved by a delay. */
  readonly arrivesAt: Date;
  /** What the shipper wrote on it. */
  readonly reference?: string | undefined;
  /** Whose webhook hears of it. */
  readonly shop?: string | undefined;
  /** Scans that the plan did not foresee. From the first of a return on, the plan no longer holds. */
  readonly extra: readonly Scan[];
  /** Requests that were taken, by UPS's names: RTS a return, RD another address. */
  readonly intercepts: ReadonlySet<string>;
};

export type NewParcel = Pick<SimulatedParcel, 'from' | 'to' | 'bookedAt' | 'promisedAt'> &
  Partial<Pick<SimulatedParcel, 'trackingNumber' | 'service' | 'arrivesAt' | 'reference' | 'shop'>>;

export type Parcels = {
  all(): readonly SimulatedParcel[];
  find(trackingNumber: string): SimulatedParcel | undefined;
  byReference(reference: string): SimulatedParcel | undefined;
  /** The same number again replaces the parcel. */
  add(parcel: NewParcel): SimulatedParcel;
  change(trackingNumber: string, change: Partial<SimulatedParcel>): SimulatedParcel | undefined;
  clear(): void;
};

export function openParcels(): Parcels {
  const parcels = new Map<string, SimulatedParcel>();
  let booked = 0;
  const keep = (parcel: SimulatedParcel) => {
    parcels.set(parcel.trackingNumber, parcel);
    return parcel;
  };
  return {
    all: () => [...parcels.values()],
    find: (number) => parcels.get(number),
    byReference: (reference) => [...parcels.values()].find((parcel) => parcel.reference === reference),
    add: ({ trackingNumber, arrivesAt, ...parcel }) =>
      keep({
        service: '03',
        ...parcel,
        trackingNumber: trackingNumber ?? upsNumber((booked += 1)),
        arrivesAt: arrivesAt ?? parcel.promisedAt,
        extra: [],
        intercepts: new Set(),
      }),
    change: (number, change) => {
      const parcel = parcels.get(number);
      return parcel && keep({ ...parcel, ...change });
    },
    clear: () => parcels.clear(),
  };
}

const HOUR_MS = 3_600_000;

/** The way of every parcel: what is scanned where, and when of the time between booking and arrival. */
const PLAN: readonly (readonly [
  state: ParcelState,
  where: 'from' | 'to',
  after: (wayMs: number) => number,
])[] = [
  ['pending', 'from', () => 0],
  ['picked_up', 'from', (way) => way * 0.05],
  ['in_transit', 'from', (way) => way * 0.2],
  ['in_transit', 'to', (way) => way * 0.7],
  // Loaded in the morning of the day, however long it has been on its way.
  ['out_for_delivery', 'to', (way) => Math.max(way * 0.9, way - 6 * HOUR_MS)],
  ['delivered', 'to', (way) => way],
];

/** What has been scanned by then, newest first. */
export function scansUntil(parcel: SimulatedParcel, now: Date): readonly Scan[] {
  const { bookedAt, arrivesAt, extra } = parcel;
  const way = Math.max(0, arrivesAt.getTime() - bookedAt.getTime());
  const turned = extra.find(({ state }) => state === 'return_to_sender' || state === 'cancelled');
  const planned = PLAN.map(([state, where, after]) => ({
    state,
    at: new Date(bookedAt.getTime() + after(way)),
    place: parcel[where],
  })).filter(({ at }) => turned === undefined || at < turned.at);
  return [...planned, ...extra]
    .filter(({ at }) => at <= now)
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

export function isDelivered(parcel: SimulatedParcel, now: Date): boolean {
  return scansUntil(parcel, now)[0]?.state === 'delivered';
}
