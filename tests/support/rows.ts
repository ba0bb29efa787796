import { inTenant, type Pools, type Sql } from '../../adapters/postgres/pools.ts';

/** Writes rows of one shop, as the write role and under row-level security. Ids are public ids. */
export type Rows = {
  customer(customerId: string, userId?: string, email?: string): Promise<void>;
  product(row: {
    sku: string;
    name?: string;
    price?: number;
    volume?: readonly [string, number];
  }): Promise<void>;
  warehouse(code: string, city: string, region: string): Promise<void>;
  position(row: Position): Promise<void>;
  order(row: OrderRow): Promise<void>;
  price(row: PriceRow): Promise<void>;
  promotion(row: { sku: string; discountPct: number; from: string; to: string }): Promise<void>;
  run(statement: string, parameters?: readonly unknown[]): Promise<void>;
};

type Position = {
  sku: string;
  warehouse: string;
  quantity: number;
  reserved?: number;
  level?: number | null;
  max?: number;
  cost?: number;
};

type OrderRow = {
  orderId: string;
  customerId: string;
  date: string;
  status?: string;
  total?: number;
  notes?: string;
  lines: readonly { sku: string; quantity: number; unitPrice: number; discount?: number }[];
};

type PriceRow = {
  sku: string;
  amount: number;
  from: string;
  until: string;
  discountPct?: number;
  currency?: string;
};

export async function openShop(pools: Pools, shop: string, currency = 'JPY'): Promise<Rows> {
  const rows = rowsIn(pools, shop, currency);
  await rows.run('insert into shops (id, name, currency) values ($1, $1, $2)', [shop, currency]);
  return rows;
}

/** The same for a shop that exists. */
export function rowsIn(pools: Pools, shop: string, currency = 'JPY'): Rows {
  const write = <T>(work: (sql: Sql) => Promise<T>) => inTenant(pools.write, shop, work);
  const run = (statement: string, parameters: readonly unknown[] = []) =>
    write(async (sql) => void (await sql.query(statement, [...parameters])));
  const productId = `(select id from products where shop_id = $1 and sku = $2)`;
  return {
    run,
    customer: (customerId, userId = customerId, email = `${customerId}@example.com`) =>
      run(
        `insert into customers (shop_id, customer_id, user_id, name, email, phone, address)
              values ($1, $2, $3, 'Name of ' || $2, $4, '+1 555 0100', '1 Secret Street')`,
        [shop, customerId, userId, email],
      ),
    product: ({ sku, name = `Product ${sku}`, price = 10, volume = [null, null] }) =>
      run(
        `insert into products (shop_id, sku, name, category, price, currency, manga_id, volume_number)
              values ($1, $2, $3, 'Things', $4, $5, $6, $7)`,
        [shop, sku, name, price, currency, ...volume],
      ),
    warehouse: (code, city, region) =>
      run('insert into warehouses (shop_id, code, city, region) values ($1, $2, $3, $4)', [
        shop,
        code,
        city,
        region,
      ]),
    position: ({ sku, warehouse, quantity, reserved = 0, level = 10, max = 1000, cost = 1 }) =>
      run(
        `insert into inventory (shop_id, product_id, warehouse_id, quantity, reserved_quantity, reorder_level,
                                max_stock_level, cost_per_unit)
              values ($1, ${productId}, (select id from warehouses where shop_id = $1 and code = $3),
                      $4, $5, $6, $7, $8)`,
        [shop, sku, warehouse, quantity, reserved, level, max, cost],
      ),
    order: (row) => write((sql) => insertOrder(sql, shop, row)),
    price: ({ sku, amount, from, until, discountPct = 0, currency: of = currency }) =>
      run(
        `insert into prices (shop_id, product_id, amount, currency, discount_pct, valid_from, valid_until)
              values ($1, ${productId}, $3, $4, $5, $6, $7)`,
        [shop, sku, amount, of, discountPct, from, until],
      ),
    promotion: ({ sku, discountPct, from, to }) =>
      run(
        `insert into promotions (shop_id, product_id, name, discount_pct, starts_at, ends_at)
              values ($1, ${productId}, 'Sale', $3, $4, $5)`,
        [shop, sku, discountPct, from, to],
      ),
  };
}

async function insertOrder(sql: Sql, shop: string, row: OrderRow): Promise<void> {
  const { status = 'Confirmed', total = 10, notes = null } = row;
  const { rows } = await sql.query<{ id: string }>(
    `insert into orders (shop_id, order_id, customer_id, user_id, order_date, status, total_amount, notes,
                         shipping_address, fulfilled_date)
     select $1, $2, c.id, c.user_id, $4, $5, $6, $7, '1 Secret Street', case when $5 = 'Delivered' then $4::timestamptz end
       from customers c where c.shop_id = $1 and c.customer_id = $3
     returning id`,
    [shop, row.orderId, row.customerId, row.date, status, total, notes],
  );
  for (const [index, { sku, quantity, unitPrice, discount = 0 }] of row.lines.entries()) {
    await sql.query(
      `insert into order_items (shop_id, order_id, line_no, product_id, quantity, unit_price, discount)
            values ($1, $2, $3, (select id from products where shop_id = $1 and sku = $4), $5, $6, $7)`,
      [shop, rows[0]?.id, index + 1, sku, quantity, unitPrice, discount],
    );
  }
}
