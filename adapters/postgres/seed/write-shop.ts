import type { Sql } from '../pools.ts';
import { historyOf, reached } from './order-life.ts';
import { after, later, totalOf, type CustomerRow, type OrderRow, type ShopData } from './shop-data.ts';

/** Inserts a whole shop into the transaction of its tenant. Ids come out in the order of the data. */
export async function writeShop(sql: Sql, data: ShopData, anchor: string): Promise<void> {
  const rows = tablesOf(data, anchor);
  for (const { into, columns, from } of TABLES) {
    const records = rows[into].map((row, n) => ({ ...row, n }));
    await sql.query(
      `insert into ${into} (shop_id, ${columns})
       select $2, ${from}`,
      [JSON.stringify(records), data.shop.id],
    );
  }
}

type TableName = (typeof TABLES)[number]['into'];

/** Parents before children. `$1` the records, `$2` the shop; public ids are looked up within the shop. */
const TABLES = [
  {
    into: 'warehouses',
    columns: 'code, city, region, address_line, postal_code, province, country',
    from: `code, city, region, "addressLine", "postalCode", province, country
             from jsonb_to_recordset($1) as r (n int, code text, city text, region text, "addressLine" text,
                  "postalCode" text, province text, country text) order by r.n`,
  },
  {
    into: 'products',
    columns: `name, category, price, currency, description, sku, brand, weight, dimensions, manga_id, volume_number,
              created_at, updated_at`,
    from: `name, category, price, currency, description, sku, brand, weight, dimensions, "mangaId", "volumeNumber", at, at
             from jsonb_to_recordset($1) as r (n int, name text, category text, price numeric, currency text,
                  description text, sku text, brand text, weight numeric, dimensions text, "mangaId" text,
                  "volumeNumber" int, at timestamptz) order by r.n`,
  },
  {
    into: 'inventory',
    columns: `product_id, warehouse_id, quantity, reserved_quantity, reorder_level, max_stock_level, last_updated,
              supplier, cost_per_unit`,
    from: `p.id, w.id, r.quantity, r.reserved, r."reorderLevel", r."maxStockLevel", r.at, r.supplier, r.cost
             from jsonb_to_recordset($1) as r (n int, sku text, warehouse text, quantity int, reserved int,
                  "reorderLevel" int, "maxStockLevel" int, at timestamptz, supplier text, cost numeric)
             join products p on p.shop_id = $2 and p.sku = r.sku
             join warehouses w on w.shop_id = $2 and w.code = r.warehouse order by r.n`,
  },
  {
    into: 'prices',
    columns: 'product_id, amount, currency, valid_from, valid_until',
    from: `p.id, r.amount, p.currency, r."validFrom", r."validUntil"
             from jsonb_to_recordset($1) as r (n int, sku text, amount numeric, "validFrom" timestamptz,
                  "validUntil" timestamptz)
             join products p on p.shop_id = $2 and p.sku = r.sku order by r.n`,
  },
  {
    into: 'promotions',
    columns: 'promotion_id, written_at, product_id, name, discount_pct, starts_at, ends_at',
    // The same id in every database; written, as far as anybody can tell, when it began.
    from: `'prm_' || left(md5(concat_ws('/', $2, r.sku, r.name)), 16), r."startsAt",
           p.id, r.name, r."discountPct", r."startsAt", r."endsAt"
             from jsonb_to_recordset($1) as r (n int, sku text, name text, "discountPct" numeric,
                  "startsAt" timestamptz, "endsAt" timestamptz)
             join products p on p.shop_id = $2 and p.sku = r.sku order by r.n`,
  },
  {
    into: 'customers',
    columns: `customer_id, user_id, name, email, phone, address, city, country, total_orders, total_spent,
              loyalty_tier, created_at, last_purchase_date`,
    from: `"customerId", "userId", name, email, phone, address, city, country, orders, spent, tier, "createdAt", last
             from jsonb_to_recordset($1) as r (n int, "customerId" text, "userId" text, name text, email text,
                  phone text, address text, city text, country text, orders int, spent numeric, tier text,
                  "createdAt" timestamptz, last timestamptz) order by r.n`,
  },
  {
    into: 'payment_methods',
    columns: 'payment_method_id, customer_id, kind, brand, last_four',
    from: `r.method, c.id, r.kind, r.brand, r.four
             from jsonb_to_recordset($1) as r (n int, method text, customer text, kind text, brand text, four text)
             join customers c on c.shop_id = $2 and c.customer_id = r.customer order by r.n`,
  },
  {
    into: 'drivers',
    columns: 'driver_id, name, status',
    // The same id in every database.
    from: `'drv_' || left(md5(concat_ws('/', $2::text, name)), 16), name, status
             from jsonb_to_recordset($1) as r (n int, name text, status text) order by r.n`,
  },
  {
    into: 'orders',
    columns: `order_id, customer_id, user_id, order_date, status, total_amount, shipping_address, payment_method,
              discount_applied, shipping_cost, notes, fulfilled_date`,
    from: `r."orderId", c.id, c.user_id, r.date, r.state, r.total, concat_ws(', ', c.address, c.city, c.country),
           r."paysWith", r."discountApplied", r."shippingCost", r.notes, r.fulfilled
             from jsonb_to_recordset($1) as r (n int, "orderId" text, "customerId" text, date timestamptz, state text,
                  total numeric, "paysWith" text, "discountApplied" numeric, "shippingCost" numeric, notes text,
                  fulfilled timestamptz)
             join customers c on c.shop_id = $2 and c.customer_id = r."customerId" order by r.n`,
  },
  {
    into: 'order_items',
    columns: 'order_id, line_no, product_id, quantity, unit_price, discount',
    from: `o.id, r.line, p.id, r.quantity, r."unitPrice", r.discount
             from jsonb_to_recordset($1) as r (n int, "orderId" text, line int, sku text, quantity int,
                  "unitPrice" numeric, discount numeric)
             join orders o on o.shop_id = $2 and o.order_id = r."orderId"
             join products p on p.shop_id = $2 and p.sku = r.sku order by r.n`,
  },
  {
    into: 'order_status_history',
    columns: 'order_id, from_status, to_status, at, cause, actor',
    from: `o.id, r."from", r."to", r.at, 'seed', 'seed'
             from jsonb_to_recordset($1) as r (n int, "orderId" text, "from" text, "to" text, at timestamptz)
             join orders o on o.shop_id = $2 and o.order_id = r."orderId" order by r.n`,
  },
  {
    into: 'order_payments',
    columns: 'order_id, seq, kind, amount, payment_method_id',
    from: `o.id, r.seq, r.kind, r.amount, m.id
             from jsonb_to_recordset($1) as r (n int, "orderId" text, seq int, kind text, amount numeric, method text)
             join orders o on o.shop_id = $2 and o.order_id = r."orderId"
             join payment_methods m on m.shop_id = $2 and m.payment_method_id = r.method order by r.n`,
  },
  {
    into: 'shipments',
    columns:
      'order_id, carrier, tracking_number, promised_delivery, estimated_delivery, shipped_at, delivered_at',
    from: `o.id, r.carrier, r."trackingNumber", r.promised, r.estimated, r.shipped, r.delivered
             from jsonb_to_recordset($1) as r (n int, "orderId" text, carrier text, "trackingNumber" text,
                  promised timestamptz, estimated timestamptz, shipped timestamptz, delivered timestamptz)
             join orders o on o.shop_id = $2 and o.order_id = r."orderId" order by r.n`,
  },
  {
    into: 'deliveries',
    columns: 'order_id, driver_id, status, note, scheduled_for, updated_at',
    from: `o.id, d.id, r.status, r.note, r.planned, r.at
             from jsonb_to_recordset($1) as r (n int, "orderId" text, driver text, status text, note text,
                  planned timestamptz, at timestamptz)
             join orders o on o.shop_id = $2 and o.order_id = r."orderId"
             join drivers d on d.shop_id = $2 and d.name = r.driver order by r.n`,
  },
] as const;

