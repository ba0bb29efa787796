import assert from 'node:assert/strict';
import { LEGACY_STATUS, ORDER_STATES } from '../../domain/orders.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { asAdmin, seededDatabase, type TestDatabase } from '../support/database.ts';

/** Table, column, type, may be null, and part of the default (or `identity`). Document 002, O-DB-01 to 49. */
const COLUMNS: readonly (readonly [string, string, string, 'null' | 'not null', string?])[] = [
  ['products', 'id', 'bigint', 'not null', 'identity'],
  ['products', 'name', 'text', 'not null'],
  ['products', 'category', 'text', 'not null'],
  ['products', 'price', 'numeric(12,2)', 'not null'],
  ['products', 'description', 'text', 'null'],
  ['products', 'sku', 'text', 'null'],
  ['products', 'brand', 'text', 'null'],
  ['products', 'weight', 'numeric', 'null'],
  ['products', 'dimensions', 'text', 'null'],
  ['products', 'created_at', 'timestamp with time zone', 'not null', 'now()'],
  ['products', 'updated_at', 'timestamp with time zone', 'not null', 'now()'],
  ['customers', 'id', 'bigint', 'not null', 'identity'],
  ['customers', 'name', 'text', 'not null'],
  ['customers', 'email', 'text', 'not null'],
  ['customers', 'phone', 'text', 'null'],
  ['customers', 'address', 'text', 'null'],
  ['customers', 'city', 'text', 'null'],
  ['customers', 'country', 'text', 'null'],
  ['customers', 'total_orders', 'integer', 'not null', '0'],
  ['customers', 'total_spent', 'numeric(14,2)', 'not null', '0'],
  ['customers', 'loyalty_tier', 'text', 'not null', `'Bronze'`],
  ['customers', 'created_at', 'timestamp with time zone', 'not null', 'now()'],
  ['customers', 'last_purchase_date', 'timestamp with time zone', 'null'],
  ['orders', 'id', 'bigint', 'not null', 'identity'],
  ['orders', 'customer_id', 'bigint', 'not null'],
  ['orders', 'order_date', 'timestamp with time zone', 'not null', 'now()'],
  ['orders', 'status', 'text', 'not null', `'Placed'`],
  ['orders', 'total_amount', 'numeric(14,2)', 'not null'],
  ['orders', 'shipping_address', 'text', 'null'],
  ['orders', 'payment_method', 'text', 'null'],
  ['orders', 'discount_applied', 'numeric(14,2)', 'not null', '0'],
  ['orders', 'shipping_cost', 'numeric(14,2)', 'not null', '0'],
  ['orders', 'notes', 'text', 'null'],
  ['orders', 'fulfilled_date', 'timestamp with time zone', 'null'],
  ['order_items', 'id', 'bigint', 'not null', 'identity'],
  ['order_items', 'order_id', 'bigint', 'not null'],
  ['order_items', 'product_id', 'bigint', 'not null'],
  ['order_items', 'quantity', 'integer', 'not null'],
  ['order_items', 'unit_price', 'numeric(12,2)', 'not null'],
  ['order_items', 'discount', 'numeric(12,2)', 'not null', '0'],
  ['inventory', 'product_id', 'bigint', 'not null'],
  ['inventory', 'quantity', 'integer', 'not null', '0'],
  ['inventory', 'reserved_quantity', 'integer', 'not null', '0'],
  ['inventory', 'reorder_level', 'integer', 'null', '10'],
  ['inventory', 'max_stock_level', 'integer', 'not null', '1000'],
  ['inventory', 'last_updated', 'timestamp with time zone', 'not null', 'now()'],
  ['inventory', 'supplier', 'text', 'null'],
  ['inventory', 'cost_per_unit', 'numeric(12,2)', 'null'],
  // Document 000 and what the seeds imply: O-DBX-01, 04, 06, 08, 11, 12, 13, 14.
  ['orders', 'order_id', 'text', 'not null'],
  ['orders', 'user_id', 'text', 'not null'],
  ['orders', 'legacy_status', 'text', 'not null'],
  ['shipments', 'order_id', 'bigint', 'not null'],
  ['shipments', 'carrier', 'text', 'null'],
  ['shipments', 'tracking_number', 'text', 'null'],
  ['shipments', 'estimated_delivery', 'timestamp with time zone', 'null'],
  ['prices', 'amount', 'numeric(12,2)', 'not null'],
  ['prices', 'discount_pct', 'numeric(5,2)', 'not null', '0'],
  ['prices', 'valid_until', 'timestamp with time zone', 'not null'],
  ['promotions', 'product_id', 'bigint', 'not null'],
  ['promotions', 'discount_pct', 'numeric(5,2)', 'not null'],
  ['promotions', 'starts_at', 'timestamp with time zone', 'not null'],
  ['promotions', 'ends_at', 'timestamp with time zone', 'not null'],
  ['warehouses', 'code', 'text', 'not null'],
  ['warehouses', 'city', 'text', 'not null'],
  ['warehouses', 'region', 'text', 'not null'],
  ['purchase_orders', 'id', 'bigint', 'not null', 'identity'],
  ['purchase_orders', 'sku', 'text', 'not null'],
  ['purchase_orders', 'quantity', 'integer', 'not null'],
  ['purchase_orders', 'warehouse', 'text', 'not null'],
  ['purchase_orders', 'state', 'text', 'not null', `'placed'`],
  ['purchase_orders', 'action_id', 'text', 'not null'],
  ['drivers', 'status', 'text', 'not null', `'available'`],
  ['deliveries', 'driver_id', 'bigint', 'null'],
  ['deliveries', 'route_id', 'bigint', 'null'],
  ['routes', 'code', 'text', 'not null'],
  ['routes', 'driver_id', 'bigint', 'null'],
  ['carrier_etas', 'tracking_number', 'text', 'not null'],
  ['carrier_etas', 'estimated_delivery', 'timestamp with time zone', 'null'],
  ['carrier_etas', 'seen_at', 'timestamp with time zone', 'not null'],
  ['shipping_quotes', 'seen_at', 'timestamp with time zone', 'not null'],
];

