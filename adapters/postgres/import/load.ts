import { escapeLiteral, type ClientBase } from 'pg';
import type { ImportTable } from './columns.ts';
import { stageOf } from './staging.ts';

export type LoadContext = {
  readonly shop: string;
  readonly currency: string;
  /** Stands in for the dates that the source does not know. ISO 8601. */
  readonly now: string;
};

const customers = stageOf('customers');
const variants = stageOf('variants');
const orders = stageOf('orders');
const lines = stageOf('order_lines');
const methods = stageOf('payment_methods');
const payments = stageOf('payments');
const warehouses = stageOf('warehouses');
const inventory = stageOf('inventory');

/**
 * What later statements need of the staged files: each order's state and total, and which orders the shop
 * already has. Such an order is left alone with all that hangs on it.
 */
export async function prepareStages(sql: ClientBase): Promise<void> {
  await sql.query(`
    analyze ${customers}; analyze ${variants}; analyze ${orders}; analyze ${lines};
    analyze ${methods}; analyze ${payments}; analyze ${warehouses}; analyze ${inventory};

    create temporary table order_sums on commit drop as
    select s.order_id, l.lines - coalesce(s.discount, 0) + coalesce(s.shipping_cost, 0) as total
      from ${orders} s
      join (select order_id, sum(price * coalesce(quantity, 1) - coalesce(discount, 0)) as lines
              from ${lines} group by order_id) l using (order_id);
    analyze pg_temp.order_sums;

    create temporary table known_orders on commit drop as
    select o.order_id, o.id from orders o join ${orders} s using (order_id);
    analyze pg_temp.known_orders;`);
}

type Insert = {
  readonly table: ImportTable;
  /** Tables whose statistics this statement and its foreign keys lean on. */
  readonly analyze: readonly string[];
  /** Written some lines at a time, so that a long wait shows how far it is. */
  readonly sliced?: true;
  readonly sql: (context: Literals) => string;
};

/** The context as SQL. Parameters will not do: a statement must use every one that it is given. */
type Literals = Readonly<Record<keyof LoadContext | 'slice', string>>;

const LINE_OF_ADDRESS = `nullif(concat_ws(', ', s.ship_address1, s.ship_address2, s.ship_city, s.ship_state,
  s.ship_country, s.ship_zip), '')`;

/** In the order that foreign keys ask for. */
const INSERTS: readonly Insert[] = [
  {
    table: 'customers',
    analyze: [],
    sql: (
      is,
    ) => `insert into customers (shop_id, customer_id, user_id, name, first_name, last_name, email, phone, address,
            address2, city, state, country, zip, loyalty_tier, created_at)
          select ${is.shop}, s.customer_id, coalesce(s.user_id, s.customer_id),
                 coalesce(s.name, concat_ws(' ', s.first_name, s.last_name)), s.first_name, s.last_name, s.email,
                 s.phone, s.address1, s.address2, s.city, s.state, s.country, s.zip,
                 coalesce(s.loyalty_tier, 'Bronze'), coalesce(s.created_at, ${is.now})
            from ${customers} s
           where not exists (select from customers c where c.customer_id = s.customer_id)`,
  },
  {
    table: 'variants',
    analyze: ['customers'],
    sql: (
      is,
    ) => `insert into products (shop_id, sku, variant_of, name, options, price, currency, available, category, brand,
            description, weight, dimensions, created_at, updated_at)
          select ${is.shop}, s.sku, s.product_id, s.product_name, s.options_json, s.price, ${is.currency}, s.available,
                 coalesce(s.category, 'Uncategorised'), s.brand, s.description, s.weight, s.dimensions,
                 coalesce(s.created_at, ${is.now}), coalesce(s.created_at, ${is.now})
            from ${variants} s
           where not exists (select from products p where p.sku = s.sku)`,
  },
  {
    table: 'orders',
    analyze: ['products'],
    // Sorted, because orders of one instant are told apart by their internal ids.
    sql: (
      is,
    ) => `insert into orders (shop_id, order_id, customer_id, user_id, order_date, status, source_status,
            total_amount, shipping_address, payment_method, discount_applied, shipping_cost, notes, fulfilled_date,
            ship_address1, ship_address2, ship_city, ship_state, ship_country, ship_zip)
          select ${is.shop}, s.order_id, c.id, c.user_id, coalesce(s.created_at, ${is.now}), s.state,
                 coalesce(s.source_status, s.status), t.total, ${LINE_OF_ADDRESS}, s.payment_method,
                 coalesce(s.discount, 0), coalesce(s.shipping_cost, 0), s.notes,
                 case when s.state = 'Delivered'
                      then coalesce(s.fulfilled_at, s.created_at, ${is.now}) end,
                 s.ship_address1, s.ship_address2, s.ship_city, s.ship_state, s.ship_country, s.ship_zip
            from ${orders} s
            join customers c using (customer_id)
            join pg_temp.order_sums t using (order_id)
           where not exists (select from pg_temp.known_orders k where k.order_id = s.order_id)
           order by s.order_id`,
  },
  {
    table: 'order_lines',
    analyze: ['orders'],
    sliced: true,
    sql: (
      is,
    ) => `insert into order_items (shop_id, order_id, line_no, product_id, quantity, unit_price, discount)
          select ${is.shop}, o.id, s.line_no, p.id, coalesce(s.quantity, 1), s.price, coalesce(s.discount, 0)
            from ${lines} s
            join orders o using (order_id)
            join products p using (sku)
           where ${is.slice} and not exists (select from pg_temp.known_orders k where k.order_id = s.order_id)`,
  },
  {
    table: 'payment_methods',
    analyze: [],
    sql: (
      is,
    ) => `insert into payment_methods (shop_id, payment_method_id, customer_id, kind, brand, last_four, balance)
          select ${is.shop}, s.payment_method_id, c.id, s.type, s.brand, s.last_four, s.balance
            from ${methods} s
            join customers c using (customer_id)
           where not exists (select from payment_methods m where m.payment_method_id = s.payment_method_id)`,
  },
  {
    table: 'payments',
    analyze: ['payment_methods'],
    sql: (is) => `insert into order_payments (shop_id, order_id, seq, kind, amount, payment_method_id)
          select ${is.shop}, o.id, s.seq, s.type, s.amount, m.id
            from ${payments} s
            join orders o using (order_id)
            left join payment_methods m using (payment_method_id)
           where not exists (select from pg_temp.known_orders k where k.order_id = s.order_id)`,
  },
  {
    table: 'warehouses',
    analyze: [],
    sql: (is) => `insert into warehouses (shop_id, code, city, region)
          select ${is.shop}, s.warehouse, s.city, s.region
            from ${warehouses} s
           where not exists (select from warehouses w where w.code = s.warehouse)`,
  },
  {
    table: 'inventory',
    analyze: ['warehouses'],
    sql: (
      is,
    ) => `insert into inventory (shop_id, product_id, warehouse_id, quantity, reserved_quantity, reorder_level,
            max_stock_level, supplier, cost_per_unit, last_updated)
          select ${is.shop}, p.id, w.id, s.quantity, coalesce(s.reserved, 0), coalesce(s.reorder_level, 10),
                 coalesce(s.max_stock, 1000), s.supplier, s.cost_per_unit, ${is.now}
            from ${inventory} s
            join products p using (sku)
            join warehouses w on w.code = s.warehouse
           where not exists (
             select from inventory i where i.product_id = p.id and i.warehouse_id = w.id)`,
  },
];