function tablesOf(data: ShopData, anchor: string): Readonly<Record<TableName, readonly object[]>> {
  const at = after(anchor, 0);
  const paysWith = new Map(data.customers.map((c) => [c.customerId, c.paysWith]));
  return {
    warehouses: data.warehouses,
    products: data.products.map((product) => ({ ...product, currency: data.shop.currency, at })),
    inventory: data.positions.map((position) => ({ ...position, at })),
    prices: data.prices,
    promotions: data.promotions,
    customers: data.customers.map((customer) => ({ ...customer, ...boughtBy(customer, data) })),
    payment_methods: data.customers.map(methodOf),
    drivers: data.drivers,
    orders: data.orders.map((order) => ({
      ...order,
      total: totalOf(order),
      paysWith: paysWith.get(order.customerId),
      fulfilled: reached('Delivered', order.state, order.date),
    })),
    order_items: data.orders.flatMap(({ orderId, lines }) =>
      lines.map((line, i) => ({ ...line, orderId, line: i + 1 })),
    ),
    order_status_history: data.orders.flatMap(({ orderId, state, date }) =>
      historyOf(state, date).map((step) => ({ ...step, orderId })),
    ),
    order_payments: data.orders.flatMap(paymentsOf),
    shipments: data.orders.flatMap(({ orderId, state, date, shipment }) =>
      shipment === undefined
        ? []
        : [
            {
              ...shipment,
              orderId,
              shipped: reached('Shipped', state, date),
              delivered: reached('Delivered', state, date),
            },
          ],
    ),
    deliveries: data.orders.flatMap(({ orderId, date, delivery, shipment }) =>
      delivery === undefined
        ? []
        : [{ ...delivery, orderId, planned: shipment?.promised ?? later(date, 48), at }],
    ),
  };
}

