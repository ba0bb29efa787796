import type { LRUCache } from 'lru-cache';
import { moneyEventId, type PaymentSweep, type Unsettled } from '../domain/payments.ts';
import type { Logger } from '../platform/log.ts';
import { statusOf } from './history.ts';
import { sweepPages } from './sweep-pages.ts';
import { settle, type SettleDeps, settlingId } from './settle-payments.ts';

export type PaymentSweepDeps = SettleDeps & {
  readonly payments: PaymentSweep;
  readonly log: Logger;
  readonly graceSeconds?: number;
  readonly pageSize?: number;
};

const GRACE_SECONDS = 15;
const PAGE = 500;

/**
 * Money that must go back is in Postgres, and outlives whatever becomes of the workflow that gives it back: where none
 * is at work, another is started.
 *
 * @param seen payments that were looked at lately, and are not again until they leave it
 */
export async function sweepPayments(deps: PaymentSweepDeps, seen: LRUCache<string, true>): Promise<void> {
  const { payments, graceSeconds = GRACE_SECONDS, pageSize = PAGE } = deps;
  await sweepPages<Unsettled>(
    {
      page: (limit, after) => payments.unsettled(graceSeconds, limit, after),
      keyOf: (unsettled) => settlingId(settlingOf(unsettled)),
      look: (unsettled) => sweepPayment(deps, unsettled),
      pageSize,
    },
    seen,
  );
}

async function sweepPayment(deps: PaymentSweepDeps, unsettled: Unsettled): Promise<void> {
  const settling = settlingOf(unsettled);
  const status = await statusOf(deps.client, settlingId(settling));
  if (status === 'RUNNING') return;
  const { orderId, tenant, topic } = unsettled;
  deps.log.warn({ order_id: orderId, shop: tenant, topic, status }, 'settling a payment that was left alone');
  await settle(deps, settling);
}

function settlingOf(unsettled: Unsettled) {
  return { ...unsettled, eventId: moneyEventId(unsettled) };
}
