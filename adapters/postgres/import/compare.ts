import type { ClientBase } from 'pg';
import type { ImportTable } from './columns.ts';
import { stageOf } from './staging.ts';

const customers = stageOf('customers');
const variants = stageOf('variants');
const orders = stageOf('orders');
const lines = stageOf('order_lines');
const methods = stageOf('payment_methods');
const payments = stageOf('payments');
const warehouses = stageOf('warehouses');
const inventory = stageOf('inventory');

const differs = (pairs: readonly (readonly [staged: string, stored: string])[]) =>
  // An empty field says nothing, so it cannot contradict.
  pairs
    .map(([staged, stored]) => `(s.${staged} is not null and s.${staged} is distinct from ${stored})`)
    .join(' or ');

const same = (target: string, columns: readonly string[]): readonly (readonly [string, string])[] =>
  columns.map((column) => [column, `${target}.${column}`]);

type Comparison = { readonly table: ImportTable; readonly from: string; readonly differs: string };

/** `from` joins each staged row `s` to what the shop already holds of it, null where a known order lacks it. */
const COMPARISONS: readonly Comparison[] = [
  {
    table: 'customers',
    from: `${customers} s join customers c using (customer_id)`,
    differs: differs([
      ...same('c', ['user_id', 'name', 'first_name', 'last_name', 'email', 'phone']),
      ...same('c', ['address2', 'city', 'state', 'country', 'zip', 'loyalty_tier', 'created_at']),
      ['address1', 'c.address'],
    ]),
  },
  {
    table: 'variants',
    from: `${variants} s join products p using (sku)`,
    differs: differs([
      ...same('p', [
        'price',
        'available',
        'category',
        'brand',
        'description',
        'weight',
        'dimensions',
        'created_at',
      ]),
      ['product_id', 'p.variant_of'],
      ['product_name', 'p.name'],
      ['options_json', 'p.options'],
    ]),
  },
  {
    table: 'orders',
    from: `${orders} s join pg_temp.known_orders k using (order_id) join orders o on o.id = k.id
             join customers c on c.id = o.customer_id left join pg_temp.order_sums t on t.order_id = s.order_id`,
    differs: `${differs([
      ['customer_id', 'c.customer_id'],
      ['state', 'o.status'],
      ['created_at', 'o.order_date'],
      ['fulfilled_at', 'o.fulfilled_date'],
      ['discount', 'o.discount_applied'],
      ...same('o', ['shipping_cost', 'payment_method', 'notes']),
      ...same('o', ['ship_address1', 'ship_address2', 'ship_city', 'ship_state', 'ship_country', 'ship_zip']),
    ])} or t.total <> o.total_amount`,
  },
  {
    table: 'order_lines',
    from: `${lines} s join pg_temp.known_orders k using (order_id)
             left join order_items i on i.order_id = k.id and i.line_no = s.line_no
             left join products p on p.id = i.product_id`,
    differs: `i.id is null or s.sku <> p.sku or s.price <> i.unit_price
              or coalesce(s.quantity, 1) <> i.quantity or coalesce(s.discount, 0) <> i.discount`,
  },
  {
    table: 'payment_methods',
    from: `${methods} s join payment_methods m using (payment_method_id)`,
    differs: differs([['type', 'm.kind'], ...same('m', ['balance', 'brand', 'last_four'])]),
  },
  {
    table: 'payments',
    from: `${payments} s join pg_temp.known_orders k using (order_id)
             left join order_payments y on y.order_id = k.id and y.seq = s.seq
             left join payment_methods m on m.id = y.payment_method_id`,
    differs: `y.id is null or s.type <> y.kind or s.amount <> y.amount
              or ${differs(same('m', ['payment_method_id']))}`,
  },
  {
    table: 'warehouses',
    from: `${warehouses} s join warehouses w on w.code = s.warehouse`,
    differs: differs(same('w', ['city', 'region'])),
  },
  {
    table: 'inventory',
    from: `${inventory} s join products p using (sku) join warehouses w on w.code = s.warehouse
             join inventory i on i.product_id = p.id and i.warehouse_id = w.id`,
    differs: differs([
      ['quantity', 'i.quantity'],
      ['reserved', 'i.reserved_quantity'],
      ['max_stock', 'i.max_stock_level'],
      ...same('i', ['reorder_level', 'supplier', 'cost_per_unit']),
    ]),
  },
];

export type Compared = { readonly known: number; readonly kept: readonly number[] };

/** How many rows of each file the shop already has, and the lines of those it has otherwise. */
export async function compareStages(sql: ClientBase): Promise<ReadonlyMap<ImportTable, Compared>> {
  const found = new Map<ImportTable, Compared>();
  for (const { table, from, differs } of COMPARISONS) {
    const { rows } = await sql.query<{ known: number; kept: number[] | null }>(
      `select count(*)::int as known, array_agg(s.at_line order by s.at_line) filter (where ${differs}) as kept
         from ${from}`,
    );
    found.set(table, { known: rows[0]?.known ?? 0, kept: rows[0]?.kept ?? [] });
  }
  return found;
}
