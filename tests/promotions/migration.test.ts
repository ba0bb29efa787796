import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIGRATIONS, migrate } from '../../adapters/postgres/migrate.ts';
import { asAdmin, emptyDatabase } from '../support/database.ts';

const BEFORE = '0034';

describe('promotions of before they had timers', () => {
  it('are told of once when the schema is brought up to date, and stay behind their policies', async () => {
    const database = await emptyDatabase();
    const dir = await mkdtemp(join(tmpdir(), 'migrations-'));
    for (const file of await readdir(MIGRATIONS))
      if (file < BEFORE) await cp(join(MIGRATIONS, file), join(dir, file));
    await migrate(database.url, { dir });
    const look = <T extends object>(sql: string) =>
      asAdmin(async (admin) => (await admin.query<T>(sql)).rows, database.url);
    await look(`insert into shops (id, name, currency) values ('manga', 'M', 'JPY')`);
    await look(`insert into products (shop_id, id, name, category, price, currency, sku, manga_id, volume_number)
                values ('manga', 1, 'M', 'B', 1, 'JPY', 'M-01', 'M', 1)`);
    await look(`insert into promotions (shop_id, product_id, name, discount_pct, starts_at, ends_at)
                values ('manga', 1, 'P', 10, now(), now() + interval '1 day')`);
    await migrate(database.url);
    assert.deepEqual(
      await look(
        `select topic, payload->>'manga_id' as manga from event_outbox join event_queue using (shop_id, event_id)`,
      ),
      [{ topic: 'promotion_changed', manga: 'M' }],
    );
    assert.deepEqual(
      await look(`select relname from pg_class where relrowsecurity and not relforcerowsecurity`),
      [],
    );
    await database.drop();
    await rm(dir, { recursive: true });
  });
});
