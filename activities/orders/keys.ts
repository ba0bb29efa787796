import type { CacheKey } from '../../domain/cache.ts';
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

function ordersKey({ tenant, customerId }: OrderScope, parts: readonly string[]): CacheKey {
  const whose = customerId === undefined ? ['@shop'] : ['@customer', customerId];
  return { tenant, kind: 'order_status', parts: [...whose, ...parts] };
}
