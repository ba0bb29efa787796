import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache, Loaded } from '../../domain/cache.ts';
import { type Locale, sentenceFor } from '../../domain/order-messages.ts';
import type { Order, OrderReader } from '../../domain/orders.ts';
import { factsOf } from '../facts.ts';
import type { Sided } from '../from.ts';
import type { Arrivals } from '../logistics/arrival.ts';
import { MOST, readRecent, scopeOf } from './read-orders.ts';
import { arriving, entryOf } from './views.ts';

export function listRecentOrders(
  cache: Cache,
  orders: Sided<OrderReader>,
  arrivals: Arrivals,
): ToolBodies['list_recent_orders'] {
  return async ({ caller, input: { limit, locale } }) => {
    const scope = scopeOf(caller);
    return listOf(await readRecent(cache, orders, scope), arrivals, { ...scope, limit, locale });
  };
}

type Shown = { readonly tenant: string; readonly limit?: number; readonly locale?: Locale | undefined };

/** The latest orders as a result; no orders is said, not left empty. */
export async function listOf(
  loaded: Loaded<readonly Order[]>,
  arrivals: Arrivals,
  { tenant, limit = MOST, locale }: Shown,
) {
  const shown = loaded.value.slice(0, limit).map((order) => arriving(arrivals, tenant, order));
  const orders = (await Promise.all(shown)).map((one) => entryOf(one, locale));
  const found = orders.length > 0;
  return {
    status: found ? ('found' as const) : ('not_found' as const),
    message: found
      ? orders.map(({ order_id, message }) => sentenceFor(order_id, [message], locale)).join('\n')
      : 'There are no orders. Do not infer.',
    orders,
    ...factsOf(loaded),
  };
}
