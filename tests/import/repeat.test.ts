import assert from 'node:assert/strict';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { everything, load, rowsOf, SMALL, withFiles } from './support.ts';

const text = (file: keyof typeof SMALL) => SMALL[file] ?? '';

describe('An import', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  it('changes nothing when it is repeated, not even at another time', async () => {
    await load(database, SMALL);
    const before = await everything(database, 'small');
    const again = await load(database, SMALL, { now: new Date('2027-05-01T00:00:00Z') });
    assert.equal(await everything(database, 'small'), before);
    assert.deepEqual(again.tables.orders, { rows: 2, inserted: 0, unchanged: 2, kept: 0 });
    assert.deepEqual(again.tables.order_lines, { rows: 3, inserted: 0, unchanged: 3, kept: 0 });
    assert.deepEqual(again.tables.payments, { rows: 2, inserted: 0, unchanged: 2, kept: 0 });
  });

  it('writes nothing in a dry run, and says what it would write', async () => {
    const report = await load(database, SMALL, { dryRun: true });
    assert.equal(report.tables.orders.inserted, 2);
    assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
  });

  it('adds what is new and keeps what the shop has otherwise', async () => {
    await load(database, SMALL);
    const grown = withFiles({
      'customers.csv': `${text('customers.csv').replace('Oslo', 'Bergen')}cid,Cid,Ko,cid@example.com,\n`,
      'orders.csv': `${text('orders.csv').replace('pending', 'cancelled')}#W3,cid,pending,\n`,
      'order_lines.csv': `${text('order_lines.csv')}#W3,1,S-2,P-1,12.00\n`,
    });
    const report = await load(database, grown);
    assert.deepEqual(report.tables.customers, { rows: 3, inserted: 1, unchanged: 1, kept: 1 });
    assert.deepEqual(report.tables.orders, { rows: 3, inserted: 1, unchanged: 1, kept: 1 });
    assert.deepEqual(report.kept, [
      { file: 'customers.csv', line: 2 },
      { file: 'orders.csv', line: 2 },
    ]);
    assert.deepEqual(
      await rowsOf(database, 'small', "select city from customers where customer_id = 'ann'"),
      [{ city: 'Oslo' }],
    );
    assert.deepEqual(await rowsOf(database, 'small', "select status from orders where order_id = '#W1'"), [
      { status: 'Confirmed' },
    ]);
  });

  it('never adds a line to an order that the shop has', async () => {
    await load(database, SMALL);
    const files = withFiles({
      'order_lines.csv': `${text('order_lines.csv')}#W2,2,S-2,P-1,12.00\n`,
      'order_payments.csv': `${text('order_payments.csv')}#W2,2,refund,0.10,card_1\n`,
    });
    const report = await load(database, files);
    assert.deepEqual([report.tables.order_lines.kept, report.tables.payments.kept], [1, 1]);
    assert.equal(report.holds?.order_lines, 3);
    assert.equal(report.holds.payments, 2);
  });

  it('does not take back what happened in the shop since', async () => {
    await load(database, SMALL);
    const sql = await database.pools.write.connect();
    await sql.query("begin; select set_config('countersign.shop_id', 'small', true)");
    await sql.query("update orders set status = 'Packed' where order_id = '#W1'");
    await sql.query('commit');
    sql.release();
    const before = await everything(database, 'small');
    const report = await load(database, SMALL);
    assert.equal(await everything(database, 'small'), before);
    assert.deepEqual(report.kept, [{ file: 'orders.csv', line: 2 }]);
  });

  it("refuses an e-mail address that another of the shop's customers has", async () => {
    await load(database, SMALL);
    const files = withFiles({
      'customers.csv': text('customers.csv').replace('ann,', 'ann2,'),
      'orders.csv': text('orders.csv').replace('ann,', 'ann2,'),
      'payment_methods.csv': text('payment_methods.csv').replace('ann,gift_1', 'ann2,gift_2'),
      'order_payments.csv': text('order_payments.csv').replace('gift_1', 'gift_2'),
    });
    const report = await load(database, files);
    assert.deepEqual(report.refused.rows, [
      {
        file: 'customers.csv',
        line: 2,
        reason: 'email or user_id: belongs to another customer of this shop',
      },
    ]);
  });

  it("refuses a payment method that another of the shop's customers has", async () => {
    await load(database, SMALL);
    const files = withFiles({
      'payment_methods.csv': text('payment_methods.csv').replace('ann,gift_1', 'bob,gift_1'),
      'order_payments.csv': 'order_id,seq,type,amount\n#W1,1,payment,22.50\n',
    });
    const report = await load(database, files);
    assert.match(report.refused.rows[0]?.reason ?? '', /^payment_method_id: belongs to another customer/);
  });

  it('writes into the named shop alone, though another has the same ids', async () => {
    await load(database, SMALL, { shop: 'first' });
    const before = await everything(database, 'first');
    const report = await load(database, SMALL, { shop: 'second' });
    assert.equal(report.tables.customers.inserted, 2);
    assert.equal(await everything(database, 'first'), before);
    assert.deepEqual(await rowsOf(database, 'second', 'select distinct shop_id from order_items'), [
      { shop_id: 'second' },
    ]);
  });

  it('reads CRLF, a byte order mark, blank lines and quoted line ends, and still counts lines right', async () => {
    const customers = Buffer.from(
      '\uFEFFcustomer_id,name,email,address1\r\nann,"Ann ""A"" Lee",ann@example.com,"1 Road\r\nFlat 2"\r\n\r\nbob,Bob,bob@example.com,\r\ncid,Cid,none,\r\n',
    );
    const refused = await load(database, withFiles({ 'customers.csv': customers }));
    assert.deepEqual(refused.refused.rows, [
      { file: 'customers.csv', line: 6, reason: 'email: not an e-mail address' },
    ]);
    const good = Buffer.from(customers.toString().replace('cid,Cid,none,\r\n', ''));
    const report = await load(database, withFiles({ 'customers.csv': good }));
    assert.equal(report.accepted, true);
    const rows = await rowsOf(
      database,
      'small',
      "select name, address from customers where customer_id = 'ann'",
    );
    assert.deepEqual(rows, [{ name: 'Ann "A" Lee', address: '1 Road\r\nFlat 2' }]);
  });

  it('mixes line ends within one file', async () => {
    const mixed = text('customers.csv').replace('\n', '\r\n');
    assert.equal((await load(database, withFiles({ 'customers.csv': mixed }))).holds?.customers, 2);
  });

  it('reads a file without a last line end', async () => {
    const report = await load(database, withFiles({ 'order_lines.csv': text('order_lines.csv').trimEnd() }));
    assert.equal(report.holds?.order_lines, 3);
  });

  it('keeps backslashes, tabs and foreign letters as they are', async () => {
    const name = 'Zoë \\N \\. 漢\t🎴';
    await load(
      database,
      withFiles({ 'customers.csv': text('customers.csv').replace('Ann,Lee', `${name},Lee`) }),
    );
    const rows = await rowsOf(
      database,
      'small',
      "select first_name from customers where customer_id = 'ann'",
    );
    assert.deepEqual(rows, [{ first_name: name }]);
  });

  it('takes yen without decimals and refuses them with', async () => {
    const whole = (s: string) => s.replaceAll(/(\d+)\.\d\d\b/g, '$1');
    const yen = Object.fromEntries(Object.entries(SMALL).map(([file, s]) => [file, whole(s)]));
    const report = await load(database, yen, { shop: 'tokyo', currency: 'JPY' });
    assert.equal(report.currency, 'JPY');
    const refused = await load(database, SMALL, { shop: 'osaka', currency: 'JPY' });
    assert.match(refused.refused.rows[0]?.reason ?? '', /at most 0 decimals/);
  });

  it('adds up in decimals, not in floating point', async () => {
    const many = Array.from({ length: 10 }, (_, i) => `#W2,${i + 1},S-1,P-1,0.10`).join('\n');
    const files = withFiles({
      'order_lines.csv': `order_id,line_no,sku,product_id,price\n#W1,1,S-1,P-1,0.70\n#W1,2,S-1,P-1,0.10\n${many}\n`,
    });
    await load(database, files);
    assert.deepEqual(
      await rowsOf(database, 'small', 'select order_id, total_amount from orders order by 1'),
      [
        { order_id: '#W1', total_amount: '0.80' },
        { order_id: '#W2', total_amount: '1.00' },
      ],
    );
  });

  it('takes line discount, order discount, quantity and shipping into the total', async () => {
    const files = withFiles({
      'orders.csv':
        'order_id,customer_id,status,discount,shipping_cost,total\n#W1,ann,pending,1.00,4.99,33.49\n#W2,bob,pending,,,\n',
      'order_lines.csv':
        'order_id,line_no,sku,price,quantity,discount\n#W1,1,S-1,10.00,3,0.50\n#W2,1,S-1,1.00,,\n',
      'order_payments.csv': undefined,
    });
    await load(database, files);
    const rows = await rowsOf(database, 'small', "select total_amount from orders where order_id = '#W1'");
    assert.deepEqual(rows, [{ total_amount: '33.49' }]);
  });

  it('makes no stock out of a flag', async () => {
    await load(database, SMALL);
    assert.deepEqual(await rowsOf(database, 'small', 'select * from inventory'), []);
    const flags = await rowsOf(database, 'small', 'select sku, available from products order by sku');
    assert.deepEqual(flags, [
      { sku: 'S-1', available: true },
      { sku: 'S-2', available: false },
    ]);
  });

  it('loads counted stock where there is some', async () => {
    const files = withFiles({
      'warehouses.csv': 'warehouse,city,region\nWH-1,Oslo,North\n',
      'inventory.csv': 'sku,warehouse,quantity,reserved,cost_per_unit\nS-1,WH-1,7,2,3.10\n',
    });
    await load(database, files);
    await load(database, files);
    assert.deepEqual(
      await rowsOf(
        database,
        'small',
        'select quantity, reserved_quantity, reorder_level, max_stock_level, cost_per_unit from inventory',
      ),
      [
        {
          quantity: 7,
          reserved_quantity: 2,
          reorder_level: 10,
          max_stock_level: 1000,
          cost_per_unit: '3.10',
        },
      ],
    );
  });

  it("dates what has no date by the first import's time, tells ties apart by order id, and keeps given dates", async () => {
    const files = withFiles({
      'orders.csv':
        'order_id,customer_id,status,created_at\n#W9,ann,pending,\n#W10,ann,pending,\n#W1,bob,delivered,2025-01-02T03:04:05+09:00\n',
      'order_lines.csv': 'order_id,line_no,sku,price\n#W9,1,S-1,1\n#W10,1,S-1,1\n#W1,1,S-1,1\n',
      'order_payments.csv': undefined,
    });
    await load(database, files);
    const rows = await rowsOf(
      database,
      'small',
      'select order_id, order_date from orders order by order_date, id',
    );
    assert.deepEqual(rows, [
      { order_id: '#W1', order_date: new Date('2025-01-01T18:04:05Z') },
      { order_id: '#W10', order_date: new Date('2026-11-21T09:00:00Z') },
      { order_id: '#W9', order_date: new Date('2026-11-21T09:00:00Z') },
    ]);
  });
});
