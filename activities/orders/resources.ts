import type { ResourceBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import type { Clock } from '../../domain/clock.ts';
import { LEGACY_STATUS, type OrderReader } from '../../domain/orders.ts';
import { Refusal } from '../../domain/refusal.ts';
import { factsOf } from '../facts.ts';
import { from, type Sided } from '../from.ts';
import type { Arrivals } from '../logistics/arrival.ts';
import { demandKey, upcomingKey } from './keys.ts';
import { readOrder, scopeOf } from './read-orders.ts';
import { arriving, asOnFile, entryOf, moneyAndGoods } from './views.ts';

const UPCOMING = 100;
const DEMANDED = 1000;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** @throws {Refusal} not_found */
export function orderRecord(
  cache: Cache,
  orders: Sided<OrderReader>,
  arrivals: Arrivals,
): ResourceBodies['order_record'] {
  return async ({ caller, input: { order_id } }) => {
    const loaded = await readOrder(cache, orders, scopeOf(caller), order_id);
    const order = loaded.value;
    if (order === null) throw new Refusal('not_found', 'There is no such order. Do not infer.');
    const shown = await arriving(arrivals, caller.tenant, order);
    const { message, next_step } = entryOf(shown);
    return {
      order_id: order.orderId,
      status: order.state,
      legacy_status: LEGACY_STATUS[order.state],
      source_status: order.sourceStatus,
      message,
      next_step,
      created_at: order.createdAt,
      fulfilled_at: order.fulfilledAt,
      customer_id: order.customerId,
      ...moneyAndGoods(shown),
      delivery: order.delivery && {
        status: order.delivery.status,
        driver: order.delivery.driver && { ...order.delivery.driver },
        note: order.delivery.note,
      },
      history: order.history.map((step) => ({ ...step })),
      ...factsOf(loaded),
    };
  };
}

export function upcomingOrders(cache: Cache, orders: Sided<OrderReader>): ResourceBodies['upcoming_orders'] {
  return async ({ caller: { tenant } }) => {
    const loaded = await cache.read(upcomingKey(tenant), (hint) =>
      from(orders, hint).upcoming(tenant, UPCOMING),
    );
    return {
      total: loaded.value.total,
      orders: loaded.value.orders.map((order) => {
        const { order_id, status, created_at, currency, total, items } = entryOf(asOnFile(order));
        const goods = items.map(({ sku, title, quantity }) => ({ sku, title, quantity }));
        return { order_id, status, created_at, currency, total, items: goods };
      }),
      ...factsOf(loaded),
    };
  };
}

/** `clock`: the business clock, since orders are dated by it. */
export function demand7d(
  cache: Cache,
  orders: Sided<OrderReader>,
  clock: Clock,
): ResourceBodies['demand_7d'] {
  return async ({ caller: { tenant } }) => {
    const loaded = await cache.read(demandKey(tenant), async (hint) => {
      const until = clock.now();
      const since = new Date(until.getTime() - WEEK_MS);
      const demand = await from(orders, hint).demand(tenant, since, until);
      const units = demand.reduce((sum, each) => sum + each.units, 0);
      return {
        since: since.toISOString(),
        until: until.toISOString(),
        total_skus: demand.length,
        total_units: units,
        demand: demand.slice(0, DEMANDED),
      };
    });
    return { ...loaded.value, demand: [...loaded.value.demand], ...factsOf(loaded) };
  };
}
