import assert from 'node:assert/strict';
import { LEGACY_STATUS, ORDER_STATES, daysLate } from '../../domain/orders.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { mangaShop } from '../../adapters/postgres/seed/manga-shop.ts';
import { mockShop } from '../../adapters/postgres/seed/mock-shop.ts';
import { anchorOf, seed, SEEDED_SHOPS } from '../../adapters/postgres/seed/seed.ts';
import { secondShop } from '../../adapters/postgres/seed/second-shop.ts';
import { totalOf } from '../../adapters/postgres/seed/shop-data.ts';
import { checkData } from '../../adapters/postgres/upkeep/check.ts';
import { freshDatabase, seededDatabase, type TestDatabase } from '../support/database.ts';

const ANCHOR = '2024-01-22';
/** One anchor for each day of the week, a leap day, a year's turn. */
const ANCHORS = [
  '2024-01-22',
  '2024-02-29',
  '2026-11-21',
  '2027-01-01',
  '2026-11-22',
  '2026-11-24',
  '2026-11-25',
  '2026-11-26',
];

describe('the seed', () => {
  let db: TestDatabase;
  before(async () => {
    db = await seededDatabase(ANCHOR);
  });
  after(() => db.drop());

  const ask = <T extends object>(shop: string, statement: string) =>
    inTenant(db.pools.read, shop, async (sql) => (await sql.query<T>(statement)).rows);

  /** What the statement answers for the mock shop, and must. */
  const MOCK: readonly (readonly [says: string, statement: string, expected: unknown[]])[] = [
    ['has 50 products', 'select count(*)::int as n from products', [{ n: 50 }]],
    [
      'has the five categories of the document',
      'select category, count(*)::int as n from products group by 1 order by 1',
      ['Books', 'Clothing', 'Electronics', 'Home & Garden', 'Sports'].map((category) => ({
        category,
        n: 10,
      })),
    ],
    ['has 200 orders', 'select count(*)::int as n from orders', [{ n: 200 }]],
    ['has 100 customers', 'select count(*)::int as n from customers', [{ n: 100 }]],
    ['uses every state', 'select count(distinct status)::int as n from orders', [{ n: ORDER_STATES.length }]],
    [
      'spreads its orders over at least twelve months',
      `select max(order_date) - min(order_date) >= interval '365 days' as wide,
              count(distinct date_trunc('month', order_date)) >= 12 as dense from orders`,
      [{ wide: true, dense: true }],
    ],
    [
      'fills every field of every customer',
      `select count(*)::int as n from customers
        where phone is null or address is null or city is null or country is null or last_purchase_date is null and total_spent > 0`,
      [{ n: 0 }],
    ],
    [
      'has customers who bought nothing for 90 days, and some who did',
      `select count(*) filter (where last_purchase_date < date '${ANCHOR}' - 90) > 10 as dormant,
              count(*) filter (where last_purchase_date >= date '${ANCHOR}' - 90) > 10 as active from customers`,
      [{ dormant: true, active: true }],
    ],
    [
      'has an order of every customer',
      'select min(total_orders) >= 1 as each from customers',
      [{ each: true }],
    ],
    [
      'has stock records of every product',
      'select count(*)::int as n from products p where not exists (select from inventory i where i.product_id = p.id)',
      [{ n: 0 }],
    ],
    [
      'has Red Shirt - Medium as the only product at or below its level, and at or below ten',
      `select p.name, quantity, reorder_level from inventory_by_product i join products p on p.id = i.product_id
        where quantity <= reorder_level or quantity <= 10`,
      [{ name: 'Red Shirt - Medium', quantity: 5, reorder_level: 10 }],
    ],
    [
      'has no product sold out, but positions that are empty',
      `select (select count(*)::int from inventory_by_product where quantity = 0) as products,
              (select count(*) > 0 from inventory where quantity = 0) as positions`,
      [{ products: 0, positions: true }],
    ],
    [
      'has stock worth exactly 125000.00',
      'select sum(quantity * cost_per_unit) as value from inventory',
      [{ value: '125000.00' }],
    ],
    [
      'has John Doe as the document prints him',
      `select customer_id, user_id, name, email, total_orders, total_spent, loyalty_tier,
              round(total_spent / total_orders, 2) as average from customers where customer_id = 'cust_123'`,
      [
        {
          customer_id: 'cust_123',
          user_id: 'user_123',
          name: 'John Doe',
          email: 'john@example.com',
          total_orders: 15,
          total_spent: '2500.00',
          loyalty_tier: 'Gold',
          average: '166.67',
        },
      ],
    ],
    [
      'has ord_456 as the document prints it, the newest order of its customer',
      `select order_id, order_date::date::text as date, total_amount, legacy_status from orders
        where user_id = 'user_123' order by order_date desc limit 1`,
      [{ order_id: 'ord_456', date: '2024-01-20', total_amount: '85.00', legacy_status: 'fulfilled' }],
    ],
    [
      'sold 15 red shirts for 450.00 in the week before the anchor',
      `select sum(i.quantity)::int as quantity, sum(i.quantity * i.unit_price) as revenue
         from orders o join order_items i on i.order_id = o.id join products p on p.id = i.product_id
        where p.name ilike '%red shirt%' and o.order_date >= '2024-01-15' and o.order_date < '2024-01-22'`,
      [{ quantity: 15, revenue: '450.00' }],
    ],
    [
      'sold them all in orders that count as fulfilled',
      `select sum(i.quantity)::int as quantity from orders o join order_items i on i.order_id = o.id
         join products p on p.id = i.product_id
        where p.sku = 'CLO-001' and o.order_date >= '2024-01-15' and o.legacy_status = 'fulfilled'`,
      [{ quantity: 15 }],
    ],
    [
      'has Bronze and Gold customers',
      `select count(distinct loyalty_tier) >= 2 as n from customers where loyalty_tier in ('Bronze', 'Gold')`,
      [{ n: true }],
    ],
    ['has the warehouse WH-2', `select city from warehouses where code = 'WH-2'`, [{ city: 'Reno' }]],
  ];
  for (const [says, statement, expected] of MOCK) {
    it(`of shop_123 ${says}`, async () => assert.deepEqual(await ask('shop_123', statement), expected));
  }

  const MANGA: typeof MOCK = [
    [
      'holds volume 42 of BER42 where the sources say',
      `select warehouse, city, quantity, sellable from stock_by_volume
        where manga_id = 'BER42' and volume_number = 42 order by quantity desc`,
      [
        { warehouse: 'TKY-1', city: 'Tokyo', quantity: 14, sellable: 14 },
        { warehouse: 'WH-2', city: 'Rotterdam', quantity: 0, sellable: 0 },
      ],
    ],
    [
      'has room for more of BER42-42 at WH-2, below its reorder level',
      `select quantity, reserved_quantity, reorder_level, max_stock_level from inventory i
         join products p on p.id = i.product_id join warehouses w on w.id = i.warehouse_id
        where p.sku = 'BER42-42' and w.code = 'WH-2'`,
      [{ quantity: 0, reserved_quantity: 0, reorder_level: 10, max_stock_level: 1000 }],
    ],
    ['has nothing on order', 'select count(*)::int as n from purchase_orders', [{ n: 0 }]],
    [
      'has one price in force for every volume, until a day to come',
      `select count(*)::int as n from products p
        where (select count(*) from prices where product_id = p.id
                  and valid_from <= date '${ANCHOR}' and valid_until > date '${ANCHOR}' + 365) <> 1`,
      [{ n: 0 }],
    ],
    [
      'has Berserk volumes 1 and 3 with a price and in stock',
      `select p.sku, r.amount, r.currency, sum(i.quantity) > 0 as stock from products p
         join prices r on r.product_id = p.id and r.valid_until > date '${ANCHOR}' join inventory i on i.product_id = p.id
        where p.manga_id = 'BER42' and p.volume_number in (1, 3) group by 1, 2, 3 order by 1`,
      [
        { sku: 'BER42-01', amount: '770.00', currency: 'JPY', stock: true },
        { sku: 'BER42-03', amount: '770.00', currency: 'JPY', stock: true },
      ],
    ],
    [
      'has promotions that are over, running and to come',
      `select count(*) filter (where ends_at <= date '${ANCHOR}') > 0 as over,
              count(*) filter (where starts_at <= date '${ANCHOR}' and ends_at > date '${ANCHOR}') > 0 as running,
              count(*) filter (where starts_at > date '${ANCHOR}') > 0 as ahead from promotions`,
      [{ over: true, running: true, ahead: true }],
    ],
    ['has several regions', 'select count(distinct region)::int as n from warehouses', [{ n: 3 }]],
    [
      'has titles with Japanese names',
      `select count(distinct manga_id) >= 3 as n from products where name ~ '[ぁ-ん]|[ァ-ヶ]'`,
      [{ n: true }],
    ],
    [
      'has a customer with more orders than a page',
      'select max(total_orders)::int >= 12 as n from customers',
      [{ n: true }],
    ],
    [
      'has order 88213 late because its driver is sick',
      `select o.order_id, d.status, d.note, r.status as driver from orders o
         join deliveries d on d.order_id = o.id join drivers r on r.id = d.driver_id where o.order_id = '88213'`,
      [{ order_id: '88213', status: 'delayed', note: 'Driver called in sick.', driver: 'sick' }],
    ],
    ['uses every state', 'select count(distinct status)::int as n from orders', [{ n: ORDER_STATES.length }]],
    [
      'keeps whole yen',
      'select count(*)::int as n from orders where total_amount <> trunc(total_amount)',
      [{ n: 0 }],
    ],
  ];
  for (const [says, statement, expected] of MANGA) {
    it(`of manga ${says}`, async () => assert.deepEqual(await ask('manga', statement), expected));
  }

  it('of manga has order 88213 two days late, whatever the day', async () => {
    const [row] = await ask<{ promised_delivery: Date; estimated_delivery: Date }>(
      'manga',
      `select promised_delivery, estimated_delivery from shipments s join orders o on o.id = s.order_id where o.order_id = '88213'`,
    );
    assert.equal(
      daysLate(row?.promised_delivery.toISOString() ?? null, row?.estimated_delivery.toISOString() ?? null),
      2,
    );
  });

  it('of shop_456 has a little of everything', async () => {
    for (const table of [
      'products',
      'customers',
      'orders',
      'inventory',
      'drivers',
      'shipments',
      'order_payments',
    ]) {
      const [row] = await ask<{ n: number }>('shop_456', `select count(*)::int as n from ${table}`);
      assert.ok((row?.n ?? 0) > 0, table);
    }
  });

  it('has no order number and no customer id in two shops', () => {
    const shops = [mangaShop(ANCHOR), mockShop(ANCHOR), secondShop(ANCHOR)];
    const ids = shops.flatMap(({ orders, customers }) => [
      ...orders.map(({ orderId }) => orderId),
      ...customers.map(({ customerId }) => customerId),
    ]);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('breaks no rule of the data', async () => {
    const broken = (await checkData(db.pools)).filter(({ violations }) => violations > 0);
    assert.deepEqual(broken, []);
  });

  it('changes nothing when repeated, on another day either', async () => {
    const count = () => ask('shop_123', 'select count(*), max(xmin::text::bigint) from orders');
    const earlier = await count();
    const again = await seed(
      { writeUrl: db.writeUrl, superuserLogin: 'allowed' },
      { now: new Date('2025-06-01T00:00:00Z') },
    );
    assert.deepEqual(again, { anchor: ANCHOR, shops: [] });
    assert.deepEqual(await count(), earlier);
  });

  it('keeps its anchor in the database', async () => assert.equal(await anchorOf(db.pools), ANCHOR));

  it('leaves a shop alone that somebody made before', async () => {
    const other = await freshDatabase();
    await inTenant(other.pools.write, 'shop_123', (sql) =>
      sql.query(`insert into shops (id, name, currency) values ('shop_123', 'Mine', 'EUR')`),
    );
    const { shops } = await seed(
      { writeUrl: other.writeUrl, superuserLogin: 'allowed' },
      { now: new Date(ANCHOR) },
    );
    assert.deepEqual(
      shops,
      SEEDED_SHOPS.filter((id) => id !== 'shop_123'),
    );
    await other.drop();
  });

  it('is written once by processes that seed at the same time', async () => {
    const other = await freshDatabase();
    const both = await Promise.all(
      [1, 2].map(() =>
        seed({ writeUrl: other.writeUrl, superuserLogin: 'allowed' }, { now: new Date(ANCHOR) }),
      ),
    );
    assert.equal(both.flatMap(({ shops }) => shops).length, SEEDED_SHOPS.length);
    await other.drop();
  });
});

describe('the mock shop, laid out around any day', () => {
  for (const anchor of ANCHORS) {
    it(`sells 15 red shirts in the week before ${anchor}`, () => {
      const monday =
        Date.parse(`${anchor}T00:00:00Z`) - ((new Date(anchor).getUTCDay() + 6) % 7) * 86_400_000;
      const lines = mockShop(anchor).orders.flatMap((order) => {
        const at = Date.parse(order.date);
        return at >= monday - 7 * 86_400_000 && at < monday ? order.lines : [];
      });
      const red = lines.filter(({ sku }) => sku === 'CLO-001');
      assert.equal(
        red.reduce((sum, { quantity }) => sum + quantity, 0),
        15,
      );
    });

    it(`has nothing in it later than ${anchor}, and ord_456 two days before`, () => {
      const { orders } = mockShop(anchor);
      assert.ok(orders.every(({ date }) => date < `${anchor}T00:00:00.000Z`));
      const last = orders.find(({ orderId }) => orderId === 'ord_456');
      assert.equal(
        last?.date.slice(0, 10),
        new Date(Date.parse(anchor) - 2 * 86_400_000).toISOString().slice(0, 10),
      );
      assert.equal(last && totalOf(last), 85);
      assert.equal(last && LEGACY_STATUS[last.state], 'fulfilled');
    });

    it(`has 200 orders and John’s 2,500.00 around ${anchor}`, () => {
      const { orders } = mockShop(anchor);
      const johns = orders.filter(({ customerId }) => customerId === 'cust_123');
      assert.deepEqual(
        [orders.length, johns.length, johns.reduce((sum, o) => sum + totalOf(o), 0)],
        [200, 15, 2500],
      );
    });
  }
});
