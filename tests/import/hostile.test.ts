import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImportImpossible } from '../../adapters/postgres/import/import-shop.ts';
import { UnreadableSource } from '../../adapters/postgres/import/source.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { type Files, inFolder, load, loadFolder, rowsOf, SMALL, withFiles, withRow } from './support.ts';

const lines = SMALL['order_lines.csv'] ?? '';
const customers = SMALL['customers.csv'] ?? '';
const line = (text: string) => withRow('order_lines.csv', text);
const variant = (text: string) => withRow('variants.csv', text);
const order = (text: string) => withRow('orders.csv', text);

/** What is wrong, the files, and the first refusal as `file:line: reason`. */
const CASES: readonly (readonly [string, Files, RegExp])[] = [
  [
    'a header that lacks a column',
    withFiles({ 'orders.csv': 'order_id,status\n#W1,pending\n' }),
    /^orders\.csv:1: the header lacks the column customer_id$/,
  ],
  [
    'a column nobody knows',
    withFiles({ 'orders.csv': 'order_id,customer_id,status,shop_id\n#W1,ann,pending,other\n' }),
    /^orders\.csv:1: column 4 of the header is none of /,
  ],
  [
    'a header in capitals',
    withFiles({ 'orders.csv': 'ORDER_ID,customer_id,status\n#W1,ann,pending\n' }),
    /^orders\.csv:1: column 1 of the header/,
  ],
  [
    'a column that stands twice',
    withFiles({ 'orders.csv': 'order_id,customer_id,status,status\n#W1,ann,pending,pending\n' }),
    /^orders\.csv:1: column status stands twice/,
  ],
  [
    'no header at all',
    withFiles({ 'orders.csv': '#W1,ann,pending\n' }),
    /^orders\.csv:1: column 1 of the header/,
  ],
  ['an empty file', withFiles({ 'orders.csv': '' }), /^orders\.csv:1: empty/],
  [
    'a header without rows',
    withFiles({ 'customers.csv': 'customer_id,name,email\n' }),
    /^customers\.csv:1: no row below the header$/,
  ],
  ['a file of line ends', withFiles({ 'orders.csv': '\n\n\n' }), /^orders\.csv:1: empty/],
  [
    'a row that is too long',
    line('#W2,2,S-1,P-1,1.00,extra'),
    /^order_lines\.csv:5: 6 fields where the header has 5$/,
  ],
  ['a row that is too short', line('#W2,2,S-1'), /^order_lines\.csv:5: 3 fields/],
  ['a row of one space', line(' '), /^order_lines\.csv:5: 1 fields/],
  [
    'a customer twice',
    withRow('customers.csv', 'ann,Ann,Two,two@example.com,'),
    /^customers\.csv:4: customer_id: stands on an earlier line$/,
  ],
  [
    'an e-mail address twice',
    withRow('customers.csv', 'cid,Ann,Two,ann@example.com,'),
    /^customers\.csv:4: email: stands on an earlier line$/,
  ],
  ['a SKU twice', variant('S-1,P-1,Shirt,,1.00,true'), /^variants\.csv:4: sku: stands/],
  ['an order twice', order('#W1,ann,pending,'), /^orders\.csv:4: order_id: stands/],
  ['a line number twice', line('#W1,2,S-1,P-1,1.00'), /^order_lines\.csv:5: order_id and line_no: stand/],
  [
    'a payment method twice',
    withRow('payment_methods.csv', 'bob,gift_1,paypal,'),
    /^payment_methods\.csv:4: payment_method_id: stands/,
  ],
  [
    'a payment number twice',
    withRow('order_payments.csv', '#W1,1,refund,1.00,gift_1'),
    /^order_payments\.csv:4: order_id and seq: stand/,
  ],
  [
    'an order of nobody',
    withFiles({ 'orders.csv': 'order_id,customer_id,status\n#W1,ann,pending\n#W2,zoe,pending\n' }),
    /^orders\.csv:3: customer_id: not in customers\.csv$/,
  ],
  ['an order without lines', order('#W3,ann,pending,'), /^orders\.csv:4: order_id: has no line/],
  ['a line of no order', line('#W9,1,S-1,P-1,1.00'), /^order_lines\.csv:5: order_id: not in orders\.csv$/],
  ['a line of no variant', line('#W1,3,S-9,P-1,1.00'), /^order_lines\.csv:5: sku: not in variants\.csv$/],
  [
    'a line with the product of another variant',
    line('#W1,3,S-1,P-2,1.00'),
    /^order_lines\.csv:5: product_id: not that of the sku/,
  ],
  [
    'a payment method of nobody',
    withRow('payment_methods.csv', 'zoe,x_1,paypal,'),
    /^payment_methods\.csv:4: customer_id: not in/,
  ],
  [
    'a payment of no order',
    withRow('order_payments.csv', '#W9,1,payment,1.00,gift_1'),
    /^order_payments\.csv:4: order_id: not in/,
  ],
  [
    "a payment with somebody else's card",
    withRow('order_payments.csv', '#W1,2,payment,1.00,card_1'),
    /^order_payments\.csv:4: payment_method_id: not a payment method of the order's customer/,
  ],
  [
    'a payment with an unknown card',
    withRow('order_payments.csv', '#W1,2,payment,1.00,card_9'),
    /^order_payments\.csv:4: payment_method_id/,
  ],
  [
    'a payment that is neither',
    withRow('order_payments.csv', '#W1,2,gift,1.00,gift_1'),
    /^order_payments\.csv:4: type: neither payment nor refund$/,
  ],
  ['a negative price', line('#W1,3,S-1,P-1,-1.00'), /^order_lines\.csv:5: price: not an amount/],
  ['a price that is not a number', line('#W1,3,S-1,P-1,NaN'), /^order_lines\.csv:5: price: not an amount/],
  ['a price without end', line('#W1,3,S-1,P-1,Infinity'), /^order_lines\.csv:5: price: not an amount/],
  ['a price with an exponent', line('#W1,3,S-1,P-1,1e3'), /^order_lines\.csv:5: price: not an amount/],
  ['a price with a comma', line('#W1,3,S-1,P-1,"1,000.00"'), /^order_lines\.csv:5: price: not an amount/],
  ['a price with a sign of money', line('#W1,3,S-1,P-1,$1.00'), /^order_lines\.csv:5: price: not an amount/],
  [
    'a price of fractions of a cent',
    line('#W1,3,S-1,P-1,1.005'),
    /^order_lines\.csv:5: price: not an amount/,
  ],
  [
    'a price beyond every column',
    line('#W1,3,S-1,P-1,99999999999.00'),
    /^order_lines\.csv:5: price: not an amount/,
  ],
  ['a price in foreign digits', line('#W1,3,S-1,P-1,١٢'), /^order_lines\.csv:5: price: not an amount/],
  ['an empty price', line('#W1,3,S-1,P-1,'), /^order_lines\.csv:5: price: empty$/],
  [
    'a quantity of nothing',
    withFiles({
      'order_lines.csv': 'order_id,line_no,sku,price,quantity\n#W1,1,S-1,1.00,0\n#W2,1,S-1,1.00,1\n',
    }),
    /^order_lines\.csv:2: quantity: not a whole number from 1/,
  ],
  [
    'a quantity of halves',
    withFiles({
      'order_lines.csv': 'order_id,line_no,sku,price,quantity\n#W1,1,S-1,1.00,1.5\n#W2,1,S-1,1.00,1\n',
    }),
    /^order_lines\.csv:2: quantity/,
  ],
  [
    'a sum that no total can hold',
    withFiles({
      'order_lines.csv':
        'order_id,line_no,sku,price,quantity\n#W1,1,S-1,9999999999.99,999999999\n#W2,1,S-1,1.00,1\n',
    }),
    /^customers\.csv:2: customer_id: its orders add up|^orders\.csv:2: order_id: its lines add up/,
  ],
  [
    'a discount above the line',
    withFiles({
      'order_lines.csv': 'order_id,line_no,sku,price,discount\n#W1,1,S-1,1.00,1.01\n#W2,1,S-1,1.00,\n',
    }),
    /^order_lines\.csv:2: discount: more than the line/,
  ],
  [
    'a total that is not the sum',
    withFiles({
      'orders.csv': 'order_id,customer_id,status,total\n#W1,ann,pending,22.51\n#W2,bob,pending,0.10\n',
    }),
    /^orders\.csv:2: total: not the sum/,
  ],
  [
    'a status nobody knows',
    withFiles({ 'orders.csv': 'order_id,customer_id,status\n#W1,ann,lost\n#W2,bob,pending\n' }),
    /^orders\.csv:2: status: not a status/,
  ],
  [
    'a date that never was',
    withFiles({
      'orders.csv': 'order_id,customer_id,status,created_at\n#W1,ann,pending,2026-02-30\n#W2,bob,pending,\n',
    }),
    /^orders\.csv:2: created_at: no such date$/,
  ],
  [
    'a date of one country',
    withFiles({
      'orders.csv': 'order_id,customer_id,status,created_at\n#W1,ann,pending,11/21/2026\n#W2,bob,pending,\n',
    }),
    /^orders\.csv:2: created_at: not an ISO 8601/,
  ],
  [
    'a date word of the database',
    withFiles({
      'orders.csv': 'order_id,customer_id,status,created_at\n#W1,ann,pending,infinity\n#W2,bob,pending,\n',
    }),
    /^orders\.csv:2: created_at: not an ISO 8601/,
  ],
  [
    'delivered before it was',
    withFiles({
      'orders.csv':
        'order_id,customer_id,status,fulfilled_at\n#W1,ann,pending,2026-01-01\n#W2,bob,pending,\n',
    }),
    /^orders\.csv:2: fulfilled_at: filled for an order that is not delivered$/,
  ],
  [
    'another currency',
    withFiles({
      'orders.csv': 'order_id,customer_id,status,currency\n#W1,ann,pending,EUR\n#W2,bob,pending,USD\n',
    }),
    /^orders\.csv:2: currency: not the shop's currency$/,
  ],
  [
    'a flag that is a number of pieces',
    variant('S-3,P-1,Shirt,,1.00,17'),
    /^variants\.csv:4: available: neither true nor false$/,
  ],
  [
    'options that are not JSON',
    variant('S-3,P-1,Shirt,{color},1.00,true'),
    /^variants\.csv:4: options_json: not JSON$/,
  ],
  [
    'options that are a list',
    variant('S-3,P-1,Shirt,[],1.00,true'),
    /^variants\.csv:4: options_json: not a JSON object$/,
  ],
  [
    'options with a zero character',
    variant('S-3,P-1,Shirt,"{""a"":""\\u0000""}",1.00,true'),
    /^variants\.csv:4: options_json/,
  ],
  [
    'a NUL byte in a name',
    withRow('customers.csv', 'cid,C\0d,Two,c@example.com,'),
    /^customers\.csv:4: first_name: holds control/,
  ],
  [
    'a NUL byte in an id',
    withRow('customers.csv', 'c\0d,Cid,Two,c@example.com,'),
    /^customers\.csv:4: customer_id: not an id/,
  ],
  [
    'writing turned around',
    withRow('customers.csv', 'cid,C\u202Ed,Two,c@example.com,'),
    /^customers\.csv:4: first_name: holds control or invisible/,
  ],
  [
    'bytes that are not UTF-8',
    withFiles({
      'customers.csv': Buffer.concat([
        Buffer.from(customers),
        Buffer.from('cid,M'),
        Buffer.from([0xfc]),
        Buffer.from('ller,Two,c@example.com,\n'),
      ]),
    }),
    /^customers\.csv:4: first_name: holds bytes that are not UTF-8/,
  ],
  [
    'a lone quote',
    line('#W1,3,S"1,P-1,1.00'),
    /^order_lines\.csv:5: a quote in the wrong place.*nothing after it was read$/,
  ],
  [
    'text after a closing quote',
    line('#W1,3,"S"1,P-1,1.00'),
    /^order_lines\.csv:5: a quote in the wrong place/,
  ],
  [
    'a quote that is never closed',
    line('#W1,3,"S-1,P-1,1.00'),
    /^order_lines\.csv:5: a quote that is never closed/,
  ],
  [
    'a field of a megabyte',
    withRow('customers.csv', `cid,${'x'.repeat(1_000_000)},Two,c@example.com,`),
    /^customers\.csv:4: first_name: longer than 4000/,
  ],
  [
    'a row of two megabytes',
    withRow('customers.csv', `cid,${'x'.repeat(2_000_000)},Two,c@example.com,`),
    /^customers\.csv:4: a row of more than/,
  ],
  [
    'an id with space around it',
    withRow('customers.csv', ' cid,Cid,Two,c@example.com,'),
    /^customers\.csv:4: customer_id: not an id/,
  ],
  [
    'an id of 129 characters',
    withRow('customers.csv', `${'c'.repeat(129)},Cid,Two,c@example.com,`),
    /^customers\.csv:4: customer_id: not an id/,
  ],
  [
    'a customer without a name',
    withRow('customers.csv', 'cid,,,c@example.com,'),
    /^customers\.csv:4: one of name, first_name, last_name/,
  ],
  [
    'an address that is none',
    withRow('customers.csv', 'cid,Cid,Two,nobody,'),
    /^customers\.csv:4: email: not an e-mail/,
  ],
  [
    'a position of no variant',
    withFiles({
      'inventory.csv': 'sku,warehouse,quantity\nS-9,W,1\n',
      'warehouses.csv': 'warehouse,city,region\nW,Oslo,North\n',
    }),
    /^inventory\.csv:2: sku: not in variants/,
  ],
  [
    'a position in no warehouse',
    withFiles({ 'inventory.csv': 'sku,warehouse,quantity\nS-1,W,1\n' }),
    /^inventory\.csv:2: warehouse: neither in/,
  ],
  [
    'more reserved than there is',
    withFiles({
      'inventory.csv': 'sku,warehouse,quantity,reserved\nS-1,W,1,2\n',
      'warehouses.csv': 'warehouse,city,region\nW,Oslo,North\n',
    }),
    /^inventory\.csv:2: reserved: more than quantity$/,
  ],
];

