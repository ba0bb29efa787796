import type pg from 'pg';
import type { Address, RateQuote } from '../../domain/carriers.ts';
import {
  type Good,
  type KnownQuotes,
  type Origin,
  type QuoteStore,
  QUOTES_KEPT_DAYS,
  type ShippingReader,
  type WantedVolume,
} from '../../domain/shipping.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';
import { readInTenant } from './read-in-tenant.ts';

/** What a parcel is made of and where it starts. */
export function createShippingStore(pool: pg.Pool): ShippingReader {
  return {
    goods: (tenant, wanted) =>
      readInTenant(pool, tenant, async (sql) => ({
        goods: await goodsOf(sql, wanted),
        origins: await origins(sql),
      })),
  };
}

type GoodRow = Omit<Good, 'weightGrams'> & { readonly weightGrams: string | null };

/** The same volume asked for twice is two units of it. */
const GOODS = `
select p.manga_id as "mangaId", p.volume_number as "volumeNumber", coalesce(p.sku, '') as sku, p.name as title,
       count(*)::integer as quantity, ceil(p.weight * 1000)::text as "weightGrams",
       (select coalesce(json_object_agg(w.code, i.quantity - i.reserved_quantity), '{}')
          from inventory i join warehouses w on w.shop_id = i.shop_id and w.id = i.warehouse_id
         where i.shop_id = p.shop_id and i.product_id = p.id and i.quantity > i.reserved_quantity) as shelves
  from unnest($1::text[], $2::integer[]) as asked (manga_id, volume_number)
  join lateral (select * from products v
                 where v.manga_id = asked.manga_id
                   and (asked.volume_number is null or v.volume_number = asked.volume_number)
                 order by v.volume_number limit 1) p on true
 group by p.shop_id, p.id, p.manga_id, p.volume_number, p.sku, p.name, p.weight
 order by p.manga_id, p.volume_number`;

async function goodsOf(sql: Sql, wanted: readonly WantedVolume[]): Promise<readonly Good[]> {
  const { rows } = await sql.query<GoodRow>(GOODS, [
    wanted.map(({ mangaId }) => mangaId),
    wanted.map(({ volumeNumber }) => volumeNumber ?? null),
  ]);
  return rows.map((row) => ({
    ...row,
    weightGrams: row.weightGrams === null ? null : Number(row.weightGrams),
  }));
}

type OriginRow = {
  readonly code: string;
  readonly line1: string;
  readonly city: string;
  readonly region: string | null;
  readonly postalCode: string;
  readonly country: string;
};

async function origins(sql: Sql): Promise<readonly Origin[]> {
  const { rows } = await sql.query<OriginRow>(
    `select code, address_line as line1, city, province as region, postal_code as "postalCode", country
       from warehouses where country is not null order by code`,
  );
  return rows.map(({ code, region, ...rest }) => {
    const address: Address = { ...rest, ...(region === null ? {} : { region }) };
    return { code, address };
  });
}

type Kept = { readonly quotes: readonly RateQuote[]; readonly ships_from: readonly string[] };

/** Last quotes, by the keyed hash of what was asked. */
export function createQuoteStore(pools: Pick<Pools, 'read' | 'write'>): QuoteStore {
  return {
    lastKnown: (tenant, requestHash) =>
      readInTenant(pools.read, tenant, async (sql): Promise<KnownQuotes | undefined> => {
        const { rows } = await sql.query<{ quotes: Kept; seen_at: Date }>(
          `select quotes, seen_at from shipping_quotes
            where request_hash = $1 and seen_at > now() - $2 * interval '1 day'`,
          [requestHash, QUOTES_KEPT_DAYS],
        );
        const [row] = rows;
        return (
          row && {
            quotes: row.quotes.quotes,
            shipsFrom: row.quotes.ships_from,
            seenAt: row.seen_at.toISOString(),
          }
        );
      }),
    keep: (tenant, requestHash, { quotes, shipsFrom, seenAt }) =>
      inTenant(pools.write, tenant, async (sql) => {
        const kept: Kept = { quotes, ships_from: shipsFrom };
        await sql.query(
          `insert into shipping_quotes as known (shop_id, request_hash, quotes, seen_at) values ($1, $2, $3, $4)
           on conflict (shop_id, request_hash) do update
              set quotes = excluded.quotes, seen_at = excluded.seen_at where known.seen_at <= excluded.seen_at`,
          [tenant, requestHash, JSON.stringify(kept), seenAt],
        );
        // A few at a time: each writes one and removes more than one, so that it never falls behind.
        await sql.query(
          `delete from shipping_quotes where request_hash in (
             select request_hash from shipping_quotes where seen_at < now() - $1 * interval '1 day'
              order by seen_at limit 10 for update skip locked)`,
          [QUOTES_KEPT_DAYS],
        );
      }),
  };
}
