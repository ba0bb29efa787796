import type { Cache, Loaded } from '../../domain/cache.ts';
import type { Order, OrderReader, OrderScope } from '../../domain/orders.ts';
import type { Caller } from '../../domain/principal.ts';
import { from, type Sided } from '../from.ts';
import { orderKey, recentKey } from './keys.ts';

/** Most orders that any list shows (document 000, `LIMIT 10`). */
export const MOST = 10;

/** Staff see the shop's orders; a customer their own, whatever the arguments say. */
export function scopeOf({ tenant, customerId }: Caller): OrderScope {
  return customerId === undefined ? { tenant } : { tenant, customerId };
}

/** One order, or null: unknown and somebody else's cannot be told apart. */
export function readOrder(
  cache: Cache,
  orders: Sided<OrderReader>,
  scope: OrderScope,
  orderId: string,
): Promise<Loaded<Order | null>> {
  return cache.read(
    orderKey(scope, orderId),
    async (hint): Promise<Order | null> => (await from(orders, hint).find(scope, orderId)) ?? null,
  );
}

/** The latest orders, newest first. One entry serves every limit. */
export function readRecent(
  cache: Cache,
  orders: Sided<OrderReader>,
  scope: OrderScope,
): Promise<Loaded<readonly Order[]>> {
  return cache.read(recentKey(scope), (hint) => from(orders, hint).recent(scope, MOST));
}
