import assert from 'node:assert/strict';
import { inTenant, type Sql } from '../../adapters/postgres/pools.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

type Entity = {
  readonly table: string;
  /** Columns and values of a new row; sub-selects find the parents. */
  readonly create: Readonly<Record<string, string>>;
  readonly change: readonly [column: string, to: string | number];
};

const PRODUCT = `(select id from products where sku = 'P-1')`;
const CUSTOMER = `(select id from customers where customer_id = 'c_1')`;
const ORDER = `(select id from orders where order_id = 'o_1')`;
const NOW = `timestamptz '2026-01-01T00:00:00Z'`;
const LATER = `timestamptz '2026-02-01T00:00:00Z'`;

const ENTITIES: readonly Entity[] = [
  {
    table: 'products',
    create: { name: `'Pen'`, category: `'Office'`, price: '1.50', currency: `'USD'`, sku: `'P-2'` },
    change: ['price', '2.75'],
  },
  {
    table: 'customers',
    create: { customer_id: `'c_2'`, user_id: `'u_2'`, name: `'N'`, email: `'n@example.com'` },
    change: ['city', 'Austin'],
  },
  {
    table: 'orders',
    create: { order_id: `'o_2'`, customer_id: CUSTOMER, user_id: `'u_1'`, total_amount: '3.00' },
    change: ['status', 'PaymentPending'],
  },
  {
    table: 'order_items',
    create: { order_id: ORDER, line_no: '1', product_id: PRODUCT, quantity: '2', unit_price: '1.50' },
    change: ['quantity', 3],
  },
  {
    table: 'order_status_history',
    create: { order_id: ORDER, to_status: `'Placed'`, at: NOW, cause: `'test'`, actor: `'test'` },
    change: ['cause', 'tested'],
  },
  {
    table: 'payment_methods',
    create: { payment_method_id: `'m_2'`, customer_id: CUSTOMER, kind: `'gift_card'`, balance: '10.00' },
    change: ['balance', '4.25'],
  },
  {
    table: 'order_payments',
    create: { order_id: ORDER, seq: '1', kind: `'payment'`, amount: '3.00' },
    change: ['amount', '2.00'],
  },
  {
    table: 'warehouses',
    create: { code: `'W-2'`, city: `'Oslo'`, region: `'EU'` },
    change: ['city', 'Bergen'],
  },
  {
    table: 'inventory',
    create: {
      product_id: PRODUCT,
      warehouse_id: `(select id from warehouses where code = 'W-1')`,
      quantity: '7',
    },
    change: ['quantity', 8],
  },
  {
    table: 'prices',
    create: { product_id: PRODUCT, amount: '9.00', currency: `'USD'`, valid_from: NOW, valid_until: LATER },
    change: ['amount', '8.00'],
  },
  {
    table: 'promotions',
    create: { product_id: PRODUCT, name: `'Sale'`, discount_pct: '10', starts_at: NOW, ends_at: LATER },
    change: ['discount_pct', '12.50'],
  },
  {
    table: 'purchase_orders',
    create: {
      sku: `'P-1'`,
      quantity: '5',
      warehouse: `'W-1'`,
      action_id: `'a_1'`,
      requested_by: `'r'`,
      approved_by: `'{s}'`,
    },
    change: ['state', 'received'],
  },
  {
    table: 'shipments',
    create: { order_id: ORDER, carrier: `'UPS'`, tracking_number: `'1Z'` },
    change: ['carrier', 'Yamato'],
  },
  { table: 'drivers', create: { name: `'D'` }, change: ['status', 'sick'] },
  { table: 'deliveries', create: { order_id: ORDER, status: `'scheduled'` }, change: ['status', 'delayed'] },
];

