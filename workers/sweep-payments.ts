import type { LRUCache } from 'lru-cache';
import { moneyEventId, type PaymentSweep, type Unsettled } from '../domain/payments.ts';
import type { Logger } from '../platform/log.ts';
import { statusOf } from './history.ts';
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
  let page: readonly Unsettled[] = [];
  do {
    page = await payments.unsettled(graceSeconds, pageSize, page.at(-1));
    for (const unsettled of page) {
      const settling = { ...unsettled, eventId: moneyEventId(unsettled) };
      const id = settlingId(settling);
      if (seen.has(id)) continue;
      const status = await statusOf(deps.client, id);
      if (status !== 'RUNNING') {
        const { orderId, tenant, topic } = unsettled;
        deps.log.warn(
          { order_id: orderId, shop: tenant, topic, status },
          'settling a payment that was left alone',
        );
        await settle(deps, settling);
      }
      seen.set(id, true);
    }
  } while (page.length === pageSize);
}
