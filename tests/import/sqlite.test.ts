import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import initSqlJs, { type Database } from 'sql.js';
import { type ImportReport, importShop } from '../../adapters/postgres/import/import-shop.ts';
import { sqliteShop } from '../../adapters/postgres/import/read-sqlite.ts';
import { UnreadableSource } from '../../adapters/postgres/import/source.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { everything, inFolder, NOW, rowsOf } from './support.ts';

/** Document 002's schema as printed, less the view. */
const PRINTED = `
  CREATE TABLE products (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, category TEXT NOT NULL,
    price REAL NOT NULL, description TEXT, sku TEXT UNIQUE, brand TEXT, weight REAL, dimensions TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT UNIQUE NOT NULL,
    phone TEXT, address TEXT, city TEXT, country TEXT, total_orders INTEGER DEFAULT 0, total_spent REAL DEFAULT 0.0,
    loyalty_tier TEXT DEFAULT 'Bronze', created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, last_purchase_date TIMESTAMP);
  CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL,
    order_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP, status TEXT NOT NULL DEFAULT 'pending', total_amount REAL NOT NULL,
    shipping_address TEXT, payment_method TEXT, discount_applied REAL DEFAULT 0.0, shipping_cost REAL DEFAULT 0.0,
    notes TEXT, fulfilled_date TIMESTAMP, FOREIGN KEY (customer_id) REFERENCES customers(id));
  CREATE TABLE order_items (id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL, quantity INTEGER NOT NULL, unit_price REAL NOT NULL, discount REAL DEFAULT 0.0,
    FOREIGN KEY (order_id) REFERENCES orders(id), FOREIGN KEY (product_id) REFERENCES products(id));
  CREATE TABLE inventory (product_id INTEGER PRIMARY KEY, quantity INTEGER NOT NULL DEFAULT 0,
    reserved_quantity INTEGER DEFAULT 0, reorder_level INTEGER DEFAULT 10, max_stock_level INTEGER DEFAULT 1000,
    last_updated TIMESTAMP DEFAULT CURRENT_TIMESTAMP, supplier TEXT, cost_per_unit REAL,
    FOREIGN KEY (product_id) REFERENCES products(id));`;

const ROWS = `
  INSERT INTO customers (id, name, email, city) VALUES (1, 'Ann Lee', 'ann@example.com', 'Oslo'), (2, 'Bob Ray', 'bob@example.com', NULL);
  INSERT INTO products (id, name, category, price, sku, weight) VALUES (1, 'Red Shirt - Medium', 'Clothing', 19.99, 'RS-M', 0.25), (2, 'Lamp', 'Home & Garden', 5, NULL, NULL);
  INSERT INTO orders (id, customer_id, order_date, status, total_amount, discount_applied, shipping_cost, fulfilled_date)
    VALUES (1, 1, '2024-01-15 10:30:00', 'fulfilled', 43.97, 1.0, 4.99, '2024-01-17'), (2, 2, '2024-01-16 00:00:00', 'pending', 5.0, 0, 0, NULL);
  INSERT INTO order_items (order_id, product_id, quantity, unit_price, discount) VALUES (1, 1, 2, 19.99, 0), (2, 2, 1, 5.0, NULL);
  UPDATE orders SET total_amount = 43.97 WHERE id = 1;
  INSERT INTO inventory (product_id, quantity, reserved_quantity, cost_per_unit) VALUES (1, 5, 1, 8.4), (2, 0, 0, NULL);`;

