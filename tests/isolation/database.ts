import { z } from 'zod';
import { asAdmin, type TestDatabase } from '../support/database.ts';

/** The record and the outbox grow with calls, reads too: they are what a read may write. */
const RECORD = [
  'audit_log',
  'audit_queue',
  'event_outbox',
  'event_queue',
  'event_log',
  'event_head',
  'event_cursors',
  'event_failures',
];

/** Of every row of every shop, and of when each was last written. Two equal ones: nothing was written in between. */
export function checksum(db: TestDatabase): Promise<string> {
  return asAdmin(async (admin) => {
    const sums: string[] = [];
    for (const table of await tables(db)) {
      const { rows } = await admin.query<{ sum: string | null }>(
        `select md5(string_agg(to_jsonb(t)::text || xmin::text, '' order by to_jsonb(t)::text)) as sum from ${table} t`,
      );
      sums.push(`${table} ${rows[0]?.sum ?? 'empty'}`);
    }
    return sums.join('\n');
  }, db.adminUrl);
}

/** Texts in the rows of one shop that are long enough to be somebody's. */
export function textsOf(db: TestDatabase, shop: string): Promise<ReadonlySet<string>> {
  return asAdmin(async (admin) => {
    const found = new Set<string>();
    for (const table of await tables(db, 'shop_id')) {
      const { rows } = await admin.query<{ row: string }>(
        `select to_jsonb(t)::text as row from ${table} t where shop_id = $1`,
        [shop],
      );
      for (const { row } of rows)
        JSON.parse(row, (_key, value: unknown) => {
          if (typeof value === 'string' && value.length >= 4) found.add(value);
          return value;
        });
    }
    return found;
  }, db.adminUrl);
}

const TEXTS = z.array(z.object({ text: z.string() }));

/** Whatever tells who somebody is or where they live, of all shops. */
export function personalTexts(db: TestDatabase): Promise<readonly string[]> {
  return asAdmin(async (admin) => {
    const { rows } = await admin.query(
      `select distinct text from customers, unnest(array[name, email, phone, address]) as text where text <> ''
       union select shipping_address from orders where shipping_address <> ''
       union select name from drivers
       -- Logins that are names of roles tell of nobody.
       union select requested_by from purchase_orders where requested_by like 'Qz%'`,
    );
    return TEXTS.parse(rows).map(({ text }) => text);
  }, db.adminUrl);
}

function tables(db: TestDatabase, column?: string): Promise<readonly string[]> {
  return asAdmin(async (admin) => {
    const { rows } = await admin.query<{ name: string }>(
      `select table_name as name from information_schema.tables t
        where table_schema = 'public' and table_type = 'BASE TABLE' and not table_name = any($1)
          and ($2::text is null or exists (select from information_schema.columns c
                where c.table_schema = 'public' and c.table_name = t.table_name and c.column_name = $2))
        order by 1`,
      [RECORD, column ?? null],
    );
    return rows.map(({ name }) => name);
  }, db.adminUrl);
}
