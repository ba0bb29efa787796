import type { ResourceBodies } from '../../catalog/index.ts';
import type { Cache } from '../../domain/cache.ts';
import type { Clock } from '../../domain/clock.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { StockPosition, StockReader, Warehouse } from '../../domain/stock.ts';
import { factsOf, uncachedFacts } from '../facts.ts';
import { from, type Sided } from '../from.ts';
import { regionsKey, warehouseKey, warehousesKey } from './keys.ts';

const POSITIONS = 1000;
const LOW_POSITIONS = 200;

/** @throws {Refusal} not_found */
export function warehouseStock(cache: Cache, stock: Sided<StockReader>): ResourceBodies['warehouse_stock'] {
  return async ({ caller: { tenant }, input: { wid } }) => {
    const loaded = await cache.read(
      warehouseKey(tenant, wid),
      async (hint) => (await from(stock, hint).warehouseStock(tenant, wid, POSITIONS)) ?? null,
    );
    if (loaded.value === null) throw notFound('warehouse');
    const { warehouse, total, positions } = loaded.value;
    return {
      ...placeOf(warehouse),
      total_positions: total,
      positions: positions.map(positionOf),
      ...factsOf(loaded),
    };
  };
}

export function warehouses(cache: Cache, stock: Sided<StockReader>): ResourceBodies['warehouses'] {
  return async ({ caller: { tenant } }) => {
    const loaded = await cache.read(warehousesKey(tenant), (hint) => from(stock, hint).warehouses(tenant));
    return {
      warehouses: loaded.value.map(({ skus, units, belowReorder, ...warehouse }) => ({
        ...placeOf(warehouse),
        skus,
        units,
        below_reorder_point: belowReorder,
      })),
      ...factsOf(loaded),
    };
  };
}

/** @throws {Refusal} not_found: no warehouse is in this region */
export function regionStock(cache: Cache, stock: Sided<StockReader>): ResourceBodies['region_stock'] {
  return async ({ caller: { tenant }, input: { region } }) => {
    // One entry for all regions: an order for any warehouse voids it without knowing the region.
    const loaded = await cache.read(regionsKey(tenant), async (hint) => {
      const reader = from(stock, hint);
      return Promise.all(
        (await reader.warehouses(tenant)).map(async ({ code, city, region: of }) => ({
          warehouse: { code, city, region: of },
          ...(await reader.lowStock(tenant, code, LOW_POSITIONS)),
        })),
      );
    });
    const inRegion = loaded.value.filter(
      ({ warehouse }) => region === 'all' || warehouse.region.toLowerCase() === region.toLowerCase(),
    );
    if (inRegion.length === 0 && region !== 'all') throw notFound('region');
    return {
      region,
      warehouses: inRegion.map(({ warehouse, total, positions }) => ({
        ...placeOf(warehouse),
        total_low: total,
        low: positions.map(positionOf),
      })),
      ...factsOf(loaded),
    };
  };
}

/** Never cached: who has just approved one looks at once. @throws {Refusal} not_found */
export function purchaseOrder(primary: StockReader, realTime: Clock): ResourceBodies['purchase_order'] {
  return async ({ caller: { tenant }, input: { id } }) => {
    const order = await primary.purchaseOrder(tenant, id);
    if (order === undefined) throw notFound('purchase order');
    return {
      po_id: order.id,
      sku: order.sku,
      quantity: order.quantity,
      warehouse: order.warehouse,
      state: order.state,
      action_id: order.actionId,
      requested_by: order.requestedBy,
      approved_by: [...order.approvedBy],
      created_at: order.createdAt,
      ...uncachedFacts(realTime),
    };
  };
}

function notFound(what: string): Refusal {
  return new Refusal('not_found', `There is no such ${what}. Do not infer.`);
}

function placeOf({ code, city, region }: Warehouse) {
  return { warehouse: code, city, region };
}

function positionOf(position: StockPosition) {
  return {
    sku: position.sku,
    product: position.product,
    on_hand: position.onHand,
    reserved: position.reserved,
    available: position.onHand - position.reserved,
    on_order: position.onOrder,
    reorder_level: position.reorderLevel,
    max_stock: position.maxStock,
    below_reorder_point: position.onHand - position.reserved <= position.reorderLevel,
  };
}
