import type pg from 'pg';
import type { Completable } from '../../domain/complete.ts';
import { minorUnits } from '../../domain/money.ts';
import type { ProductStock, PurchaseOrder, StockReader, Warehouse } from '../../domain/stock.ts';
import type { Sql } from './pools.ts';
import {
  POSITION,
  positionOf,
  purchaseOrderOf,
  type PositionRow,
  type PurchaseOrderRow,
} from './stock-rows.ts';
import { readInTenant } from './read-in-tenant.ts';

/** Stock in Postgres, read: the thin client in the place of a warehouse system's. */
export function createStockStore(pool: pg.Pool): StockReader {
  const read = <T>(tenant: string, work: (sql: Sql) => Promise<T>) => readInTenant(pool, tenant, work);
  return {
    volumes: (tenant, mangaId, volumeNumber) => read(tenant, (sql) => volumes(sql, mangaId, volumeNumber)),
    warehouseStock: (tenant, code, limit) =>
      read(tenant, async (sql) => {
        const warehouse = await findWarehouse(sql, code);
        return warehouse && { warehouse, ...(await positions(sql, code, limit)) };
      }),
    lowStock: (tenant, code, limit) => read(tenant, (sql) => lowPositions(sql, code, limit)),
    warehouses: (tenant) => read(tenant, warehouses),
    position: (tenant, sku, code) => read(tenant, (sql) => selectPosition(sql, sku, code)),
    products: (tenant, filter) => read(tenant, (sql) => products(sql, filter)),
    purchaseOrder: (tenant, id) => read(tenant, (sql) => purchaseOrder(sql, id)),
    complete: (tenant, what, prefix, limit) =>
      read(tenant, async (sql) => {
        const { rows } = await sql.query<{ value: string }>(COMPLETE[what], [prefix, limit]);
        return rows.map(({ value }) => value);
      }),
  };
}

/** One position as it stands; inside a transaction that has locked it, as nobody else can change it. */
export async function selectPosition(sql: Sql, sku: string, warehouse: string) {
  const { rows } = await sql.query<PositionRow>(`${POSITION} where p.sku = $1 and w.code = $2`, [
    sku,
    warehouse,
  ]);
  return rows[0] && positionOf(rows[0]);
}

async function volumes(sql: Sql, mangaId: string, volumeNumber: number | undefined) {
  const { rows } = await sql.query<{
    manga_id: string;
    volume_number: number;
    title: string;
    sellable: number;
    warehouse: Warehouse | null;
  }>(
    `select manga_id, volume_number, title, sum(sellable)::float8 as sellable,
            (array_agg(json_build_object('code', warehouse, 'city', city, 'region', region)
                       order by sellable desc, warehouse) filter (where sellable > 0))[1] as warehouse
       from stock_by_volume
      where manga_id = $1 and ($2::integer is null or volume_number = $2)
      group by manga_id, volume_number, title
      order by volume_number`,
    [mangaId, volumeNumber ?? null],
  );
  return rows.map(({ manga_id, volume_number, warehouse, ...rest }) => ({
    mangaId: manga_id,
    volumeNumber: volume_number,
    ...rest,
    ...(warehouse === null ? {} : { warehouse }),
  }));
}

async function findWarehouse(sql: Sql, code: string): Promise<Warehouse | undefined> {
  const { rows } = await sql.query<Warehouse>('select code, city, region from warehouses where code = $1', [
    code,
  ]);
  return rows[0];
}

async function positions(sql: Sql, code: string, limit: number) {
  const { rows } = await sql.query<PositionRow>(
    `${POSITION} where w.code = $1 order by p.sku collate "C", p.id limit $2`,
    [code, limit],
  );
  return { total: rows[0]?.total ?? 0, positions: rows.map(positionOf) };
}

async function lowPositions(sql: Sql, code: string, limit: number) {
  const { rows } = await sql.query<PositionRow>(
    `${POSITION} where w.code = $1 and i.quantity - i.reserved_quantity <= coalesce(i.reorder_level, 10)
      order by i.quantity - i.reserved_quantity, p.sku collate "C", p.id limit $2`,
    [code, limit],
  );
  return { total: rows[0]?.total ?? 0, positions: rows.map(positionOf) };
}

async function warehouses(sql: Sql) {
  const { rows } = await sql.query<Warehouse & { skus: number; units: number; below: number }>(
    `select w.code, w.city, w.region, count(i.product_id)::integer as skus,
            coalesce(sum(i.quantity), 0)::float8 as units,
            (count(*) filter (where i.quantity - i.reserved_quantity <= coalesce(i.reorder_level, 10)))::integer
              as below
       from warehouses w
       left join inventory i on i.shop_id = w.shop_id and i.warehouse_id = w.id
      group by w.id, w.code, w.city, w.region
      order by w.code`,
  );
  return rows.map(({ below, ...rest }) => ({ ...rest, belowReorder: below }));
}

async function products(
  sql: Sql,
  { product, category }: { readonly product?: string; readonly category?: string },
): Promise<readonly ProductStock[]> {
  const { rows } = await sql.query<ProductRow>(PRODUCTS, [product ?? null, category ?? null]);
  return rows.map(({ counted, reorder_level, stock_value, ...rest }) => ({
    ...rest,
    counted,
    reorderLevel: reorder_level,
    valueMinor: minorUnits(stock_value, rest.currency),
  }));
}

type ProductRow = {
  readonly product: string;
  readonly sku: string;
  readonly category: string;
  readonly quantity: number;
  readonly reserved: number;
  readonly counted: boolean;
  readonly reorder_level: number | null;
  readonly stock_value: string;
  readonly currency: string;
};

// `named` is what $1 names exactly; a part of a name counts only where nothing is named so.
const PRODUCTS = `
with named as (
  select id from products where lower(name) = lower($1::text) or lower(sku) = lower($1::text)
)
select p.name as product, coalesce(p.sku, '') as sku, p.category,
       coalesce(i.quantity, 0) as quantity, coalesce(i.reserved_quantity, 0) as reserved,
       i.product_id is not null as counted, i.reorder_level,
       coalesce(i.stock_value, 0)::text as stock_value, s.currency
  from products p
  join shops s on s.id = p.shop_id
  left join inventory_by_product i on i.shop_id = p.shop_id and i.product_id = p.id
 where ($2::text is null or lower(p.category) = lower($2))
   and ($1::text is null
        or p.id in (select id from named)
        or (not exists (select from named) and strpos(lower(p.name), lower($1)) > 0))
 order by p.name, p.id`;

async function purchaseOrder(sql: Sql, id: string): Promise<PurchaseOrder | undefined> {
  // As text: a number of any length is then one that was not found, not one that does not fit.
  const { rows } = await sql.query<PurchaseOrderRow>(
    `select po_id::text, sku, quantity, warehouse, state, action_id, requested_by, approved_by, created_at
       from purchase_orders where po_id::text = $1`,
    [id.replace(/^#/, '')],
  );
  return rows[0] && purchaseOrderOf(rows[0]);
}

const COMPLETE: Readonly<Record<Exclude<Completable, 'order_id'>, string>> = {
  sku: completion('products', 'sku'),
  manga_id: completion('products', 'manga_id'),
  warehouse: completion('warehouses', 'code'),
  region: completion('warehouses', 'region'),
  purchase_order: completion('purchase_orders', 'po_id::text'),
};

/** Both arguments are constants of this file. */
function completion(table: string, value: string): string {
  return `select distinct ${value} collate "C" as value from ${table}
           where ${value} is not null and starts_with(lower(${value}), lower($1)) order by 1 limit $2`;
}