/** Child column → parent column, as document 002 prints them. */
const FOREIGN_KEYS = [
  ['orders', 'customer_id', 'customers', 'id'],
  ['order_items', 'order_id', 'orders', 'id'],
  ['order_items', 'product_id', 'products', 'id'],
  ['inventory', 'product_id', 'products', 'id'],
] as const;

describe('the schema', () => {
  let db: TestDatabase;
  before(async () => {
    db = await seededDatabase();
  });
  after(() => db.drop());

  const rowsOf = <T extends object>(sql: string, values: unknown[] = []) =>
    asAdmin(async (admin) => (await admin.query<T>(sql, values)).rows, db.adminUrl);
  const inShop = <T extends object>(statement: string, values: unknown[] = []) =>
    inTenant(db.pools.write, 'shop_123', async (sql) => (await sql.query<T>(statement, values)).rows);

  for (const [table, column, type, nullable, standard] of COLUMNS) {
    it(`has ${table}.${column} as ${type} ${nullable}${standard === undefined ? '' : ` default ${standard}`}`, async () => {
      const [found] = await rowsOf<{
        type: string;
        nullable: string;
        standard: string | null;
        identity: string;
      }>(
        `select format_type(a.atttypid, a.atttypmod) as type,
                case when a.attnotnull then 'not null' else 'null' end as nullable,
                pg_get_expr(d.adbin, d.adrelid) as standard, a.attidentity as identity
           from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = $1::regclass and a.attname = $2`,
        [table, column],
      );
      assert.deepEqual([found?.type, found?.nullable], [type, nullable]);
      if (standard === 'identity') assert.notEqual(found?.identity, '');
      else if (standard !== undefined)
        assert.ok(found?.standard?.startsWith(standard), found?.standard ?? 'none');
    });
  }

  for (const [child, column, parent, target] of FOREIGN_KEYS) {
    it(`ties ${child}.${column} to ${parent}.${target} of the same shop`, async () => {
      const keys = await rowsOf<{ own: string[]; other: string[] }>(
        `select array(select attname::text from pg_attribute where attrelid = conrelid and attnum = any (conkey)) as own,
                array(select attname::text from pg_attribute where attrelid = confrelid and attnum = any (confkey)) as other
           from pg_constraint where contype = 'f' and conrelid = $1::regclass and confrelid = $2::regclass`,
        [child, parent],
      );
      assert.ok(
        keys.some(
          ({ own, other }) => own.includes(column) && own.includes('shop_id') && other.includes(target),
        ),
      );
    });
  }

  it('allows exactly the eleven states of the domain', async () => {
    const [found] = await rowsOf<{ text: string }>(
      `select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'orders_status_check'`,
    );
    const states = [...(found?.text ?? '').matchAll(/'(\w+)'::text/g)].map(([, state]) => state);
    assert.deepEqual(new Set(states), new Set(ORDER_STATES));
    assert.equal(states.length, ORDER_STATES.length);
  });

  it('refuses a state that is not one of them', async () => {
    const change = inShop(
      `insert into orders (shop_id, order_id, customer_id, user_id, status, total_amount)
       select shop_id, 'lost', customer_id, user_id, 'Lost', 0 from orders where order_id = 'ord_300'`,
    );
    await assert.rejects(change, /violates (check|not-null) constraint/);
  });

  it('maps every state to the same legacy word as the domain', async () => {
    const rows = await inShop<{ status: keyof typeof LEGACY_STATUS; legacy_status: string }>(
      'select distinct status, legacy_status from orders',
    );
    assert.deepEqual(Object.fromEntries(rows.map((r) => [r.status, r.legacy_status])), LEGACY_STATUS);
  });

  it('has a fulfilled date exactly on delivered orders', async () => {
    await assert.rejects(inShop(`update orders set fulfilled_date = null where order_id = 'ord_456'`), {
      code: '23514',
    });
    await assert.rejects(inShop(`update orders set fulfilled_date = now() where status = 'Placed'`), {
      code: '23514',
    });
  });

  it('gives a new order the state Placed', async () => {
    const rows = await inShop<{ status: string }>(
      `insert into orders (shop_id, order_id, customer_id, user_id, total_amount)
       select shop_id, 'ord_new', id, user_id, 0 from customers where customer_id = 'cust_123' returning status`,
    );
    assert.equal(rows[0]?.status, 'Placed');
  });

  it('refuses an order whose login is another customer’s', async () => {
    const insert = inShop(
      `insert into orders (shop_id, order_id, customer_id, user_id, total_amount)
       select shop_id, 'ord_mixed', id, 'cust_101', 0 from customers where customer_id = 'cust_123'`,
    );
    await assert.rejects(insert, { code: '23503' });
  });

  for (const [table, set] of [
    ['order_items', 'quantity = 0'],
    ['inventory', 'quantity = -1'],
    ['inventory', 'reserved_quantity = quantity + 1'],
    ['inventory', 'reserved_quantity = -1'],
    ['order_items', 'unit_price = -1'],
    ['products', 'volume_number = 1'],
  ] as const) {
    it(`refuses ${table} with ${set}`, async () => {
      await assert.rejects(inShop(`update ${table} set ${set}`), { code: '23514' });
    });
  }

  it('keeps a manga volume once in a shop', async () => {
    const again = inTenant(db.pools.write, 'manga', (sql) =>
      sql.query(`update products set volume_number = 1 where sku = 'BER42-02'`),
    );
    await assert.rejects(again, { code: '23505' });
  });

  for (const [table, column] of [
    ['products', 'updated_at'],
    ['inventory', 'last_updated'],
    ['deliveries', 'updated_at'],
  ] as const) {
    it(`keeps ${table}.${column} by trigger`, async () => {
      const rows = await inShop<{ fresh: boolean }>(
        `update ${table} set shop_id = shop_id returning ${column} = now() as fresh`,
      );
      assert.ok(rows.length > 0 && rows.every(({ fresh }) => fresh));
    });
  }

  it('shows in sales_summary what the printed statement computes, one row per category and day', async () => {
    const printed = await inShop(
      `SELECT p.category, DATE(o.order_date) as sale_date, SUM(oi.quantity) as total_quantity,
              SUM(oi.quantity * oi.unit_price) as total_revenue
         FROM orders o JOIN order_items oi ON o.id = oi.order_id AND o.shop_id = oi.shop_id
         JOIN products p ON oi.product_id = p.id AND oi.shop_id = p.shop_id
        WHERE o.legacy_status = 'fulfilled' GROUP BY p.category, DATE(o.order_date) ORDER BY 1, 2`,
    );
    const shown = await inShop(
      'select category, sale_date, total_quantity, total_revenue from sales_summary order by 1, 2',
    );
    assert.ok(shown.length > 50);
    assert.deepEqual(shown, printed);
  });

  it('leaves placed and cancelled orders out of sales_summary', async () => {
    const sum = () => inShop('select sum(total_revenue) as revenue from sales_summary');
    const earlier = await sum();
    await inShop(`insert into order_items (shop_id, order_id, line_no, product_id, quantity, unit_price)
      select o.shop_id, o.id, 9, p.id, 1, 1000 from orders o, products p
       where o.status in ('Placed', 'Cancelled') and p.sku = 'ELE-001'`);
    assert.deepEqual(await sum(), earlier);
  });

  it('answers the statement of document 000 through a view', async () => {
    const rows = await inTenant(
      db.pools.read,
      'manga',
      async (sql) =>
        (
          await sql.query<{ n: number }>(
            `select order_id, status, created_at, manga_id, volume_number, quantity, unit_price, count(*) over ()::int as n
             from order_lines where user_id = 'cust_1002' and order_id = '88213' and created_at = order_date`,
          )
        ).rows,
    );
    assert.equal(rows[0]?.n, 2);
  });

  it('shows one row per product in inventory_by_product, worth what its positions are worth', async () => {
    const [row] = await inShop<{ products: string; rows: string; equal: boolean }>(
      `select (select count(*) from products) as products, count(*) as rows,
              sum(stock_value) = (select sum(quantity * cost_per_unit) from inventory) as equal
         from inventory_by_product`,
    );
    assert.deepEqual([row?.rows, row?.equal], [row?.products, true]);
  });

  it('numbers the purchase orders of a shop one after another, whatever other shops do', async () => {
    const order = (shop: string, sku: string, warehouse: string, action: string) =>
      inTenant(db.pools.write, shop, async (sql) => {
        const { rows } = await sql.query<{ po_id: string }>(
          `insert into purchase_orders (shop_id, sku, quantity, warehouse, action_id, requested_by, approved_by)
           values ($1, $2, 5, $3, $4, 'a', '{b}') returning po_id`,
          [shop, sku, warehouse, action],
        );
        return rows[0]?.po_id;
      });
    const numbers = [
      await order('manga', 'BER42-42', 'WH-2', 'po_a'),
      await order('shop_123', 'CLO-001', 'WH-1', 'po_b'),
      await order('manga', 'BER42-42', 'WH-2', 'po_c'),
    ];
    assert.deepEqual(numbers, ['1001', '1001', '1002']);
    await assert.rejects(order('manga', 'BER42-42', 'WH-2', 'po_c'), { code: '23505' });
  });

  const PLANS = [
    [
      'a customer’s orders, newest first',
      `user_id = 'user_123' order by order_date desc limit 10`,
      /orders_by_user/,
    ],
    [
      'ids by their beginning',
      `starts_with(order_id, 'ord_45') order by order_id limit 10`,
      /orders_shop_id_order_id_key/,
    ],
    [
      'what is not shipped yet',
      `status in ('Placed', 'PaymentPending', 'Confirmed', 'Packed') order by order_date, id limit 5`,
      /orders_upcoming/,
    ],
  ] as const;
  for (const [what, where, index] of PLANS) {
    it(`finds ${what} by an index, under the policies`, async () => {
      await asAdmin((admin) => admin.query('analyze orders'), db.adminUrl);
      const plan = await inTenant(db.pools.read, 'shop_123', async (sql) => {
        await sql.query('set local enable_seqscan = off; set local enable_sort = off');
        const { rows } = await sql.query<Record<string, string>>(
          `explain select order_id from orders where ${where}`,
        );
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      });
      assert.match(plan, index);
    });
  }
});
