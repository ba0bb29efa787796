import type { Client } from '@temporalio/client';
import type { LRUCache } from 'lru-cache';
import type { OrderSweep, Stray } from '../domain/order-life.ts';
import type { Logger } from '../platform/log.ts';
import { statusOf } from './history.ts';
import { sweepPages } from './sweep-pages.ts';
import { lifecycleId, wakeOrder } from './wake-orders.ts';

export type OrderSweepDeps = {
  readonly client: Client;
  readonly queuePrefix: string;
  readonly orders: OrderSweep;
  readonly log: Logger;
  readonly graceSeconds?: number;
  readonly pageSize?: number;
};

const GRACE_SECONDS = 15;
const PAGE = 500;

/**
 * A payment timer and an unjudged event are in Postgres, and outlive whatever becomes of the workflow: it is started
 * again where it is missing, and told again where it is late.
 *
 * @param seen orders that were looked at lately, and are not again until they leave it
 */
export async function sweepOrders(deps: OrderSweepDeps, seen: LRUCache<string, true>): Promise<void> {
  const { orders, graceSeconds = GRACE_SECONDS, pageSize = PAGE } = deps;
  await sweepPages<Stray>(
    {
      page: (limit, after) => orders.strays(graceSeconds, limit, after),
      keyOf: (stray) => `${lifecycleId(stray)}:${stray.isLate}`,
      look: (stray) => sweepOrder(deps, stray),
      pageSize,
    },
    seen,
  );
}

async function sweepOrder(deps: OrderSweepDeps, stray: Stray): Promise<void> {
  const { client, log } = deps;
  const status = await statusOf(client, lifecycleId(stray));
  if (status === 'RUNNING' && !stray.isLate) return;
  log.warn({ order_id: stray.orderId, shop: stray.tenant, status }, 'waking an order that was left alone');
  const { tenant, order } = stray;
  await wakeOrder(deps, { tenant, order }, stray.orderId, 'sweep');
}
