import assert from 'node:assert/strict';
import { Client } from 'pg';
import { OWNER, ROLE_OF } from '../../adapters/postgres/roles.ts';
import { inTenant, type Sql } from '../../adapters/postgres/pools.ts';
import { seededDatabase, type TestDatabase } from '../support/database.ts';

/** Tables that belong to no shop. A new one needs a reason as good as these. */
const LEDGER_TABLES = ['schema_migrations', 'schema_migrations_sums'];
/** Positions in the log of events are common to all shops. */
const EVENT_TABLES = ['event_cursors', 'event_failures', 'event_head'];
/** One index answers for all shops, so what is built and published together is common to them. */
const POLICY_TABLES = ['policy_publications', 'policy_runs'];
const GLOBAL_TABLES = [...LEDGER_TABLES, ...EVENT_TABLES, ...POLICY_TABLES];
/** Functions that run with their owner's rights: each is reviewed by name. */
const DEFINER_FUNCTIONS = ['analyze_imported'];
const BUSINESS_TABLES = [
  'customers',
  'deliveries',
  'drivers',
  'inventory',
  'order_items',
  'order_payments',
  'order_status_history',
  'orders',
  'payment_methods',
  'prices',
  'products',
  'promotions',
  'purchase_orders',
  'shipments',
  'shipping_methods',
  'warehouses',
];
const TENANT_ROLES = [ROLE_OF.read, ROLE_OF.write];
const PERMISSION_DENIED = '42501';

type Relation = { readonly name: string; readonly kind: string; readonly tenant: string | null };

type Key = { readonly key: string; readonly first: string };

let db: TestDatabase;
let admin: Client;
let tables: readonly Relation[];
let views: readonly Relation[];

const lookUp = async <T extends object>(statement: string, values: unknown[] = []) =>
  (await admin.query<T>(statement, values)).rows;

/** Works as `role`, and undoes everything. `tenant` undefined: none is set. */
async function as<T>(role: string, tenant: string | undefined, work: (sql: Sql) => Promise<T>): Promise<T> {
  await admin.query(`begin; set local role ${role}`);
  try {
    if (tenant !== undefined)
      await admin.query(`select set_config('countersign.shop_id', $1, true)`, [tenant]);
    return await work(admin);
  } finally {
    await admin.query('rollback');
  }
}

async function countAs(
  role: string,
  tenant: string | undefined,
  name: string,
  where = 'true',
): Promise<number> {
  return as(role, tenant, async (sql) => {
    const { rows } = await sql.query<{ n: number }>(`select count(*)::int as n from ${name} where ${where}`);
    return rows[0]?.n ?? -1;
  });
}

/** Rows changed, or -1 when the role may not even try. */
async function changesAs(
  role: string,
  tenant: string | undefined,
  statement: string,
  values: unknown[] = [],
) {
  return as(role, tenant, async (sql) => {
    try {
      return (await sql.query(statement, values)).rowCount ?? 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === PERMISSION_DENIED) return -1;
      throw error;
    }
  });
}

/** What `look` finds wrong with any of the relations. */
async function problemsOf(
  list: readonly Relation[],
  look: (relation: Relation & { readonly shop: string }) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const relation of list) {
    const found = await look({ ...relation, shop: relation.tenant ?? 'id' });
    problems.push(...found.map((problem) => `${relation.name}: ${problem}`));
  }
  return problems;
}

const unless = (holds: boolean, problem: string) => (holds ? [] : [problem]);

before(async () => {
  db = await seededDatabase();
  admin = new Client({ connectionString: db.adminUrl });
  await admin.connect();
  const relations = await lookUp<Relation>(
    `select c.relname as name, c.relkind as kind,
            (select attname from pg_attribute where attrelid = c.oid and attname = 'shop_id' and not attisdropped) as tenant
       from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f', 'v', 'm') order by 1`,
  );
  views = relations.filter(({ kind }) => kind === 'v');
  tables = relations.filter(({ kind, name }) => kind !== 'v' && !GLOBAL_TABLES.includes(name));
});
after(async () => {
  await admin.end();
  await db.drop();
});

