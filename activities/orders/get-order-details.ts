import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import { LEGACY_STATUS, type OrderReader } from '../../domain/orders.ts';
import { factsOf } from '../facts.ts';
import type { Sided } from '../from.ts';
import type { Arrivals } from '../logistics/arrival.ts';
import { readOrder, scopeOf } from './read-orders.ts';
import { arriving, entryOf, inMajor, moneyAndGoods } from './views.ts';

export function getOrderDetails(
  cache: Cache,
  orders: Sided<OrderReader>,
  arrivals: Arrivals,
): ToolBodies['get_order_details'] {
  return async ({ caller, input: { order_id, locale } }) => {
    const loaded = await readOrder(cache, orders, scopeOf(caller), order_id);
    const order = loaded.value;
    if (order === null) {
      const message = `No order ${order_id} was found. Do not infer.`;
      return { status: 'not_found', order_id, message, ...factsOf(loaded) };
    }
    const shown = await arriving(arrivals, caller.tenant, order);
    const { message, next_step } = entryOf(shown, locale);
    return {
      order_id: order.orderId,
      status: LEGACY_STATUS[order.state],
      message,
      state: order.state,
      source_status: order.sourceStatus,
      next_step,
      date: order.createdAt,
      fulfilled_date: order.fulfilledAt,
      ...moneyAndGoods(shown),
      payment_method: order.paymentMethod,
      payments: order.payments.map(({ kind, amountMinor, method }) => ({
        kind,
        amount: inMajor(order, amountMinor),
        method,
      })),
      customer: {
        customer_id: order.customerId,
        name: order.customerName,
        email: order.customerEmailMasked,
      },
      ...factsOf(loaded),
    };
  };
}
