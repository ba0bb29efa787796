import assert from 'node:assert/strict';
import { createOrderStore } from '../../adapters/postgres/order-store.ts';
import type { ImportReport } from '../../adapters/postgres/import/import-shop.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { everything, loadFolder, retailShop, rowsOf } from './support.ts';

describe('The retail shop', () => {
  let database: TestDatabase;
  let report: ImportReport;
  const rows = (sql: string) => rowsOf(database, 'retail', sql);
  before(async function () {
    const folder = retailShop();
    if (folder === undefined) {
      console.log('      skipped: no retail shop below COUNTERSIGN_SHARED (default ../shared)');
      this.skip();
    }
    database = await freshDatabase();
    report = await loadFolder(database, folder, { shop: 'retail' });
  });
  after(() => database?.drop());

  it('is loaded whole', () => {
    assert.deepEqual(report.holds, {
      customers: 500,
      variants: 591,
      orders: 1000,
      order_lines: 2978,
      payment_methods: 695,
      payments: 1102,
      warehouses: 0,
      inventory: 0,
    });
  });

  it('keeps each status in its state, with its own word beside it', async () => {
    const found = await rows(
      'select status, source_status, count(*)::int as n from orders group by 1, 2 order by n desc, status',
    );
    assert.deepEqual(found, [
      { status: 'Confirmed', source_status: 'pending', n: 423 },
      { status: 'Delivered', source_status: 'delivered', n: 373 },
      { status: 'Cancelled', source_status: 'cancelled', n: 102 },
      { status: 'Packed', source_status: 'processed', n: 102 },
    ]);
  });

  it('adds up to the cent: each order is worth what was first paid for it', async () => {
    const found = await rows(
      `select count(*)::int as n from orders o
         join order_payments p on p.order_id = o.id and p.seq = 1 and p.amount = o.total_amount`,
    );
    assert.deepEqual(found, [{ n: 1000 }]);
  });

  it('knows what each customer comes to', async () => {
    const found = await rows(
      `select count(*)::int as n from customers c
        cross join lateral (
          select count(*)::int as orders, max(order_date) filter (where status <> 'Cancelled') as latest,
                 coalesce(sum(total_amount) filter (where status <> 'Cancelled'), 0) as spent
            from orders o where o.customer_id = c.id) own
        where (c.total_orders, c.total_spent) <> (own.orders, own.spent)
           or c.last_purchase_date is distinct from own.latest`,
    );
    assert.deepEqual(found, [{ n: 0 }]);
  });

  it('has a shipment for each tracking number and none for the others', async () => {
    const found = await rows(
      'select count(*)::int as n, count(distinct tracking_number)::int as numbers from shipments',
    );
    assert.deepEqual(found, [{ n: 577, numbers: 577 }]);
  });

  it('keeps balances of gift cards only', async () => {
    const found = await rows(
      'select kind, count(*)::int as n, count(balance)::int as balances from payment_methods group by 1 order by 1',
    );
    assert.deepEqual(found, [
      { kind: 'credit_card', n: 239, balances: 0 },
      { kind: 'gift_card', n: 234, balances: 234 },
      { kind: 'paypal', n: 222, balances: 0 },
    ]);
  });

  it('keeps variants, their options and their flag', async () => {
    const found = await rows(
      `select count(*) filter (where available)::int as available, count(distinct variant_of)::int as products,
              count(options)::int as options from products`,
    );
    assert.deepEqual(found, [{ available: 379, products: 50, options: 591 }]);
  });

  it('keeps the same SKU twice in one order as two lines', async () => {
    const found = await rows(
      'select count(*)::int as n from (select from order_items group by order_id, product_id having count(*) > 1) x',
    );
    assert.ok(Number(found[0]?.['n']) >= 7);
  });

  it("shows a customer's order to that customer and to no other", async () => {
    const store = createOrderStore(database.pools.read);
    const mine = { tenant: 'retail', customerId: 'james_li_5688' };
    const recent = await store.recent(mine, 10);
    assert.ok(recent.some(({ orderId }) => orderId === '#W2611340'));
    assert.ok(recent.every(({ customerId }) => customerId === 'james_li_5688'));
    assert.equal((await store.find(mine, '#W2611340'))?.totalMinor, 53665);
    assert.equal(await store.find(mine, '#W4817420'), undefined);
    assert.equal(
      await store.find({ tenant: 'retail', customerId: 'ava_moore_2033' }, '#W2611340'),
      undefined,
    );
  });

  it('is invisible to another shop', async () => {
    assert.deepEqual(await rowsOf(database, 'elsewhere', 'select order_id from orders'), []);
  });

  it('changes nothing when it is loaded again', async () => {
    const folder = retailShop();
    assert.ok(folder !== undefined);
    const before = await everything(database, 'retail');
    const again = await loadFolder(database, folder, { shop: 'retail', now: new Date('2027-01-01') });
    assert.deepEqual(again.tables.order_lines, { rows: 2978, inserted: 0, unchanged: 2978, kept: 0 });
    assert.equal(await everything(database, 'retail'), before);
  });
});