describe('isolation, in the catalog', () => {
  it('keeps no copies outside the policies: ordinary tables and views only', () => {
    assert.deepEqual(
      tables.filter(({ kind }) => kind !== 'r'),
      [],
    );
  });

  it('names every table that belongs to no shop', () => {
    assert.deepEqual(
      tables.filter(({ tenant }) => tenant === null).map(({ name }) => name),
      ['shops'],
    );
  });

  it('grants a shop’s roles nothing on a table that belongs to no shop', async () => {
    const grants = await lookUp(
      `select relname, a.grantee::regrole::text from pg_class c, aclexplode(c.relacl) a
        where relname = any ($1) and a.grantee <> all (array[$2::regrole::oid, $3::regrole::oid])`,
      [GLOBAL_TABLES, OWNER, ROLE_OF.system],
    );
    assert.deepEqual(grants, []);
  });

  it('forces row-level security on every table, with policies by role and for nobody else', async () => {
    const problems = await problemsOf(tables, async ({ name }) => {
      const [row] = await lookUp<{ forced: boolean; roles: string[] }>(
        `select c.relrowsecurity and c.relforcerowsecurity as forced,
                array(select distinct case when r = 0 then 'public' else r::regrole::text end
                        from pg_policy p, unnest(p.polroles) r where p.polrelid = c.oid) as roles
           from pg_class c where c.oid = $1::regclass`,
        [name],
      );
      const allowed: readonly string[] = Object.values(ROLE_OF);
      return [
        ...unless(row?.forced === true, 'not forced'),
        ...unless(row?.roles.includes(ROLE_OF.system) === true, 'no policy for the system role'),
        ...(row?.roles ?? []).filter((role) => !allowed.includes(role)).map((role) => `policy for ${role}`),
      ];
    });
    assert.deepEqual(problems, []);
  });

  it('ties every policy for a shop role to the tenant', async () => {
    const bound =
      /^\(*(shop_id|id) = NULLIF\(current_setting\('countersign\.shop_id'::text, true\), ''::text\)/;
    const problems = await problemsOf(tables, async ({ name }) => {
      const policies = await lookUp<{ text: string | null }>(
        `select unnest(array[pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)]) as text
           from pg_policy where polrelid = $1::regclass
            and polroles && array['countersign_read'::regrole::oid, 'countersign_write'::regrole::oid]`,
        [name],
      );
      return policies.flatMap(({ text }) => unless(text === null || bound.test(text), `policy ${text}`));
    });
    assert.deepEqual(problems, []);
  });

  it('starts every primary, unique and foreign key with the shop', async () => {
    const problems = await problemsOf(tables, async ({ name, shop }) => {
      const keys = await lookUp<Key>(
        `select i.indexrelid::regclass::text as key,
                (select attname from pg_attribute where attrelid = i.indrelid and attnum = i.indkey[0]) as first
           from pg_index i where i.indrelid = $1::regclass and i.indisunique
         union all
         select conname, (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1])
           from pg_constraint where conrelid = $1::regclass and contype = 'f'`,
        [name],
      );
      return [
        ...unless(keys.length > 0, 'no key'),
        ...keys.filter(({ first }) => first !== shop).map(({ key }) => key),
      ];
    });
    assert.deepEqual(problems, []);
  });

  it('shows every view with the rights of whoever asks', async () => {
    const problems = await problemsOf(views, async ({ name }) => {
      const [row] = await lookUp<{ options: string[] | null }>(
        'select reloptions as options from pg_class where oid = $1::regclass',
        [name],
      );
      return unless(row?.options?.includes('security_invoker=true') === true, 'not security_invoker');
    });
    assert.ok(views.length >= 4);
    assert.deepEqual(problems, []);
  });

  it('has an owner of everything that is nobody special', async () => {
    const owners = await lookUp<{ owner: string }>(
      `select distinct relowner::regrole::text as owner from pg_class where relnamespace = 'public'::regnamespace
       union select distinct proowner::regrole::text from pg_proc where pronamespace = 'public'::regnamespace`,
    );
    assert.deepEqual(owners, [{ owner: OWNER }]);
    const special = await lookUp(
      `select rolname from pg_roles where rolname like 'countersign\\_%' and rolname = any ($1)
          and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin)`,
      [[OWNER, ...Object.values(ROLE_OF)]],
    );
    assert.deepEqual(special, []);
  });

  it('has no function with its owner’s rights beyond those listed', async () => {
    const found = await lookUp<{ proname: string; path: string[] | null }>(
      `select proname, proconfig as path from pg_proc where pronamespace = 'public'::regnamespace and prosecdef`,
    );
    assert.deepEqual(
      found.map(({ proname }) => proname).filter((name) => !DEFINER_FUNCTIONS.includes(name)),
      [],
    );
    for (const { path, proname } of found)
      assert.match(String(path), /search_path=/, `${proname} has no search_path`);
  });

  it('grants nothing to everybody, and reading only to the read role', async () => {
    const grants = await lookUp<{ name: string; grantee: string; privilege: string }>(
      `select c.relname as name, case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as grantee,
              a.privilege_type as privilege
         from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'public'::regnamespace`,
    );
    const tooMuch = grants.filter(
      ({ grantee, privilege }) =>
        grantee === 'public' ||
        (grantee === ROLE_OF.read && privilege !== 'SELECT') ||
        (grantee !== OWNER && ['TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN'].includes(privilege)),
    );
    assert.deepEqual(tooMuch, []);
  });
});

describe('isolation, attacked with hand-written SQL', () => {
  it('has rows to steal in every business table', async () => {
    await inTenant(db.pools.write, 'manga', (sql) =>
      sql.query(`insert into purchase_orders (shop_id, sku, quantity, warehouse, action_id, requested_by, approved_by)
                 values ('manga', 'BER42-42', 5, 'WH-2', 'isolation', 'a', '{b}')`),
    );
    const problems = await problemsOf(
      tables.filter(({ name }) => BUSINESS_TABLES.includes(name)),
      async ({ name }) => {
        const [found] = await lookUp<{ n: number }>(
          `select count(*)::int as n from ${name} where shop_id in ('shop_123', 'manga')`,
        );
        return unless((found?.n ?? 0) > 0, 'empty');
      },
    );
    assert.deepEqual(problems, []);
  });

  for (const role of TENANT_ROLES) {
    it(`shows ${role} nothing without a tenant, with an empty, an unknown or a crafted one`, async () => {
      const problems = await problemsOf([...tables, ...views], async ({ name }) => {
        const seen = [
          await countAs(role, undefined, name),
          await countAs(role, '', name),
          await countAs(role, 'no_such_shop', name),
          await countAs(role, `shop_123' or '1'='1`, name),
        ];
        return unless(
          seen.every((n) => n === 0),
          `shows ${seen.join()}`,
        );
      });
      assert.deepEqual(problems, []);
    });

    it(`shows ${role} no row of another shop`, async () => {
      const problems = await problemsOf([...tables, ...views], async ({ name, shop }) =>
        unless((await countAs(role, 'shop_456', name, `${shop} <> 'shop_456'`)) === 0, 'leaks'),
      );
      assert.deepEqual(problems, []);
    });

    for (const tenant of [undefined, 'shop_456']) {
      const whose = tenant === undefined ? 'no tenant' : 'the wrong tenant';
      it(`lets ${role} with ${whose} neither change nor remove rows`, async () => {
        const problems = await problemsOf(tables, async ({ name, shop }) => {
          const others = `where ${shop} in ('shop_123', 'manga')`;
          const changed = await changesAs(role, tenant, `update ${name} set ${shop} = ${shop} ${others}`);
          const removed = await changesAs(role, tenant, `delete from ${name} ${others}`);
          return [
            ...unless(changed <= 0, `changed ${changed}`),
            ...unless(removed <= 0, `removed ${removed}`),
          ];
        });
        assert.deepEqual(problems, []);
      });

      it(`lets ${role} with ${whose} add no row to another shop`, async () => {
        const problems = await problemsOf(tables, async ({ name, shop }) => {
          const [columns] = await lookUp<{ list: string }>(
            `select string_agg(quote_ident(attname), ', ') as list from pg_attribute
              where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
            [name],
          );
          const [sample] = await lookUp<{ row: object }>(
            `select to_jsonb(t) as row from ${name} t where ${shop} in ('shop_123', 'manga') limit 1`,
          );
          const list = columns?.list ?? '';
          const added = await changesAs(
            role,
            tenant,
            `insert into ${name} (${list}) overriding system value select ${list} from jsonb_populate_record(null::${name}, $1)`,
            [JSON.stringify(sample?.row ?? { [shop]: 'shop_123' })],
          );
          return unless(added === -1, `added ${added}`);
        });
        assert.deepEqual(problems, []);
      });
    }
  }

  it('lets nobody move their own rows into another shop', async () => {
    const problems = await problemsOf(tables, async ({ name, shop }) => {
      const moved = await changesAs(ROLE_OF.write, 'shop_456', `update ${name} set ${shop} = 'shop_123'`);
      return unless(moved <= 0, `moved ${moved}`);
    });
    assert.deepEqual(problems, []);
  });

  it('lets the system role read every business table and write none', async () => {
    const business = tables.filter(({ name }) => [...BUSINESS_TABLES, 'shops'].includes(name));
    const problems = await problemsOf(business, async ({ name, shop }) => {
      const [all] = await lookUp<{ n: number }>(`select count(*)::int as n from ${name}`);
      const written = [
        await changesAs(ROLE_OF.system, 'shop_123', `delete from ${name}`),
        await changesAs(ROLE_OF.system, 'shop_123', `update ${name} set ${shop} = ${shop}`),
      ];
      return [
        ...unless((await countAs(ROLE_OF.system, undefined, name)) === all?.n, 'hides rows'),
        ...unless(
          written.every((n) => n === -1),
          `written ${written.join()}`,
        ),
      ];
    });
    assert.deepEqual(problems, []);
  });

  it('leaves no tenant on a connection for the next transaction', async () => {
    const pool = db.pools.write;
    const client = await pool.connect();
    client.release();
    for (let i = 0; i < 20; i++) {
      await inTenant(pool, 'shop_123', (sql) => sql.query('select from orders'));
      const { rows: seen } = await pool.query<{ n: number }>('select count(*)::int as n from orders');
      assert.equal(seen[0]?.n, 0);
    }
  });

  it('leaves no tenant behind after a transaction that failed', async () => {
    await assert.rejects(inTenant(db.pools.write, 'shop_123', (sql) => sql.query('select no_such_column')));
    const { rows: seen } = await db.pools.write.query<{ n: number }>('select count(*)::int as n from orders');
    assert.equal(seen[0]?.n, 0);
  });

  it('refuses an insert by the read role even in a transaction that may write', async () => {
    const insert = as(ROLE_OF.read, 'shop_123', (sql) =>
      sql.query(`insert into drivers (shop_id, name) values ('shop_123', 'X')`),
    );
    await assert.rejects(insert, { code: PERMISSION_DENIED });
  });

  it('refuses the owner’s eyes too: the owner sees no row without a tenant', async () => {
    assert.equal(await countAs(OWNER, undefined, 'orders'), 0);
    assert.equal(await countAs(OWNER, 'shop_123', 'orders'), 0);
  });
});
