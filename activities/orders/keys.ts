import type { CacheKey } from '../../domain/cache.ts';
import { spellingsOf } from '../../domain/order-ids.ts';
import type { Touched } from '../../domain/order-life.ts';
import type { OrderScope } from '../../domain/orders.ts';

/**
 * Keys of cached orders. A customer's carry shop and customer, so nobody is ever answered from somebody else's
 * entry; the staff's begin with a part of their own.
 */
export function orderKey(scope: OrderScope, orderId: string): CacheKey {
  return ordersKey(scope, ['order', orderId]);
}

export function recentKey(scope: OrderScope): CacheKey {
  return ordersKey(scope, ['recent']);
}

export function upcomingKey(tenant: string): CacheKey {
  return ordersKey({ tenant }, ['upcoming']);
}

export function demandKey(tenant: string): CacheKey {
  return ordersKey({ tenant }, ['demand7d']);
}

/** Everything that may show an order: under each spelling it can be asked by, for its customer and for the staff. */
export function keysShowing(tenant: string, { orderId, customerId }: Touched): readonly CacheKey[] {
  const scopes: readonly OrderScope[] = [{ tenant }, { tenant, customerId }];
  return [
    ...scopes.flatMap((scope) => [
      recentKey(scope),
      ...spellingsOf(orderId).map((spelling) => orderKey(scope, spelling)),
    ]),
    upcomingKey(tenant),
    demandKey(tenant),
  ];
}

function ordersKey({ tenant, customerId }: OrderScope, parts: readonly string[]): CacheKey {
  const whose = customerId === undefined ? ['@shop'] : ['@customer', customerId];
  return { tenant, kind: 'order_status', parts: [...whose, ...parts] };
}