describe('refuses a shop, and loads nothing of it, for', () => {
  let database: TestDatabase;
  before(async () => {
    database = await freshDatabase();
  });
  after(() => database.drop());

  for (const [what, files, expected] of CASES) {
    it(what, async () => {
      const report = await load(database, files);
      const first =
        report.refused.rows.map(({ file, line, reason }) => `${file}:${line}: ${reason}`)[0] ?? 'accepted';
      assert.match(first, expected);
      assert.deepEqual(await rowsOf(database, 'small', 'select id from shops'), []);
    });
  }

  it('quotes: a row after the lost one is not taken for good', async () => {
    const report = await load(database, withFiles({ 'order_lines.csv': `${lines}#W1,3,S"1,P-1,1.00\n` }));
    assert.equal(report.accepted, false);
  });

  it('each bad field of a row, and all bad rows at once', async () => {
    const files = withFiles({
      'customers.csv': `${customers}c d\te,X,Y,none,\n,X,Y,,\n`,
      'order_lines.csv': `${lines}#W1,x,S-1,P-1,-1\n`,
    });
    const report = await load(database, files);
    const places = report.refused.rows.map(({ file, line }) => `${file}:${line}`);
    assert.deepEqual(places, [
      'customers.csv:4',
      'customers.csv:4',
      'customers.csv:5',
      'customers.csv:5',
      'order_lines.csv:5',
      'order_lines.csv:5',
    ]);
  });

  it('does not blame an order for its customer, whose row cannot be read', async () => {
    const bad = (SMALL['customers.csv'] ?? '').replace('bob@example.com', 'bob');
    const report = await load(database, withFiles({ 'customers.csv': bad }));
    assert.deepEqual(
      report.refused.rows.map(({ file }) => file),
      ['customers.csv'],
    );
  });

  it('counts every refused row and keeps a bounded list of them', async () => {
    const many = 'x,y,z,w,-\n'.repeat(30_000);
    const report = await load(database, withFiles({ 'order_lines.csv': lines + many }));
    assert.ok(report.refused.count >= 30_000 && report.refused.rows.length <= 10_000);
  });
});

