import type { StockWriter } from '../../domain/stock.ts';
import type { Sql } from './pools.ts';
import { purchaseOrderOf, type PurchaseOrderRow } from './stock-rows.ts';
import { selectPosition } from './stock-store.ts';

/** In whose name stock is written. */
export type WrittenFor = {
  readonly tenant: string;
  readonly actionId: string;
  /** Subject of the requester. */
  readonly requestedBy: string;
  /** Subjects of those who said yes. */
  readonly approvedBy: readonly string[];
};

/** Stock, written with `sql`: inside the transaction of one approved action, on the write pool, with the tenant set. */
export function createStockWriter(sql: Sql, action: WrittenFor): StockWriter {
  return {
    lockPosition: async (sku, warehouse) => {
      // Lock in one statement and read in the next: what a locking statement reads besides the locked row is as
      // old as its wait, and rivals would all see the same room.
      await sql.query(
        `select from inventory i
           join products p on p.shop_id = i.shop_id and p.id = i.product_id
           join warehouses w on w.shop_id = i.shop_id and w.id = i.warehouse_id
          where p.sku = $1 and w.code = $2
            for update of i`,
        [sku, warehouse],
      );
      return selectPosition(sql, sku, warehouse);
    },
    placePurchaseOrder: async ({ sku, quantity, warehouse }) => {
      const { rows } = await sql.query<PurchaseOrderRow>(
        `insert into purchase_orders (shop_id, sku, quantity, warehouse, action_id, requested_by, approved_by)
              values ($1, $2, $3, $4, $5, $6, $7)
           returning po_id::text, sku, quantity, warehouse, state, action_id, requested_by, approved_by, created_at`,
        [
          action.tenant,
          sku,
          quantity,
          warehouse,
          action.actionId,
          action.requestedBy,
          [...action.approvedBy],
        ],
      );
      const placed = rows[0];
      if (placed === undefined) throw new Error('The insert of a purchase order answered with no row.');
      return purchaseOrderOf(placed);
    },
  };
}
