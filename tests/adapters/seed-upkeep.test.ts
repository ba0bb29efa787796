import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuditLog } from '../../adapters/postgres/audit-log.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { backup, manifestSchema, type Manifest } from '../../adapters/postgres/upkeep/backup.ts';
import { checkData } from '../../adapters/postgres/upkeep/check.ts';
import { cleanData } from '../../adapters/postgres/upkeep/clean.ts';
import { restore } from '../../adapters/postgres/upkeep/restore.ts';
import { asAdmin, freshDatabase, seededDatabase, type TestDatabase } from '../support/database.ts';

const ENTRY = {
  key: 'call_1:run_1:1',
  tenant: 'manga',
  callId: 'call_1',
  event: 'call',
  final: true,
  outcome: 'ok',
  tool: 'check_stock',
  subject: 'analyst',
  at: '2024-01-22T10:30:00.000Z',
} as const;

describe('upkeep', () => {
  let db: TestDatabase;
  let dir: string;
  let saved: string;
  before(async () => {
    db = await seededDatabase();
    dir = await mkdtemp(join(tmpdir(), 'countersign-backup-'));
    saved = join(dir, 'saved');
    await createAuditLog(db.pools).append([ENTRY]);
    await backup(db.systemUrl, saved);
  });
  after(async () => {
    await db.drop();
    await rm(dir, { recursive: true });
  });

  let made = 0;
  const folder = () => join(dir, `folder_${made++}`);
  const sumsOf = (manifest: {
    readonly tables: readonly { readonly table: string; readonly sha256: string }[];
  }) => Object.fromEntries(manifest.tables.map(({ table, sha256 }) => [table, sha256]));

  /** What is published carries the instant at which it was. */
  const withoutEvents = (sums: Record<string, string>) =>
    Object.fromEntries(Object.entries(sums).filter(([table]) => table !== 'event_outbox'));

  const manifestIn = async (place: string): Promise<Manifest> =>
    manifestSchema.parse(JSON.parse(await readFile(join(place, 'manifest.json'), 'utf8')));

  describe('the seed', () => {
    it('is the same dump in two databases', async () => {
      const two = await Promise.all([seededDatabase(), seededDatabase()]);
      const [one, other] = await Promise.all(two.map(({ systemUrl }) => backup(systemUrl, folder())));
      assert.ok(one && other && one.tables.length > 10);
      assert.deepEqual(withoutEvents(sumsOf(one)), withoutEvents(sumsOf(other)));
      await Promise.all(two.map((made) => made.drop()));
    });
  });

  describe('a backup', () => {
    it('restored elsewhere is the same, row for row, record and all', async () => {
      const other = await freshDatabase();
      await restore(other.migrationUrl, saved);
      const again = await backup(other.systemUrl, folder());
      assert.deepEqual(sumsOf(again), sumsOf(await manifestIn(saved)));
      assert.deepEqual(
        (await checkData(other.pools)).filter(({ violations }) => violations > 0),
        [],
      );
      await other.drop();
    });

    it('restored leaves isolation as it was, and ids that go on', async () => {
      const other = await freshDatabase();
      await restore(other.migrationUrl, saved);
      const unforced = await asAdmin(
        (admin) =>
          admin.query(`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
                          and relname not like 'schema\\_%' and not relforcerowsecurity
                          -- These belong to no shop.
                          and relname not in ('event_head', 'event_cursors', 'event_failures', 'policy_publications', 'policy_runs')
                       union all select tgname from pg_trigger where not tgisinternal and tgenabled <> 'O'`),
        other.adminUrl,
      );
      assert.deepEqual(unforced.rows, []);
      await inTenant(other.pools.write, 'manga', (sql) =>
        sql.query(`insert into drivers (shop_id, name) values ('manga', '新しい人')`),
      );
      await other.drop();
    });

    it('is readable by its owner only', async () => {
      const modes = await Promise.all(
        (await readdir(saved)).map(async (name) => (await stat(join(saved, name))).mode & 0o077),
      );
      assert.ok(modes.length > 10 && modes.every((mode) => mode === 0));
    });

    it('is not written into a folder that holds something', async () => {
      await assert.rejects(backup(db.systemUrl, saved), /not empty/);
    });

    it('is not restored over data', async () => {
      await assert.rejects(restore(db.migrationUrl, saved), /database is not empty/);
    });

    it('is refused when a file was damaged, and nothing is left of it', async () => {
      const damaged = folder();
      await backup(db.systemUrl, damaged);
      const file = join(damaged, 'customers.copy');
      await writeFile(file, (await readFile(file, 'utf8')).replace('John Doe', 'Jane Doe'));
      const other = await freshDatabase();
      await assert.rejects(restore(other.migrationUrl, damaged), /customers\.copy is damaged/);
      const { rows } = await other.pools.system.query('select from shops');
      assert.equal(rows.length, 0);
      await other.drop();
    });

    it('is refused when it is of another schema', async () => {
      const altered = folder();
      const manifest = await backup(db.systemUrl, altered);
      const migrations = { ...manifest.migrations, '9999_later': 'x' };
      await writeFile(join(altered, 'manifest.json'), JSON.stringify({ ...manifest, migrations }));
      const other = await freshDatabase();
      await assert.rejects(restore(other.migrationUrl, altered), /another schema/);
      await other.drop();
    });

    it('that was cut short has no manifest and is refused', async () => {
      await assert.rejects(restore(db.migrationUrl, dir), /is not a backup/);
    });

    it('refuses to run when a table hides rows from it', async () => {
      const other = await seededDatabase();
      await asAdmin((admin) => admin.query('drop policy system_reads_all on orders'), other.adminUrl);
      await assert.rejects(backup(other.systemUrl, folder()), /cannot read all of: orders/);
      await assert.rejects(checkData(other.pools), /cannot read all of: orders/);
      await other.drop();
    });
  });

  describe('the check', () => {
    const BREAKS: readonly (readonly [string, string])[] = [
      [
        'order_total_is_lines_less_discount_plus_shipping',
        `update orders set total_amount = total_amount + 0.01 where order_id = 'ord_456'`,
      ],
      [
        'customer_total_orders_is_count',
        `update customers set total_orders = 3 where customer_id = 'cust_123'`,
      ],
      [
        'customer_total_spent_is_sum_of_orders_that_hold',
        `update customers set total_spent = 1 where customer_id = 'cust_123'`,
      ],
      [
        'order_status_is_the_last_of_its_history',
        `update orders set status = 'PaymentPending' where order_id = (select min(order_id) from orders where status = 'Placed')`,
      ],
      [
        'refunds_are_covered_by_payments',
        `update order_payments set amount = amount * 2 where kind = 'refund'`,
      ],
      ['stock_has_a_cost', `update inventory set cost_per_unit = null where quantity = 5`],
      [
        'order_has_lines',
        `delete from order_items where order_id = (select id from orders where order_id = 'ord_456')`,
      ],
      ['seeded_product_has_stock_records', `delete from inventory where quantity = 5`],
    ];
    for (const [check, statement] of BREAKS) {
      it(`finds what breaks ${check}`, async () => {
        const other = await seededDatabase();
        await inTenant(other.pools.write, 'shop_123', (sql) => sql.query(statement));
        const found = (await checkData(other.pools)).find((result) => result.check === check);
        assert.ok((found?.violations ?? 0) > 0);
        await other.drop();
      });
    }

    it('finds rows that were loaded around a foreign key', async () => {
      const other = await seededDatabase();
      await asAdmin(
        (admin) =>
          admin.query(`set session_replication_role = replica; delete from products where sku = 'CLO-001'`),
        other.adminUrl,
      );
      const broken = (await checkData(other.pools)).filter(({ violations }) => violations > 0);
      assert.ok(broken.some(({ check }) => check.startsWith('foreign_key order_items.')));
      await other.drop();
    });
  });

  describe('cleaning', () => {
    it('empties the tables, and keeps the schema and the audit record', async () => {
      const other = await seededDatabase();
      await createAuditLog(other.pools).append([ENTRY]);
      const emptied = await cleanData(other.migrationUrl);
      assert.ok(emptied.includes('orders') && emptied.includes('shops'));
      const left = await asAdmin(async (admin) => {
        const counts: number[] = [];
        for (const table of emptied)
          counts.push((await admin.query(`select from ${table} limit 1`)).rowCount ?? 0);
        return { counts, audit: (await admin.query('select from audit_log')).rowCount };
      }, other.adminUrl);
      assert.deepEqual([left.counts.filter((n) => n > 0), left.audit], [[], 1]);
      await other.drop();
    });
  });
});
