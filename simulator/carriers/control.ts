import { z } from 'zod';
import { PARCEL_STATES } from '../../domain/carriers.ts';
import { FAULTS, NO_FAULT, OPERATIONS } from './faults.ts';
import { scansUntil } from './parcels.ts';
import type { Pusher } from './push.ts';
import type { Room } from './room.ts';

const instant = z.iso.datetime({ offset: true });
const number = z.string().regex(/^[0-9A-Z]{7,34}$/);
const place = z.strictObject({ city: z.string().max(100), country: z.string().regex(/^[A-Z]{2}$/) });

const parcel = z.strictObject({
  tracking_number: number,
  shop: z.string().min(1).max(100).optional(),
  from: place.optional(),
  to: place.optional(),
  booked_at: instant.optional(),
  estimated_delivery: instant,
});

/** What `POST /_control` takes. What is left out stays as it is. */
export const CONTROL = z.strictObject({
  /** Everything back to how it started, parcels and clock too. Done first. */
  reset: z.literal(true).optional(),
  fault: z.enum(FAULTS).optional(),
  /** For how many requests; null: until it is switched off, also when it is left out beside a fault. */
  times: z.int().min(0).max(1_000_000).nullable().optional(),
  /** What the fault is for; when left out beside a fault: all but the token. */
  only: z.array(z.enum(OPERATIONS)).min(1).optional(),
  /** With 429 and 503; null: none. */
  retry_after_s: z.int().min(0).max(86_400).nullable().optional(),
  latency_ms: z.int().min(0).max(600_000).optional(),
  error_rate: z.number().min(0).max(1).optional(),
  clock: z.union([z.strictObject({ advance_s: z.int() }), z.strictObject({ now: instant })]).optional(),
  /** Registers parcels; one that is there already starts again. Scans until now are not pushed. */
  parcels: z.array(parcel).max(10_000).optional(),
  /** Moves arrivals. */
  etas: z
    .array(z.strictObject({ tracking_number: number, estimated_delivery: instant }))
    .max(10_000)
    .optional(),
  /** Scans that the plan does not foresee, now. */
  scans: z
    .array(z.strictObject({ tracking_number: number, state: z.enum(PARCEL_STATES) }))
    .max(10_000)
    .optional(),
  webhooks: z
    .array(
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        secret: z.string().min(1),
        shop: z.string().optional(),
      }),
    )
    .max(1_000)
    .optional(),
  /** Every token that was given is worth nothing from now on. */
  revoke_tokens: z.literal(true).optional(),
});
export type Control = z.input<typeof CONTROL>;
type Wanted = z.output<typeof CONTROL>;

/** Numbers in `etas` and `scans` that are no parcel's; nothing was changed when there are any. */
export function unknownNumbers(
  room: Room,
  { etas = [], scans = [], parcels = [] }: Wanted,
): readonly string[] {
  const coming = new Set(parcels.map((one) => one.tracking_number));
  return [...etas, ...scans]
    .map((one) => one.tracking_number)
    .filter((one) => !coming.has(one) && room.parcels.find(one) === undefined);
}

/** Changes what is asked for, in the order in which it makes sense together, and pushes what is due then. */
export async function control(room: Room, pusher: Pusher, wanted: Wanted): Promise<void> {
  if (wanted.reset) reset(room);
  room.state = faultsAfter(room, wanted);
  if (wanted.webhooks) room.webhooks = wanted.webhooks;
  if (wanted.revoke_tokens) room.tokens.clear();
  for (const one of wanted.parcels ?? []) register(room, pusher, one);
  if (wanted.clock) moveClock(room, wanted.clock);
  for (const { tracking_number, estimated_delivery } of wanted.etas ?? [])
    room.parcels.change(tracking_number, { arrivesAt: new Date(estimated_delivery) });
  for (const { tracking_number, state } of wanted.scans ?? []) scan(room, tracking_number, state);
  await pusher.pushDue();
}

function reset(room: Room): void {
  room.state = NO_FAULT;
  room.offsetMs = 0;
  room.webhooks = [];
  room.parcels.clear();
  for (const operation of OPERATIONS) room.asked[operation] = 0;
}

function faultsAfter({ state }: Room, { fault, times, only, retry_after_s, latency_ms, error_rate }: Wanted) {
  const before =
    fault === undefined
      ? state
      : { ...state, ...NO_FAULT, latencyMs: state.latencyMs, errorRate: state.errorRate };
  return {
    fault: fault ?? before.fault,
    times: times === undefined ? before.times : times,
    only: only ?? before.only,
    retryAfterSeconds: retry_after_s === undefined ? before.retryAfterSeconds : retry_after_s,
    latencyMs: latency_ms ?? before.latencyMs,
    errorRate: error_rate ?? before.errorRate,
  };
}

const SOMEWHERE = { city: 'Newark', country: 'US' };
const DAY_MS = 86_400_000;

function register(room: Room, pusher: Pusher, one: z.output<typeof parcel>): void {
  const promisedAt = new Date(one.estimated_delivery);
  const { trackingNumber } = room.parcels.add({
    trackingNumber: one.tracking_number,
    shop: one.shop,
    from: one.from ?? SOMEWHERE,
    to: one.to ?? SOMEWHERE,
    bookedAt: new Date(one.booked_at ?? Math.min(room.now().getTime(), promisedAt.getTime()) - DAY_MS),
    promisedAt,
  });
  pusher.skip(trackingNumber);
}

function moveClock(room: Room, clock: NonNullable<Wanted['clock']>): void {
  room.offsetMs += 'now' in clock ? Date.parse(clock.now) - room.now().getTime() : clock.advance_s * 1000;
}

function scan(room: Room, trackingNumber: string, state: (typeof PARCEL_STATES)[number]): void {
  const parcel = room.parcels.find(trackingNumber);
  if (!parcel) return;
  const extra = [...parcel.extra, { state, at: room.now(), place: parcel.to }];
  room.parcels.change(trackingNumber, { extra });
}

const SHOWN = 100;

/** How the carrier behaves and what it knows, as `GET /_control` shows it. */
export function stateOf(room: Room, pusher: Pusher) {
  const { fault, times, only, retryAfterSeconds, latencyMs, errorRate } = room.state;
  const now = room.now();
  const parcels = room.parcels.all();
  return {
    fault,
    times,
    only,
    retry_after_s: retryAfterSeconds,
    latency_ms: latencyMs,
    error_rate: errorRate,
    clock: now.toISOString(),
    asked: { ...room.asked },
    ...pusher.counts(),
    webhooks: room.webhooks.map(({ url, shop }) => ({ url, shop })),
    total: parcels.length,
    parcels: parcels.slice(0, SHOWN).map((one) => ({
      tracking_number: one.trackingNumber,
      shop: one.shop,
      state: scansUntil(one, now)[0]?.state ?? 'pending',
      estimated_delivery: one.arrivesAt.toISOString(),
    })),
  };
}