describe('every entity', () => {
  let db: TestDatabase;
  before(async () => {
    db = await freshDatabase();
    await inTenant(db.pools.write, 'crud', async (sql) => {
      await sql.query(`
        insert into shops (id, name, currency) values ('crud', 'Crud', 'USD');
        insert into products (shop_id, name, category, price, currency, sku) values ('crud', 'P', 'C', 1, 'USD', 'P-1');
        insert into customers (shop_id, customer_id, user_id, name, email) values ('crud', 'c_1', 'u_1', 'C', 'c@example.com');
        insert into warehouses (shop_id, code, city, region) values ('crud', 'W-1', 'Oslo', 'EU')`);
      await sql.query(
        `insert into orders (shop_id, order_id, customer_id, user_id, total_amount) values ('crud', 'o_1', ${CUSTOMER}, 'u_1', 1)`,
      );
    });
  });
  after(() => db.drop());

  const inShop = <T>(work: (sql: Sql) => Promise<T>) => inTenant(db.pools.write, 'crud', work);

  for (const { table, create, change } of ENTITIES) {
    it(`${table} can be created, read, updated and deleted`, async () => {
      const [column, to] = change;
      await inShop(async (sql) => {
        const names = ['shop_id', ...Object.keys(create)].join(', ');
        const { rows } = await sql.query<{ key: string }>(
          `insert into ${table} (${names}) values ('crud', ${Object.values(create).join(', ')}) returning ctid::text as key`,
        );
        await sql.query(`savepoint made`);
        assert.equal(rows.length, 1);
        const updated = await sql.query<{ key: string; value: unknown }>(
          `update ${table} set ${column} = $2 where ctid = $1::tid returning ctid::text as key, ${column} as value`,
          [rows[0]?.key, to],
        );
        assert.equal(updated.rows[0]?.value, to);
        const read = await sql.query<{ value: unknown }>(
          `select ${column} as value from ${table} where ctid = $1::tid`,
          [updated.rows[0]?.key],
        );
        assert.deepEqual(read.rows, [{ value: to }]);
        const removed = await sql.query(`delete from ${table} where ctid = $1::tid`, [updated.rows[0]?.key]);
        assert.equal(removed.rowCount, 1);
      });
    });
  }

  it('a shop can be created, read and renamed, and is never deleted', async () => {
    const renamed = await inShop((sql) =>
      sql.query(`update shops set name = 'New' where id = 'crud' returning name`),
    );
    assert.deepEqual(renamed.rows, [{ name: 'New' }]);
    await assert.rejects(
      inShop((sql) => sql.query(`delete from shops where id = 'crud'`)),
      { code: '42501' },
    );
  });

  it('a shop’s currency stays what it was: its amounts are in it', async () => {
    await assert.rejects(
      inShop((sql) => sql.query(`update shops set currency = 'EUR'`)),
      { code: '42501' },
    );
  });

  it('a shop’s id is letters, digits, - and _', async () => {
    const odd = inTenant(db.pools.write, 'a:b', (sql) =>
      sql.query(`insert into shops (id, name, currency) values ('a:b', 'X', 'USD')`),
    );
    await assert.rejects(odd, { code: '23514' });
  });

  it('is removed with its order', async () => {
    await inShop(async (sql) => {
      await sql.query(
        `insert into orders (shop_id, order_id, customer_id, user_id, total_amount) values ('crud', 'o_3', ${CUSTOMER}, 'u_1', 1)`,
      );
      await sql.query(`insert into order_items (shop_id, order_id, line_no, product_id, quantity, unit_price)
                       select 'crud', id, 1, ${PRODUCT}, 1, 1 from orders where order_id = 'o_3'`);
      await sql.query(`delete from orders where order_id = 'o_3'`);
      const { rowCount } = await sql.query('select from order_items');
      assert.equal(rowCount, 0);
    });
  });

  it('that others point to cannot be deleted', async () => {
    await assert.rejects(
      inShop((sql) => sql.query(`delete from customers where customer_id = 'c_1'`)),
      { code: '23503' },
    );
  });
});
