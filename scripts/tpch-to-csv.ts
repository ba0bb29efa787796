/**
 * Makes a shop in the columns of `countersign import` out of TPC-H tables (`tpchgen-cli csv -s <scale>`):
 *
 *   npx tsx scripts/tpch-to-csv.ts <tpch folder> <out folder>
 *
 * Keys stay as they are, order dates are kept, O → Confirmed, P → Packed, F → Delivered. A nation of
 * suppliers is one warehouse. TPC-H knows no e-mail address, so customers get one under `tpch.example`.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parse } from 'csv-parse';

type Field = (column: string) => string;

const STATES: Readonly<Record<string, string>> = { O: 'Confirmed', P: 'Packed', F: 'Delivered' };
/** Above every sum of supplies that TPC-H makes for one part in one nation. */
const MAX_STOCK = '100000';

async function* rowsOf(folder: string, table: string): AsyncGenerator<Field> {
  const parser = createReadStream(join(folder, `${table}.csv`)).pipe(parse({ columns: true }));
  for await (const row of parser) {
    const fields = new Map(Object.entries(Object(row)));
    yield (column) => {
      const value = fields.get(column);
      if (typeof value !== 'string') throw new Error(`${table}.csv has no column ${column}`);
      return value;
    };
  }
}

const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

async function write(
  folder: string,
  file: string,
  header: string,
  rows: AsyncIterable<string[]>,
): Promise<void> {
  const out = createWriteStream(join(folder, file));
  out.write(`${header}\n`);
  let count = 0;
  for await (const row of rows) {
    count++;
    if (!out.write(`${row.map(quoted).join(',')}\n`)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  process.stdout.write(`${file}: ${count} rows\n`);
}

async function* mapped(
  rows: AsyncIterable<Field>,
  map: (field: Field) => string[],
): AsyncGenerator<string[]> {
  for await (const field of rows) yield map(field);
}

/** `12.34` → 1234; TPC-H prints every amount with two decimals. */
function cents(amount: string): number {
  const match = /^(\d+)\.(\d\d)$/.exec(amount);
  if (!match) throw new Error('an amount without exactly two decimals');
  return Number(match[1]) * 100 + Number(match[2]);
}

const money = (minor: number) => `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;

/** The share in `discount` (0.00 to 0.10) of a line's value, rounded half up to whole cents. */
const discountOf = (value: number, discount: string) => money(Math.round((value * cents(discount)) / 100));

function unitPrice(field: Field): string {
  const quantity = Number(field('l_quantity'));
  const minor = cents(field('l_extendedprice')) / quantity;
  if (!Number.isInteger(minor)) throw new Error('a line whose price is not a whole number of cents');
  return money(minor);
}

async function* stockOf(folder: string): AsyncGenerator<string[]> {
  const nationOf = new Map<string, string>();
  for await (const row of rowsOf(folder, 'supplier')) nationOf.set(row('s_suppkey'), row('s_nationkey'));

  // Suppliers of one part stand together in the file, so one part at a time is held.
  let part = '';
  let held = new Map<string, { quantity: number; cost: string }>();
  const flush = () =>
    [...held].map(([nation, { quantity, cost }]) => [
      part,
      `WH-${nation}`,
      String(quantity),
      MAX_STOCK,
      cost,
    ]);
  for await (const row of rowsOf(folder, 'partsupp')) {
    if (row('ps_partkey') !== part) {
      yield* flush();
      part = row('ps_partkey');
      held = new Map();
    }
    const nation = nationOf.get(row('ps_suppkey')) ?? '';
    const before = held.get(nation);
    held.set(nation, {
      quantity: (before?.quantity ?? 0) + Number(row('ps_availqty')),
      cost: before?.cost ?? row('ps_supplycost'),
    });
  }
  yield* flush();
}

async function convertStock(from: string, to: string): Promise<void> {
  const regions = new Map<string, string>();
  for await (const row of rowsOf(from, 'region')) regions.set(row('r_regionkey'), row('r_name'));
  await write(
    to,
    'warehouses.csv',
    'warehouse,city,region',
    mapped(rowsOf(from, 'nation'), (row) => [
      `WH-${row('n_nationkey')}`,
      row('n_name'),
      regions.get(row('n_regionkey')) ?? '',
    ]),
  );
  await write(to, 'inventory.csv', 'sku,warehouse,quantity,max_stock,cost_per_unit', stockOf(from));
}

async function convert(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await write(
    to,
    'customers.csv',
    'customer_id,name,email,phone,address1,loyalty_tier',
    mapped(rowsOf(from, 'customer'), (row) => [
      row('c_custkey'),
      row('c_name'),
      `customer-${row('c_custkey')}@tpch.example`,
      row('c_phone'),
      row('c_address').trim(),
      'Bronze',
    ]),
  );
  await write(
    to,
    'variants.csv',
    'sku,product_id,product_name,price,category,brand,dimensions',
    mapped(rowsOf(from, 'part'), (row) => [
      row('p_partkey'),
      row('p_partkey'),
      row('p_name'),
      row('p_retailprice'),
      row('p_type'),
      row('p_brand'),
      row('p_container'),
    ]),
  );
  await write(
    to,
    'orders.csv',
    'order_id,customer_id,status,source_status,created_at',
    mapped(rowsOf(from, 'orders'), (row) => [
      row('o_orderkey'),
      row('o_custkey'),
      STATES[row('o_orderstatus')] ?? '',
      row('o_orderstatus'),
      row('o_orderdate'),
    ]),
  );
  await write(
    to,
    'order_lines.csv',
    'order_id,line_no,sku,price,quantity,discount',
    mapped(rowsOf(from, 'lineitem'), (row) => [
      row('l_orderkey'),
      row('l_linenumber'),
      row('l_partkey'),
      unitPrice(row),
      row('l_quantity'),
      discountOf(cents(row('l_extendedprice')), row('l_discount')),
    ]),
  );
  if (existsSync(join(from, 'partsupp.csv'))) await convertStock(from, to);
}

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  process.stderr.write('usage: tpch-to-csv.ts <tpch folder> <out folder>\n');
  process.exitCode = 2;
} else {
  await convert(from, to);
}
