import type { Sql } from '../pools.ts';

/** A table as upkeep sees it. Names come quoted where they need it. */
export type Table = {
  readonly name: string;
  /** Columns that are stored and not computed, in their order. */
  readonly columns: readonly string[];
  /** Row-level security is forced on it. */
  readonly isolated: boolean;
  /** countersign_system sees every row of it. */
  readonly readable: boolean;
  readonly identity: readonly string[];
  readonly primaryKey: readonly string[];
};

export type ForeignKey = {
  readonly name: string;
  readonly child: string;
  readonly parent: string;
  readonly columns: readonly string[];
  readonly references: readonly string[];
};

/** The migrations' own records are not data. */
const LEDGER = `c.relname not like 'schema\\_migrations%'`;

/** Every table of the schema, parents before children. */
export async function listTables(sql: Sql): Promise<readonly Table[]> {
  const { rows } = await sql.query<Table>(
    `select quote_ident(c.relname) as name,
            c.relforcerowsecurity as isolated,
            has_table_privilege('countersign_system', c.oid, 'select')
              and (not c.relrowsecurity or exists (
                select from pg_policy p
                 where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
                   and 'countersign_system'::regrole = any (p.polroles)
                   and pg_get_expr(p.polqual, p.polrelid) = 'true')) as readable,
            array(select quote_ident(attname) from pg_attribute
                   where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = ''
                   order by attnum) as columns,
            array(select quote_ident(attname) from pg_attribute
                   where attrelid = c.oid and attnum > 0 and not attisdropped and attidentity <> '') as identity,
            array(select quote_ident(a.attname) from pg_index i, unnest(i.indkey) with ordinality k (attnum, n), pg_attribute a
                   where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum
                   order by k.n) as "primaryKey"
       from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and ${LEDGER}
      order by c.relname`,
  );
  return parentsFirst(rows, await listForeignKeys(sql));
}

export async function listForeignKeys(sql: Sql): Promise<readonly ForeignKey[]> {
  const names = (key: string, table: string) =>
    `array(select quote_ident(a.attname) from unnest(${key}) with ordinality k (attnum, n)
             join pg_attribute a on a.attrelid = ${table} and a.attnum = k.attnum order by k.n)`;
  const { rows } = await sql.query<ForeignKey>(
    `select conname as name, quote_ident(c.relname) as child, quote_ident(p.relname) as parent,
            ${names('con.conkey', 'con.conrelid')} as columns,
            ${names('con.confkey', 'con.confrelid')} as references
       from pg_constraint con
       join pg_class c on c.oid = con.conrelid
       join pg_class p on p.oid = con.confrelid
      where con.contype = 'f' and c.relnamespace = 'public'::regnamespace and con.conparentid = 0
      order by c.relname, conname`,
  );
  return rows;
}

/** @throws {Error} the foreign keys run in a circle. */
function parentsFirst(tables: readonly Table[], keys: readonly ForeignKey[]): readonly Table[] {
  const sorted: Table[] = [];
  let waiting = [...tables];
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name));
    const waits = (table: Table) =>
      keys.some((key) => key.child === table.name && key.parent !== table.name && names.has(key.parent));
    const ready = waiting.filter((table) => !waits(table));
    if (ready.length === 0) throw new Error(`Foreign keys run in a circle: ${[...names].join(', ')}.`);
    sorted.push(...ready);
    waiting = waiting.filter(waits);
  }
  return sorted;
}
