import { createEventKeeping } from '../../adapters/postgres/event-upkeep.ts';
import { createOrderSweep } from '../../adapters/postgres/order-sweep.ts';
import { createPaymentSweep } from '../../adapters/postgres/payment-sweep.ts';
import { createPromotionSweep } from '../../adapters/postgres/promotion-sweep.ts';
import { startSweeper, type SweeperDeps } from '../../workers/sweeper.ts';
import { silent, type Stage } from './stage.ts';

/** A sweeper on a stage, one thing a page: what is in order must not hide what comes after it. */
export function sweeping({ room, temporal }: Stage, more: Partial<SweeperDeps> = {}) {
  return startSweeper({
    client: temporal.client,
    queuePrefix: temporal.queuePrefix,
    ...room,
    orders: createOrderSweep(room.pools),
    payments: createPaymentSweep(room.pools),
    promotions: createPromotionSweep(room.pools, { now: () => new Date() }, 0),
    keeping: createEventKeeping(room.pools),
    eventRetentionDays: 30,
    log: silent,
    everyMs: 50,
    // A run may be looked at just before it is ended.
    lookAgainMs: 1_000,
    graceSeconds: 0,
    pageSize: 1,
    ...more,
  });
}
