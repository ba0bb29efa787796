import type { Clock } from '../../domain/clock.ts';
import type { Audience } from '../../domain/policies.ts';
import type { Caller } from '../../domain/principal.ts';
import type { Reading } from './verify-passages.ts';

const CUSTOMERS: readonly Audience[] = ['customer'];
const STAFF: readonly Audience[] = ['customer', 'staff'];

export type Clocks = {
  /** Business time: which policy holds. */
  readonly clock: Clock;
  /** Real time: when its source was seen. */
  readonly realTime: Clock;
};

/** Who reads, and about when. Customers, and whoever acts for one, never see what is written for staff. */
export function readingOf(
  { tenant, customerId }: Caller,
  asOf: string | undefined,
  { clock, realTime }: Clocks,
): Reading {
  const now = clock.now().getTime();
  const atMs = asOf === undefined ? now : Date.parse(asOf);
  return {
    tenant,
    audiences: customerId === undefined ? STAFF : CUSTOMERS,
    atMs,
    inThePast: atMs < now,
    nowMs: realTime.now().getTime(),
  };
}
