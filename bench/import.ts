import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { startEmbeddedPostgres } from '../adapters/embedded/postgres.ts';
import { removeEmbeddedPostgres } from '../adapters/embedded/remove.ts';
import { importShop } from '../adapters/postgres/import/import-shop.ts';
import { csvFolder } from '../adapters/postgres/import/read-csv.ts';
import { openState } from '../platform/state.ts';
import { freshDatabase } from '../tests/support/database.ts';
import { beside, type Row } from './report.ts';
import { freshHome } from './stack.ts';
import { tpchShop } from './tpch.ts';

/** What a script written for exactly these files would say: no checks, no comparison, no report. */
const STAGE_COLUMNS: Readonly<Record<string, string>> = {
  customers: 'customer_id text, name text, email text, phone text, address1 text, loyalty_tier text',
  variants:
    'sku text, product_id text, product_name text, price numeric, category text, brand text, dimensions text',
  orders: 'order_id text, customer_id text, status text, source_status text, created_at timestamptz',
  order_lines: 'order_id text, line_no integer, sku text, price numeric, quantity integer, discount numeric',
  warehouses: 'warehouse text, city text, region text',
  inventory: 'sku text, warehouse text, quantity integer, max_stock integer, cost_per_unit numeric',
};
const FILES = Object.keys(STAGE_COLUMNS);

const HAND_WRITTEN = [
  `insert into customers (shop_id, customer_id, user_id, name, email, phone, address, loyalty_tier)
   select 'floor', customer_id, customer_id, name, email, phone, address1, loyalty_tier from stage_customers`,
  `insert into products (shop_id, sku, variant_of, name, price, currency, category, brand, dimensions)
   select 'floor', sku, product_id, product_name, price, 'USD', category, brand, dimensions from stage_variants`,
  `call analyze_imported(array['customers', 'products'])`,
  `insert into orders (shop_id, order_id, customer_id, user_id, order_date, status, source_status, total_amount,
     fulfilled_date)
   select 'floor', s.order_id, c.id, c.user_id, s.created_at, s.status, s.source_status, t.total,
          case when s.status = 'Delivered' then s.created_at end
     from stage_orders s join customers c using (customer_id)
     join (select order_id, sum(quantity * price - discount) as total from stage_order_lines group by order_id) t
       using (order_id)`,
  `call analyze_imported(array['orders'])`,
  `insert into order_items (shop_id, order_id, line_no, product_id, quantity, unit_price, discount)
   select 'floor', o.id, s.line_no, p.id, s.quantity, s.price, s.discount
     from stage_order_lines s join orders o using (order_id) join products p using (sku)`,
  `insert into warehouses (shop_id, code, city, region) select 'floor', warehouse, city, region from stage_warehouses`,
  `call analyze_imported(array['warehouses'])`,
  `insert into inventory (shop_id, product_id, warehouse_id, quantity, max_stock_level, cost_per_unit)
   select 'floor', p.id, w.id, s.quantity, s.max_stock, s.cost_per_unit
     from stage_inventory s join products p using (sku) join warehouses w on w.code = s.warehouse`,
];

/** The same session as the importer's, so that only the work differs. */
const SESSION =
  '-c role=countersign_write -c timezone=UTC -c temp_buffers=128MB -c work_mem=128MB -c jit=off';

/**
 * 150,000 orders through the importer, beside a hand-written staging and INSERT … SELECT of the same files into
 * the same constrained tables, and a bare COPY into tables without a single constraint. Each into a database of
 * its own; the smaller of two rounds counts, because neighbours only ever add time.
 */
export async function benchImport(log: (line: string) => void = () => undefined): Promise<readonly Row[]> {
  if (process.env['TEST_PG_ADMIN_URL'] !== undefined) return measure(log);
  log('starting PostgreSQL');
  const fresh = freshHome();
  const state = openState(fresh.home);
  const server = await startEmbeddedPostgres({ state, port: 0, say: log, note: () => undefined });
  process.env['TEST_PG_ADMIN_URL'] = server.url('postgres');
  try {
    return await measure(log);
  } finally {
    delete process.env['TEST_PG_ADMIN_URL'];
    await server.stop();
    await removeEmbeddedPostgres(fresh.home);
    fresh.remove();
  }
}

async function measure(log: (line: string) => void): Promise<readonly Row[]> {
  log('making the shop');
  const folder = await tpchShop('0.1');
  const rounds: { ours: number; floor: number; bare: number }[] = [];
  for (let round = 1; round <= 2; round++) {
    log(`round ${round}`);
    rounds.push({
      floor: await timed((url) => byHand(url, folder)),
      ours: await timed((url) => byProduct(url, folder)),
      bare: await timed((url) => bareCopy(url, folder)),
    });
  }
  const least = (pick: (round: (typeof rounds)[number]) => number) => Math.min(...rounds.map(pick));
  const value = least(({ ours }) => ours);
  return [
    beside({
      name: 'import of 150,000 orders',
      value,
      unit: 's',
      floor: least(({ floor }) => floor),
      floorName: 'hand-written',
      atMost: 1.5,
    }),
    beside({
      name: 'import of 150,000 orders',
      value,
      unit: 's',
      floor: least(({ bare }) => bare),
      floorName: 'bare COPY, no constraints',
    }),
  ];
}

async function timed(work: (url: string) => Promise<void>): Promise<number> {
  const database = await freshDatabase();
  try {
    const began = performance.now();
    await work(database.writeUrl);
    return (performance.now() - began) / 1000;
  } finally {
    await database.drop();
  }
}

async function byProduct(url: string, folder: string): Promise<void> {
  const request = { shop: 'floor', files: await csvFolder(folder), now: new Date(), dryRun: false };
  const report = await importShop(url, request, { phase: () => undefined, share: () => undefined });
  if (report.holds?.orders !== 150_000 || report.holds.order_lines !== 600_572)
    throw new Error('the importer did not load the shop');
}

async function byHand(url: string, folder: string): Promise<void> {
  await inOneTransaction(url, SESSION, async (sql) => {
    await sql.query(`select set_config('countersign.shop_id', 'floor', true)`);
    await sql.query(`insert into shops (id, name, currency) values ('floor', 'floor', 'USD')`);
    await copyAll(sql, folder, 'temporary');
    for (const statement of HAND_WRITTEN) await sql.query(statement);
  });
}

async function bareCopy(url: string, folder: string): Promise<void> {
  await inOneTransaction(url, '', (sql) => copyAll(sql, folder, ''));
}

async function copyAll(sql: Client, folder: string, kind: 'temporary' | ''): Promise<void> {
  for (const file of FILES) {
    await sql.query(`create ${kind} table stage_${file} (${STAGE_COLUMNS[file]})`);
    const copy = sql.query(copyFrom(`copy stage_${file} from stdin with (format csv, header)`));
    await pipeline(createReadStream(join(folder, `${file}.csv`), { highWaterMark: 256 * 1024 }), copy);
    await sql.query(`analyze stage_${file}`);
  }
}

async function inOneTransaction(
  url: string,
  options: string,
  work: (sql: Client) => Promise<void>,
): Promise<void> {
  const sql = new Client({ connectionString: url, options });
  await sql.connect();
  try {
    await sql.query('begin');
    await work(sql);
    await sql.query('commit');
  } finally {
    await sql.end();
  }
}