describe('An SQLite file in the printed schema', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  async function importing(change: (sqlite: Database) => void = () => undefined): Promise<ImportReport> {
    const { Database: Sqlite } = await initSqlJs();
    const sqlite = new Sqlite();
    sqlite.run(PRINTED + ROWS);
    change(sqlite);
    return importBytes(Buffer.from(sqlite.export()));
  }

  function importBytes(bytes: Buffer): Promise<ImportReport> {
    return inFolder({}, async (folder) => {
      const path = join(folder, 'shop.sqlite');
      await writeFile(path, bytes);
      const request = { shop: 'lite', files: await sqliteShop(path), now: NOW, dryRun: false };
      return importShop(database.writeUrl, request, { phase: () => undefined, share: () => undefined });
    });
  }

  const problems = (report: ImportReport) =>
    report.refused.rows.map(({ file, line, reason }) => `${file}:${line}: ${reason}`);

  it('is loaded with its own ids, dates, cents and stock', async () => {
    const report = await importing();
    assert.deepEqual(problems(report), []);
    const orders = await rowsOf(
      database,
      'lite',
      'select order_id, status, source_status, order_date, total_amount, fulfilled_date from orders order by 1',
    );
    assert.deepEqual(orders, [
      {
        order_id: '1',
        status: 'Delivered',
        source_status: 'fulfilled',
        total_amount: '43.97',
        order_date: new Date('2024-01-15T10:30:00Z'),
        fulfilled_date: new Date('2024-01-17T00:00:00Z'),
      },
      {
        order_id: '2',
        status: 'Placed',
        source_status: 'pending',
        total_amount: '5.00',
        order_date: new Date('2024-01-16T00:00:00Z'),
        fulfilled_date: null,
      },
    ]);
    const stock = await rowsOf(
      database,
      'lite',
      'select sku, quantity, cost_per_unit from inventory i join products p on p.id = i.product_id order by sku',
    );
    assert.deepEqual(stock, [
      { sku: 'RS-M', quantity: 5, cost_per_unit: '8.40' },
      { sku: 'product-2', quantity: 0, cost_per_unit: null },
    ]);
  });

  it('changes nothing when it is loaded again', async () => {
    await importing();
    const before = await everything(database, 'lite');
    await importing();
    assert.equal(await everything(database, 'lite'), before);
  });

  it('is refused by table and row id when a row is bad', async () => {
    const report = await importing((sqlite) =>
      sqlite.run(
        `UPDATE products SET price = -1 WHERE id = 2; UPDATE customers SET email = x'00ff' WHERE id = 1;
         UPDATE order_items SET unit_price = 'a lot' WHERE id = 1; UPDATE inventory SET quantity = 1.5 WHERE product_id = 1;`,
      ),
    );
    assert.deepEqual(
      problems(report).map((problem) => problem.split(': ').slice(0, 2).join(': ')),
      ['customers:1: email', 'products:2: price', 'order_items:1: price', 'inventory:1: quantity'],
    );
  });

  it('is refused when a total is not the sum', async () => {
    const report = await importing((sqlite) =>
      sqlite.run('UPDATE orders SET total_amount = 5.01 WHERE id = 2'),
    );
    assert.deepEqual(problems(report), [
      'orders:2: total: not the sum of its lines less discount plus shipping',
    ]);
  });

  it('is refused when a line names no product or no order', async () => {
    const report = await importing((sqlite) =>
      sqlite.run(
        'INSERT INTO order_items (order_id, product_id, quantity, unit_price) VALUES (1, 77, 1, 1), (9, 1, 1, 1)',
      ),
    );
    assert.equal(report.accepted, false);
  });

  it('is unreadable without one of the tables', async () => {
    await assert.rejects(
      importing((sqlite) => sqlite.run('DROP TABLE inventory')),
      /no table (warehouses|inventory) in the printed schema/,
    );
  });

  it('is unreadable when a column is missing', async () => {
    await assert.rejects(
      importing((sqlite) => sqlite.run('ALTER TABLE products DROP COLUMN price')),
      UnreadableSource,
    );
  });

  it('is unreadable or refused when it is torn off', async () => {
    const { Database: Sqlite } = await initSqlJs();
    const sqlite = new Sqlite();
    sqlite.run(PRINTED + ROWS);
    const torn = Buffer.from(sqlite.export()).subarray(0, 6000);
    const ended = await importBytes(torn).then(
      ({ accepted }) => accepted,
      (error: unknown) => !(error instanceof UnreadableSource),
    );
    assert.equal(ended, false);
    assert.deepEqual(await rowsOf(database, 'lite', 'select id from shops'), []);
  });

  it('is unreadable when it is something else', async () => {
    await assert.rejects(importBytes(Buffer.from('PK\u0003\u0004')), /neither a folder nor an SQLite file/);
    await assert.rejects(importBytes(Buffer.alloc(0)), /neither a folder nor an SQLite file/);
  });
});