describe('A report of refused rows', () => {
  it('never repeats what a row holds', async () => {
    const database = await freshDatabase();
    try {
      const secret = 'SECRET-4711';
      const texts = [
        ['customers.csv', `${secret},${secret}\u0007,${secret},${secret},${secret}`],
        ['variants.csv', `${secret},${secret},${secret},${secret},${secret},${secret}`],
        ['orders.csv', `${secret},${secret},${secret},${secret}`],
        ['order_lines.csv', `${secret},1,${secret},${secret},1.00`],
        ['payment_methods.csv', `${secret},${secret},${secret},${secret}`],
        ['order_payments.csv', `${secret},1,${secret},1.00,${secret}`],
        ['orders.csv', `"${secret}"${secret},a,b,c`],
      ] as const;
      for (const [file, row] of texts) {
        const report = await load(database, withRow(file, row));
        assert.equal(report.accepted, false);
        assert.doesNotMatch(JSON.stringify(report.refused.rows), /SECRET|4711/);
      }
      const header = await load(database, withFiles({ 'orders.csv': `order_id,${secret}\n` }));
      assert.doesNotMatch(JSON.stringify(header.refused.rows), /SECRET|4711/);
    } finally {
      await database.drop();
    }
  });
});

describe('An import that cannot begin', () => {
  let database: TestDatabase;
  before(async () => {
    database = await freshDatabase();
  });
  after(() => database.drop());

  for (const shop of ['', 'a b', 'a/b', "a'; drop table shops; --", 'a\0b', 'ø', 'x'.repeat(65), 'a:b', '..'])
    it(`says what a shop id is, to ${JSON.stringify(shop.slice(0, 30))}`, async () => {
      await assert.rejects(load(database, SMALL, { shop }), ImportImpossible);
    });

  for (const currency of ['usd', 'XXQ', 'US', '$', 'KWD'])
    it(`says that a shop cannot be in ${currency}`, async () => {
      await assert.rejects(load(database, SMALL, { shop: 'money', currency }), ImportImpossible);
    });

  it("keeps to an existing shop's currency", async () => {
    await load(database, SMALL, { shop: 'dollars' });
    await assert.rejects(load(database, SMALL, { shop: 'dollars', currency: 'EUR' }), ImportImpossible);
  });

  for (const name of ['customers.csv', 'variants.csv', 'orders.csv', 'order_lines.csv'])
    it(`names the missing ${name}`, async () => {
      await assert.rejects(load(database, withFiles({ [name]: undefined })), (error) => {
        assert.ok(error instanceof UnreadableSource && error.message.includes(name));
        return true;
      });
    });

  it('wants one file where two would do', async () => {
    const both = withFiles({ 'products.csv': SMALL['variants.csv'] });
    await assert.rejects(load(database, both), /variants\.csv and products\.csv/);
  });

  it('says that a folder is not there', async () => {
    await assert.rejects(loadFolder(database, '/nowhere/at/all'), UnreadableSource);
  });

  it('says that a file is a folder', async () => {
    await inFolder(withFiles({ 'orders.csv': undefined }), async (folder) => {
      await mkdir(join(folder, 'orders.csv'));
      await assert.rejects(loadFolder(database, folder), /orders\.csv is not a file/);
    });
  });

  it('says that a folder may not be read', async function () {
    if (process.getuid?.() === 0) this.skip(); // root reads everything; the plain-user job runs this
    await inFolder(SMALL, async (folder) => {
      await chmod(folder, 0o000);
      try {
        await assert.rejects(loadFolder(database, folder), UnreadableSource);
      } finally {
        await chmod(folder, 0o700);
      }
    });
  });

  it('leaves other files of the folder alone', async () => {
    await inFolder(SMALL, async (folder) => {
      await writeFile(join(folder, 'notes.txt'), 'not ours, and left alone');
      const report = await loadFolder(database, folder, { shop: 'notes' });
      assert.equal(report.accepted, true);
    });
  });
});
