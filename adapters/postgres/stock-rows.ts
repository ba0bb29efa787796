import type { PurchaseOrder, StockPosition } from '../../domain/stock.ts';

// Sums leave as float8: bigint would come as text and integer could overflow; whole numbers are exact up to 2^53.

/** A position, with the units that placed purchase orders will bring it. `total` counts all that the limit cuts off. */
export const POSITION = `
select coalesce(p.sku, '') as sku, p.name as product, w.code as warehouse,
       i.quantity as on_hand, i.reserved_quantity as reserved,
       coalesce((select sum(o.quantity) from purchase_orders o
                  where o.shop_id = i.shop_id and o.sku = p.sku and o.warehouse = w.code
                    and o.state = 'placed'), 0)::float8 as on_order,
       coalesce(i.reorder_level, 10) as reorder_level, i.max_stock_level as max_stock,
       (count(*) over ())::integer as total
  from inventory i
  join products p on p.shop_id = i.shop_id and p.id = i.product_id
  join warehouses w on w.shop_id = i.shop_id and w.id = i.warehouse_id`;

export type PositionRow = {
  readonly sku: string;
  readonly product: string;
  readonly warehouse: string;
  readonly on_hand: number;
  readonly reserved: number;
  readonly on_order: number;
  readonly reorder_level: number;
  readonly max_stock: number;
  readonly total: number;
};

export function positionOf(row: PositionRow): StockPosition {
  return {
    sku: row.sku,
    product: row.product,
    warehouse: row.warehouse,
    onHand: row.on_hand,
    reserved: row.reserved,
    onOrder: row.on_order,
    reorderLevel: row.reorder_level,
    maxStock: row.max_stock,
  };
}

export type PurchaseOrderRow = {
  readonly po_id: string;
  readonly sku: string;
  readonly quantity: number;
  readonly warehouse: string;
  readonly state: PurchaseOrder['state'];
  readonly action_id: string;
  readonly requested_by: string;
  readonly approved_by: readonly string[];
  readonly created_at: Date;
};

export function purchaseOrderOf(row: PurchaseOrderRow): PurchaseOrder {
  return {
    id: row.po_id,
    sku: row.sku,
    quantity: row.quantity,
    warehouse: row.warehouse,
    state: row.state,
    actionId: row.action_id,
    requestedBy: row.requested_by,
    approvedBy: row.approved_by,
    createdAt: row.created_at.toISOString(),
  };
}
