import type { Completable } from './complete.ts';
import type { Currency } from './money.ts';

/** A *position* is a SKU at a warehouse. */
export type StockPosition = {
  readonly sku: string;
  readonly product: string;
  readonly warehouse: string;
  readonly onHand: number;
  readonly reserved: number;
  /** Units on purchase orders not yet received. */
  readonly onOrder: number;
  readonly reorderLevel: number;
  readonly maxStock: number;
};

export type Warehouse = { readonly code: string; readonly city: string; readonly region: string };

/** Sellable units of one volume, over all warehouses. */
export type VolumeStock = {
  readonly mangaId: string;
  readonly volumeNumber: number;
  readonly title: string;
  readonly sellable: number;
  /** The warehouse that holds most of it; absent when nothing is left. */
  readonly warehouse?: Warehouse;
};

/** What an inventory report is made of: one row per product, all warehouses together. */
export type ProductStock = {
  readonly product: string;
  readonly sku: string;
  readonly category: string;
  readonly quantity: number;
  readonly reserved: number;
  /** False where no warehouse keeps a count of it: its stock is unknown, not zero. */
  readonly counted: boolean;
  /** Null where no level is set. */
  readonly reorderLevel: number | null;
  /** Minor units of the shop's currency: Σ quantity × cost per unit. */
  readonly valueMinor: number;
  readonly currency: Currency;
};

export type PurchaseOrder = {
  /** Public number, digits only: `PO #1042`. */
  readonly id: string;
  readonly sku: string;
  readonly quantity: number;
  readonly warehouse: string;
  readonly state: 'placed' | 'received' | 'cancelled';
  readonly actionId: string;
  readonly requestedBy: string;
  readonly approvedBy: readonly string[];
  readonly createdAt: string;
};

/** The warehouse system, read. A thin client: Postgres stands behind it here, a WMS may elsewhere. */
export interface StockReader {
  /** Without a volume: every volume of the title that is counted anywhere, ascending. Empty when there is none. */
  volumes(tenant: string, mangaId: string, volumeNumber?: number): Promise<readonly VolumeStock[]>;
  /** Positions of one warehouse, by SKU, and how many there are in all; undefined when there is no such warehouse. */
  warehouseStock(
    tenant: string,
    warehouse: string,
    limit: number,
  ): Promise<
    | { readonly warehouse: Warehouse; readonly total: number; readonly positions: readonly StockPosition[] }
    | undefined
  >;
  /** Positions below their reorder point in one warehouse, emptiest first, and how many there are in all. */
  lowStock(
    tenant: string,
    warehouse: string,
    limit: number,
  ): Promise<{ readonly total: number; readonly positions: readonly StockPosition[] }>;
  warehouses(
    tenant: string,
  ): Promise<
    readonly (Warehouse & { readonly skus: number; readonly units: number; readonly belowReorder: number })[]
  >;
  position(tenant: string, sku: string, warehouse: string): Promise<StockPosition | undefined>;
  /** `product`: its name or SKU, else a part of the name; capitals do not matter. By name. */
  products(
    tenant: string,
    filter: { readonly product?: string; readonly category?: string },
  ): Promise<readonly ProductStock[]>;
  /** Accepts the number with or without `#`. */
  purchaseOrder(tenant: string, id: string): Promise<PurchaseOrder | undefined>;
  /** For argument completion: values that start with `prefix`, at most `limit`, sorted. */
  complete(
    tenant: string,
    what: Exclude<Completable, 'order_id'>,
    prefix: string,
    limit: number,
  ): Promise<readonly string[]>;
}

/** The warehouse system, written: only inside the transaction of an approved effect. */
export interface StockWriter {
  /** Locks the position until the transaction ends, then reads it; undefined when the warehouse does not carry the SKU. */
  lockPosition(sku: string, warehouse: string): Promise<StockPosition | undefined>;
  placePurchaseOrder(order: {
    readonly sku: string;
    readonly quantity: number;
    readonly warehouse: string;
  }): Promise<PurchaseOrder>;
}
