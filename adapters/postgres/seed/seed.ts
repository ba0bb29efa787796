import { inTenant, inTransaction, openPools, type Pools, type PoolSettings } from '../pools.ts';
import { mangaShop } from './manga-shop.ts';
import { mockShop } from './mock-shop.ts';
import { secondShop } from './second-shop.ts';
import type { ShopData } from './shop-data.ts';
import { seedTrialPayments } from './trial-payments.ts';
import { writeShop } from './write-shop.ts';

/** The seeded shops; the first is the default tenant of the development profile. */
export const SEEDED_SHOPS = ['manga', 'shop_123', 'shop_456'] as const;

const SHOPS = { manga: mangaShop, shop_123: mockShop, shop_456: secondShop } as const;

export type SeedOptions = {
  /** Business time. Its date becomes the anchor on the first seed and is ignored afterwards. */
  readonly now: Date;
  readonly log?: (line: string) => void;
};

export type Seeded = { readonly anchor: string; readonly shops: readonly string[] };

/**
 * Lays out the mock shops around the anchor: the date of the first seed, kept in `shops.anchor`. A shop is
 * written whole or not at all; one that exists is left alone, so a repeat changes nothing.
 *
 * Answers with the anchor in force and the shops that were written now.
 */
export async function seed(
  urls: Pick<PoolSettings, 'writeUrl' | 'systemUrl' | 'superuserLogin'>,
  options: SeedOptions,
): Promise<Seeded> {
  const pools = await openPools({
    ...urls,
    readPoolSize: 1,
    writePoolSize: 1,
    statementMs: 60_000,
    applicationName: 'countersign seed',
  });
  try {
    return await seedWith(pools, options);
  } finally {
    await pools.close();
  }
}

async function seedWith(pools: Pools, { now, log }: SeedOptions): Promise<Seeded> {
  const anchor = (await anchorOf(pools)) ?? now.toISOString().slice(0, 10);
  const written: string[] = [];
  for (const id of SEEDED_SHOPS) {
    const data = SHOPS[id](anchor);
    const isNew = await seedShop(pools, data, anchor);
    // Shops of an earlier installation get it, too.
    await inTenant(pools.write, id, (sql) => seedTrialPayments(sql, id));
    if (!isNew) continue;
    written.push(id);
    log?.(
      `seeded ${id}: ${data.products.length} products, ${data.customers.length} customers, ${data.orders.length} orders`,
    );
  }
  return { anchor, shops: written };
}

/** Undefined before the first seed. */
export async function anchorOf(pools: Pick<Pools, 'system'>): Promise<string | undefined> {
  return inTransaction(pools.system, async (sql) => {
    const { rows } = await sql.query<{ anchor: string | null }>(
      'select min(anchor)::text as anchor from shops',
    );
    return rows[0]?.anchor ?? undefined;
  });
}

/** False when the shop exists already. */
async function seedShop(pools: Pools, data: ShopData, anchor: string): Promise<boolean> {
  const { id, name, currency } = data.shop;
  return inTenant(pools.write, id, async (sql) => {
    const { rowCount } = await sql.query(
      `insert into shops (id, name, currency, anchor, created_at) values ($1, $2, $3, $4::date, $4::date)
         on conflict do nothing`,
      [id, name, currency, anchor],
    );
    if (rowCount !== 1) return false;
    await writeShop(sql, data, anchor);
    return true;
  });
}
