import { createReorder as spec } from '../../catalog/inventory/create-reorder.ts';
import type { ToolBodies } from '../../catalog/index.ts';
import type { Effects } from '../../domain/action.ts';
import type { Cache } from '../../domain/cache.ts';
import { assertReorderFits, carried } from '../../domain/reorder.ts';
import { digestOfCall } from '../digest-of-call.ts';
import { regionsKey, warehouseKey } from './keys.ts';

/** @throws {Refusal} stock_not_found, above_max_stock, and what `Effects.once` refuses; nothing is ordered then. */
export function createReorder(effects: Effects, cache: Cache): ToolBodies['create_reorder'] {
  return async (call) => {
    const { sku, quantity, warehouse } = call.input;
    const result = await effects.once(call, digestOfCall(spec, call), async ({ stock }) => {
      // Judged here and not before the approval: the stock may have moved while people slept.
      const position = carried(await stock.lockPosition(sku, warehouse), sku, warehouse);
      assertReorderFits(position, quantity);
      const order = await stock.placePurchaseOrder({ sku, quantity, warehouse });
      return { po_id: order.id, sku, quantity: order.quantity, warehouse };
    });
    // What is on order has changed. Each runs on a repeat, too: the first attempt may have died before it.
    const { tenant } = call.plan.caller;
    await cache.invalidate(warehouseKey(tenant, warehouse));
    await cache.invalidate(regionsKey(tenant));
    return result;
  };
}
