import { randomBytes } from 'node:crypto';
import { type FaultState, NO_FAULT, type Operation } from './faults.ts';
import { openParcels, type Parcels } from './parcels.ts';

/** What the carrier knows, and how it behaves just now. */
export type Room = {
  readonly parcels: Parcels;
  state: FaultState;
  /** How far the carrier's clock is from `clock`. */
  offsetMs: number;
  webhooks: readonly Webhook[];
  /** Requests since the start, also those that a fault took. */
  readonly asked: Record<Operation, number>;
  readonly tokens: Map<string, number>;
  now(): Date;
  random(): number;
};

/** Where scans are pushed to. Without a shop: of parcels that are nobody's. */
export type Webhook = { readonly url: string; readonly secret: string; readonly shop?: string | undefined };

export function openRoom(clock: () => Date, random: () => number): Room {
  const room: Room = {
    parcels: openParcels(),
    state: NO_FAULT,
    offsetMs: 0,
    webhooks: [],
    asked: { token: 0, track: 0, rate: 0, ship: 0, intercept: 0 },
    tokens: new Map(),
    now: () => new Date(clock().getTime() + room.offsetMs),
    random,
  };
  return room;
}

const TOKEN_SECONDS = 14_399;

/** Tokens live in real time: whoever holds one knows no other clock. */
export function issueToken({ tokens }: Room): { readonly token: string; readonly seconds: number } {
  const now = Date.now();
  for (const [token, until] of tokens) if (until <= now) tokens.delete(token);
  const token = randomBytes(24).toString('base64url');
  tokens.set(token, now + TOKEN_SECONDS * 1000);
  return { token, seconds: TOKEN_SECONDS };
}

export function isGood({ tokens }: Room, token: string | undefined): boolean {
  return token !== undefined && (tokens.get(token) ?? 0) > Date.now();
}