export type LoadWatch = {
  before(table: ImportTable): void;
  /** `part`: how much of the table has just been written; 1 is all of it. */
  after(table: ImportTable, part: number): void;
};

/** Writes every staged row that the shop does not have, and answers how many of each. Statistics first, keys second. */
export async function insertStages(
  sql: ClientBase,
  context: LoadContext,
  present: readonly ImportTable[],
  watch: LoadWatch,
): Promise<ReadonlyMap<ImportTable, number>> {
  const inserted = new Map<ImportTable, number>();
  const literals: Literals = {
    shop: escapeLiteral(context.shop),
    now: `${escapeLiteral(context.now)}::timestamptz`,
    currency: escapeLiteral(context.currency),
    slice: 'true',
  };
  for (const { table, analyze, sliced, sql: statement } of INSERTS) {
    if (analyze.length > 0) await sql.query('call analyze_imported($1)', [analyze]);
    if (!present.includes(table)) continue;
    watch.before(table);
    let count = 0;
    const slices = sliced === true ? await slicesOf(sql, table) : ['true'];
    for (const slice of slices) {
      const { rowCount } = await sql.query(statement({ ...literals, slice }));
      count += rowCount ?? 0;
      watch.after(table, 1 / slices.length);
    }
    inserted.set(table, count);
  }
  if ((inserted.get('orders') ?? 0) > 0) await settleNewOrders(sql, context);
  return inserted;
}

/** Cancelled and refunded orders were placed, and are counted as such, but nothing was bought by them. */
const HOLDS = `o.status not in ('Cancelled', 'Refunded')`;

/** What follows from new orders: a shipment for each tracking number, and what their customers come to. */
async function settleNewOrders(sql: ClientBase, context: LoadContext): Promise<void> {
  await sql.query(
    `insert into shipments (shop_id, order_id, tracking_number)
     select $1, o.id, number
       from ${orders} s
       join orders o using (order_id)
      cross join lateral regexp_split_to_table(s.tracking_ids, '[\\s;|,]+') number
      where s.tracking_ids is not null and number <> ''
        and not exists (select from pg_temp.known_orders k where k.order_id = s.order_id)`,
    [context.shop],
  );
  await sql.query(
    `update customers c
        set total_orders = sums.orders, total_spent = sums.spent, last_purchase_date = sums.latest
       from (select o.customer_id, count(*)::int as orders, max(o.order_date) filter (where ${HOLDS}) as latest,
                    coalesce(sum(o.total_amount) filter (where ${HOLDS}), 0) as spent
               from orders o
              where o.customer_id in (
                select n.customer_id from orders n join ${orders} s using (order_id)
                 where not exists (select from pg_temp.known_orders k where k.order_id = s.order_id))
              group by o.customer_id) sums
      where c.id = sums.customer_id`,
  );
}

const SLICE_LINES = 100_000;

async function slicesOf(sql: ClientBase, table: ImportTable): Promise<readonly string[]> {
  const { rows } = await sql.query<{ last: number | null }>(
    `select max(at_line) as last from ${stageOf(table)}`,
  );
  const slices = Math.ceil(((rows[0]?.last ?? 0) + 1) / SLICE_LINES);
  return Array.from({ length: slices }, (_, i) => {
    const first = i * SLICE_LINES;
    return `s.at_line >= ${first} and s.at_line < ${first + SLICE_LINES}`;
  });
}

/** What the shop holds now, whoever wrote it. */
export async function countShop(sql: ClientBase): Promise<Readonly<Record<ImportTable, number>>> {
  const { rows } = await sql.query<Record<ImportTable, number>>(
    `select (select count(*)::int from customers) as customers, (select count(*)::int from products) as variants,
            (select count(*)::int from orders) as orders, (select count(*)::int from order_items) as order_lines,
            (select count(*)::int from payment_methods) as payment_methods,
            (select count(*)::int from order_payments) as payments,
            (select count(*)::int from warehouses) as warehouses, (select count(*)::int from inventory) as inventory`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('a count without an answer');
  return row;
}
