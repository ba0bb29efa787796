import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import { sentenceFor } from '../../domain/order-messages.ts';
import type { OrderReader } from '../../domain/orders.ts';
import { factsOf } from '../facts.ts';
import type { Sided } from '../from.ts';
import type { Arrivals } from '../logistics/arrival.ts';
import { listOf } from './list-recent-orders.ts';
import { readOrder, readRecent, scopeOf } from './read-orders.ts';
import { arriving, entryOf } from './views.ts';

export function getOrderStatus(
  cache: Cache,
  orders: Sided<OrderReader>,
  arrivals: Arrivals,
): ToolBodies['get_order_status'] {
  return async ({ caller, input: { order_id, locale } }) => {
    const scope = scopeOf(caller);
    if (order_id === undefined)
      return listOf(await readRecent(cache, orders, scope), arrivals, { ...scope, locale });
    const loaded = await readOrder(cache, orders, scope, order_id);
    if (loaded.value === null) {
      const message = `No order ${order_id} was found. Do not infer.`;
      return { status: 'not_found', message, orders: [], ...factsOf(loaded) };
    }
    const entry = entryOf(await arriving(arrivals, scope.tenant, loaded.value), locale);
    const message = sentenceFor(entry.order_id, [entry.message, entry.next_step], locale);
    return { status: 'found', message, orders: [entry], ...factsOf(loaded) };
  };
}
