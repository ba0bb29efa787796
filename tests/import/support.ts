import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type ImportReport,
  type ImportRequest,
  importShop,
} from '../../adapters/postgres/import/import-shop.ts';
import { csvFolder } from '../../adapters/postgres/import/read-csv.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import type { TestDatabase } from '../support/database.ts';

export type Files = Readonly<Record<string, string | Buffer>>;

/** A whole shop of two customers, two variants and two orders. */
export const SMALL: Readonly<Record<string, string>> = {
  'customers.csv':
    'customer_id,first_name,last_name,email,city\nann,Ann,Lee,ann@example.com,Oslo\nbob,Bob,Ray,bob@example.com,\n',
  'variants.csv':
    'sku,product_id,product_name,options_json,price,available\n' +
    'S-1,P-1,Shirt,"{""color"": ""red""}",10.50,true\nS-2,P-1,Shirt,,12.00,false\n',
  'orders.csv': 'order_id,customer_id,status,tracking_ids\n#W1,ann,pending,\n#W2,bob,delivered,1234567890\n',
  'order_lines.csv':
    'order_id,line_no,sku,product_id,price\n#W1,1,S-1,P-1,10.50\n#W1,2,S-2,P-1,12.00\n#W2,1,S-1,P-1,0.10\n',
  'payment_methods.csv':
    'customer_id,payment_method_id,type,balance\nann,gift_1,gift_card,50.00\nbob,card_1,credit_card,\n',
  'order_payments.csv':
    'order_id,seq,type,amount,payment_method_id\n#W1,1,payment,22.50,gift_1\n#W2,1,payment,0.10,card_1\n',
};

/** SMALL with some files exchanged; undefined leaves one out. */
export const withFiles = (changes: Readonly<Record<string, string | Buffer | undefined>>): Files =>
  Object.fromEntries(
    Object.entries({ ...SMALL, ...changes }).filter(
      (entry): entry is [string, string | Buffer] => entry[1] !== undefined,
    ),
  );

/** SMALL with a row added to one file. */
export const withRow = (file: keyof typeof SMALL, row: string): Files =>
  withFiles({ [file]: `${SMALL[file] ?? ''}${row}\n` });

export async function inFolder<T>(files: Files, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-import-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const NOW = new Date('2026-11-21T09:00:00Z');

export function load(
  database: TestDatabase,
  files: Files,
  options: Partial<Omit<ImportRequest, 'files'>> = {},
): Promise<ImportReport> {
  return inFolder(files, (folder) => loadFolder(database, folder, options));
}

export async function loadFolder(
  database: TestDatabase,
  folder: string,
  options: Partial<Omit<ImportRequest, 'files'>> = {},
): Promise<ImportReport> {
  const request = { shop: 'small', now: NOW, dryRun: false, ...options, files: await csvFolder(folder) };
  return importShop(database.writeUrl, request, { phase: () => undefined, share: () => undefined });
}

/** Rows of a statement as one shop sees them. */
export async function rowsOf(
  database: TestDatabase,
  shop: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return inTenant(database.pools.read, shop, async (session) => {
    const { rows } = await session.query<Record<string, unknown>>(sql, [...values]);
    return rows;
  });
}

/** Every row of every table of the shop, in one text: two equal ones mean that nothing changed. */
export async function everything(database: TestDatabase, shop: string): Promise<string> {
  const tables = [
    'shops',
    'customers',
    'products',
    'orders',
    'order_items',
    'payment_methods',
    'order_payments',
    'shipments',
    'warehouses',
    'inventory',
  ];
  const parts: unknown[] = [];
  for (const table of tables)
    parts.push(
      await rowsOf(database, shop, `select to_jsonb(t) as row, xmin::text from ${table} t order by 1::text`),
    );
  return JSON.stringify(parts);
}

/** Folder of the shop that nobody here wrote; undefined where it was not handed over. */
export function retailShop(): string | undefined {
  const folder = resolve(process.env['COUNTERSIGN_SHARED'] ?? '../shared', 'data/retail/shop');
  return existsSync(folder) ? folder : undefined;
}