function methodOf({ customerId, paysWith }: CustomerRow, i: number) {
  const card = paysWith === 'credit_card';
  return {
    method: methodIdOf(customerId),
    customer: customerId,
    kind: paysWith,
    ...(card && { brand: i % 2 === 0 ? 'visa' : 'mastercard', four: String(1000 + i * 7).slice(-4) }),
  };
}

function methodIdOf(customerId: string): string {
  return `pm_${customerId}`;
}

const UNPAID: ReadonlySet<string> = new Set(['Placed', 'PaymentPending', 'Cancelled']);

function paymentsOf(order: OrderRow) {
  if (UNPAID.has(order.state)) return [];
  const row = { orderId: order.orderId, amount: totalOf(order), method: methodIdOf(order.customerId) };
  const payment = { ...row, seq: 1, kind: 'payment' };
  return order.state === 'Refunded' ? [payment, { ...row, seq: 2, kind: 'refund' }] : [payment];
}

/** States in which an order's money is not, or no longer, spent. */
const NOT_SPENT: ReadonlySet<string> = new Set(['Cancelled', 'Refunded']);

/** `total_orders` counts every order, `total_spent` those that were neither cancelled nor refunded. */
function boughtBy({ customerId }: CustomerRow, { orders }: ShopData) {
  const own = orders.filter((order) => order.customerId === customerId);
  const counted = own.filter(({ state }) => !NOT_SPENT.has(state));
  const spentCents = counted.reduce((sum, order) => sum + Math.round(totalOf(order) * 100), 0);
  const dates = counted.map(({ date }) => date).sort();
  return { orders: own.length, spent: spentCents / 100, tier: tierOf(spentCents / 100), last: dates.at(-1) };
}

function tierOf(spent: number): string {
  if (spent >= 5000) return 'Platinum';
  if (spent >= 2000) return 'Gold';
  return spent >= 500 ? 'Silver' : 'Bronze';
}
