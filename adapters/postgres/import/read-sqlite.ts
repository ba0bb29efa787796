import { readFile } from 'node:fs/promises';
import initSqlJs, { type Database, type SqlValue, type Statement } from 'sql.js';
import { FILE_SPECS, type FileSpec, type ImportTable } from './columns.ts';
import { type RowTaker, type SourceFile, UnreadableSource } from './source.ts';

/** Rows handed over between two chances to pass them on. */
const BATCH = 5_000;
/** The file is held in memory as a whole. */
const MAX_BYTES = 1024 ** 3;
const MAGIC = 'SQLite format 3\0';

/** How a table of document 002's printed schema reads as an import. `line` is the row's own id. */
type Reading = { readonly table: ImportTable; readonly from: string; readonly sql: string };

// A REAL of money is as near to its two decimals as it can be; anything further off, or no number, is passed on to
// be refused.
const amount = (column: string) =>
  `case when typeof(${column}) in ('real', 'integer') and abs(${column} - round(${column}, 2)) < 0.000001
        then printf('%.2f', ${column}) else ${column} end`;

const READINGS: readonly Reading[] = [
  {
    table: 'customers',
    from: 'customers',
    sql: `select id as line, id as customer_id, name, email, phone, address as address1, city, country,
                 loyalty_tier, created_at from customers order by id`,
  },
  {
    table: 'variants',
    from: 'products',
    // sku may be NULL there, and a line must name its product.
    sql: `select id as line, coalesce(sku, 'product-' || id) as sku, name as product_name, category,
                 ${amount('price')} as price, description, brand, weight, dimensions, created_at
            from products order by id`,
  },
  {
    table: 'orders',
    from: 'orders',
    sql: `select id as line, id as order_id, customer_id,
                 case status when 'pending' then 'Placed' else status end as status, status as source_status,
                 order_date as created_at, ${amount('discount_applied')} as discount,
                 ${amount('shipping_cost')} as shipping_cost, ${amount('total_amount')} as total, payment_method,
                 shipping_address as ship_address1, notes,
                 case when status = 'fulfilled' then fulfilled_date end as fulfilled_at
            from orders order by id`,
  },
  {
    table: 'order_lines',
    from: 'order_items',
    sql: `select i.id as line, i.order_id, row_number() over (partition by i.order_id order by i.id) as line_no,
                 coalesce(p.sku, 'product-' || i.product_id) as sku, ${amount('i.unit_price')} as price, i.quantity,
                 ${amount('i.discount')} as discount
            from order_items i left join products p on p.id = i.product_id order by i.id`,
  },
  {
    table: 'warehouses',
    from: 'inventory',
    sql: `select 1 as line, 'MAIN' as warehouse, 'Unknown' as city, 'Unknown' as region
           where exists (select 1 from inventory)`,
  },
  {
    table: 'inventory',
    from: 'inventory',
    sql: `select i.product_id as line, coalesce(p.sku, 'product-' || i.product_id) as sku, 'MAIN' as warehouse,
                 i.quantity, i.reserved_quantity as reserved, i.reorder_level, i.max_stock_level as max_stock,
                 i.supplier, ${amount('i.cost_per_unit')} as cost_per_unit
            from inventory i left join products p on p.id = i.product_id order by i.product_id`,
  },
];

/**
 * The tables of an SQLite file in document 002's printed schema (conflict X-24). A report's "line" is the id of
 * the row there.
 *
 * @throws {UnreadableSource} not an SQLite file, too big to hold, or a table or column of the schema is missing.
 */
export async function sqliteShop(path: string): Promise<readonly SourceFile[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UnreadableSource(`${path} cannot be read.`, { cause: error });
  });
  if (bytes.length > MAX_BYTES) throw new UnreadableSource(`${path} is larger than ${MAX_BYTES} bytes.`);
  if (bytes.subarray(0, MAGIC.length).toString('latin1') !== MAGIC)
    throw new UnreadableSource(`${path} is neither a folder nor an SQLite file.`);
  const { Database: Sqlite } = await initSqlJs();
  const database = new Sqlite(bytes);
  return READINGS.map((reading) => {
    assertReadable(database, reading, path);
    return {
      spec: FILE_SPECS[reading.table],
      name: reading.from,
      bytes: Math.ceil(bytes.length / READINGS.length),
      read: (taker) => readTable(database, reading, FILE_SPECS[reading.table], taker),
    };
  });
}

function assertReadable(database: Database, { from, sql }: Reading, path: string): void {
  try {
    database.prepare(sql).free();
  } catch (error) {
    // SQLite's own message may quote the file's text.
    throw new UnreadableSource(`${path} has no table ${from} in the printed schema.`, { cause: error });
  }
}

async function* readTable(
  database: Database,
  { sql }: Reading,
  spec: FileSpec,
  taker: RowTaker,
): AsyncGenerator<number> {
  const statement = database.prepare(sql);
  try {
    const names = statement.getColumnNames().slice(1);
    if (!taker.header(names)) return;
    const kinds = names.map((name) => spec.columns.find((column) => column.name === name)?.kind);
    for (let count = 1; ; count++) {
      const row = nextRow(statement);
      if (row === 'damaged') taker.broken(0, 'the file is damaged');
      if (typeof row === 'string') break;
      const [line, ...values] = row;
      taker.row(
        Number(line),
        values.map((value, i) => asField(value, kinds[i] === 'instant')),
      );
      if (count % BATCH === 0) yield 0;
    }
  } finally {
    statement.free();
  }
  yield 0;
}

function nextRow(statement: Statement): readonly SqlValue[] | 'end' | 'damaged' {
  try {
    return statement.step() ? statement.get() : 'end';
  } catch {
    return 'damaged';
  }
}

/** As a CSV field would say it. Bytes and numbers without end come out as something no reader accepts. */
function asField(value: SqlValue | undefined, isInstant: boolean): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return '\0';
  // CURRENT_TIMESTAMP is UTC, which is what a time without a zone means here.
  return isInstant && typeof value === 'number' ? '\0' : String(value);
}
