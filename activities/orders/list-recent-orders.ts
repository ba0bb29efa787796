import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache, Loaded } from '../../domain/cache.ts';
import type { Order, OrderReader } from '../../domain/orders.ts';
import { factsOf } from '../facts.ts';
import type { Sided } from '../from.ts';
import { MOST, readRecent, scopeOf } from './read-orders.ts';
import { entryOf } from './views.ts';

export function listRecentOrders(cache: Cache, orders: Sided<OrderReader>): ToolBodies['list_recent_orders'] {
  return async ({ caller, input: { limit } }) =>
    listOf(await readRecent(cache, orders, scopeOf(caller)), limit);
}

/** The latest orders as a result; no orders is said, not left empty. */
export function listOf(loaded: Loaded<readonly Order[]>, limit = MOST) {
  const orders = loaded.value.slice(0, limit).map(entryOf);
  const found = orders.length > 0;
  return {
    status: found ? ('found' as const) : ('not_found' as const),
    message: found
      ? orders.map(({ order_id, message }) => `Order ${order_id}: ${message}`).join('\n')
      : 'There are no orders. Do not infer.',
    orders,
    ...factsOf(loaded),
  };
}
