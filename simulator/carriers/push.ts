import { signWebhook, TIMESTAMP_HEADER } from '../../platform/webhook-signature.ts';
import { type Scan, scansUntil, type SimulatedParcel } from './parcels.ts';
import type { Room, Webhook } from './room.ts';
import { alertOf } from './ups/alert.ts';
import { CONTRADICTION } from './ups/status.ts';

const EVERY_MS = 500;
const TIMEOUT_MS = 5_000;

export type Pusher = {
  /** Scans until now are history: nobody is told of them. */
  skip(trackingNumber: string): void;
  /** Tells of every scan that is due, oldest first; what is not taken is told again later. */
  pushDue(): Promise<void>;
  counts(): { readonly pushed: number; readonly failed: number };
  stop(): Promise<void>;
};

/** Pushes scans, when the carrier's clock comes to them, to whoever wants to know. */
export function startPushing(room: Room): Pusher {
  const told = new Map<string, number>();
  const stopped = new AbortController();
  let pushed = 0;
  let failed = 0;
  let running: Promise<void> = Promise.resolve();

  const tell = async (hook: Webhook, bodies: readonly string[]): Promise<boolean> => {
    for (const body of bodies) {
      const taken = await post(hook, body, stopped.signal);
      if (taken) pushed += 1;
      else failed += 1;
      if (!taken) return false;
    }
    return true;
  };
  const tellOf = async (parcel: SimulatedParcel): Promise<void> => {
    const hooks = room.webhooks.filter(({ shop }) => shop === parcel.shop);
    if (hooks.length === 0) return;
    const since = told.get(parcel.trackingNumber) ?? 0;
    const now = room.now();
    const due = scansUntil(parcel, now).filter(({ at }) => at.getTime() > since);
    if (due.length === 0) return;
    const bodies = inOrder(room, due.toReversed()).flatMap((scan) => bodiesFor(room, parcel, scan));
    const taken = await Promise.all(hooks.map((hook) => tell(hook, bodies)));
    if (taken.every(Boolean)) told.set(parcel.trackingNumber, now.getTime());
  };
  const tellAll = async () => {
    if (room.webhooks.length === 0) return;
    for (const parcel of room.parcels.all()) if (!stopped.signal.aborted) await tellOf(parcel);
  };
  const pushDue = () => {
    // One at a time: what is due is told once.
    running = running.then(tellAll);
    return running;
  };
  const timer = setInterval(() => void pushDue(), EVERY_MS);
  timer.unref();
  return {
    skip: (number) => told.set(number, room.now().getTime()),
    pushDue,
    counts: () => ({ pushed, failed }),
    stop: async () => {
      clearInterval(timer);
      stopped.abort();
      await running;
    },
  };
}

function inOrder({ state }: Room, scans: readonly Scan[]): readonly Scan[] {
  return state.fault === 'out_of_order' ? scans.toReversed() : scans;
}

function bodiesFor({ state }: Room, parcel: SimulatedParcel, scan: Scan): readonly string[] {
  const body = JSON.stringify(alertOf(parcel, scan));
  if (state.fault === 'duplicates') return [body, body];
  if (state.fault === 'contradictory') return [body, JSON.stringify(alertOf(parcel, scan, CONTRADICTION))];
  return [body];
}

async function post(hook: Webhook, text: string, signal: AbortSignal): Promise<boolean> {
  const body = Buffer.from(text);
  const timestamp = String(Math.floor(Date.now() / 1000));
  try {
    const response = await fetch(hook.url, {
      method: 'POST',
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: {
        'content-type': 'application/json',
        [TIMESTAMP_HEADER]: timestamp,
        'X-Hmac-Signature': signWebhook(body, hook.secret, timestamp),
      },
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Whoever is away is told later.
    return false;
  }
}
