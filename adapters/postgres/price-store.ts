import type pg from 'pg';
import { minorUnits } from '../../domain/money.ts';
import type { PriceReader, PriceSchedule, Promotion } from '../../domain/prices.ts';
import { readInTenant } from './read-in-tenant.ts';

/** Prices in Postgres, as schedules. */
export function createPriceStore(pool: pg.Pool): PriceReader {
  return {
    schedule: (tenant, { mangaId, volumeNumber }, now) =>
      readInTenant(pool, tenant, async (sql) => {
        const { rows } = await sql.query<Row>(SCHEDULE, [mangaId, volumeNumber ?? null, now]);
        return rows[0] && scheduleOf(rows[0]);
      }),
  };
}

type Row = {
  readonly manga_id: string;
  readonly volume_number: number;
  readonly amount: string;
  readonly currency: string;
  readonly discount_pct: string;
  readonly valid_from: Date;
  readonly valid_until: Date;
  readonly promotions: readonly {
    readonly discount_pct: string;
    readonly starts_at: string;
    readonly ends_at: string;
  }[];
};

// A record ends where the next one begins, if that is sooner than its own end.
const SCHEDULE = `
select p.manga_id, p.volume_number, r.amount::text, r.currency, r.discount_pct::text, r.valid_from,
       least(r.valid_until, (select min(n.valid_from) from prices n
                              where n.shop_id = r.shop_id and n.product_id = r.product_id
                                and n.valid_from > $3)) as valid_until,
       (select coalesce(json_agg(json_build_object('discount_pct', q.discount_pct::text,
                 'starts_at', q.starts_at, 'ends_at', q.ends_at) order by q.starts_at, q.id), '[]')
          from promotions q
         where q.shop_id = p.shop_id and q.product_id = p.id and q.ends_at > $3) as promotions
  from products p
  join prices r on r.shop_id = p.shop_id and r.product_id = p.id
 where p.manga_id = $1 and ($2::integer is null or p.volume_number = $2)
   and r.valid_from <= $3 and r.valid_until > $3
 order by p.volume_number, r.valid_from desc
 limit 1`;

function scheduleOf(row: Row): PriceSchedule {
  const promotions: Promotion[] = row.promotions.map((each) => ({
    discountPct: Number(each.discount_pct),
    startsAt: new Date(each.starts_at).toISOString(),
    endsAt: new Date(each.ends_at).toISOString(),
  }));
  const validUntil = row.valid_until.toISOString();
  // The record's own discount is one that runs for as long as the record does.
  const standing = {
    discountPct: Number(row.discount_pct),
    startsAt: row.valid_from.toISOString(),
    endsAt: validUntil,
  };
  return {
    mangaId: row.manga_id,
    volumeNumber: row.volume_number,
    amountMinor: minorUnits(row.amount, row.currency),
    currency: row.currency,
    validUntil,
    promotions: standing.discountPct > 0 ? [standing, ...promotions] : promotions,
  };
}
