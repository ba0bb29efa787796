import type pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import type { OutgoingEvent } from '../../domain/events.ts';
import {
  type PromotedName,
  type PromotedProduct,
  type PromotionReader,
  type PromotionRecord,
  type PromotionTimes,
  type PromotionWriter,
  timetable,
} from '../../domain/promotions.ts';
import { publishWithin } from './outbox.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';
import { readInTenant } from './read-in-tenant.ts';
import type { WrittenFor } from './stock-writer.ts';

export function createPromotionStore(pool: pg.Pool): PromotionReader {
  return {
    find: (tenant, promotionId) => readInTenant(pool, tenant, (sql) => findPromotion(sql, promotionId)),
    current: (tenant, now, limit) =>
      readInTenant(pool, tenant, async (sql) => {
        const { rows } = await sql.query<Row>(
          `${PROMOTIONS} where q.ends_at > $1 and q.starts_at < q.ends_at order by q.starts_at, q.id limit $2`,
          [now, limit],
        );
        return rows.map(promotionOf);
      }),
    product: (tenant, name) => readInTenant(pool, tenant, (sql) => findProduct(sql, name)),
    overlapping: (tenant, product, period) =>
      readInTenant(pool, tenant, (sql) => overlapping(sql, product, period)),
  };
}

/** Promotions, written with `sql`: inside the transaction of one approved action, with the tenant set. */
export function createPromotionWriter(sql: Sql, action: WrittenFor): PromotionWriter {
  return {
    lockProduct: async (name) => {
      const product = await findProduct(sql, name);
      // Two promotions of one product are written one after the other, and the second sees the first.
      if (product)
        await sql.query('select from products where id = $1 for no key update', [product.productId]);
      return product;
    },
    overlapping: (product, period) => overlapping(sql, product, period),
    write: async ({ productId }, { name, discountPct, startsAt, endsAt }) => {
      const { rows } = await sql.query<{ promotion_id: string }>(
        `insert into promotions (shop_id, product_id, name, discount_pct, starts_at, ends_at, action_id)
              values ($1, $2, $3, $4, $5, $6, $7) returning promotion_id`,
        [action.tenant, productId, name, discountPct, startsAt, endsAt, action.actionId],
      );
      return written(await findPromotion(sql, rows[0]?.promotion_id ?? ''));
    },
    lock: async (promotionId) => {
      await sql.query('select from promotions where promotion_id = $1 for update', [promotionId]);
      return findPromotion(sql, promotionId);
    },
    withdraw: async (promotionId, { withdrawnAt, endsAt }) => {
      await sql.query(
        `update promotions set withdrawn_at = $2, planned_end = ends_at, ends_at = $3, withdrawn_by = $4
          where promotion_id = $1`,
        [promotionId, withdrawnAt, endsAt, action.actionId],
      );
      return written(await findPromotion(sql, promotionId));
    },
  };
}

/** What has begun and ended, told once. `clockOffsetMs`: business time less real time. */
export function createPromotionTimes(
  pools: Pick<Pools, 'write'>,
  clock: Clock,
  clockOffsetMs: number,
): PromotionTimes {
  return {
    announce: ({ tenant, promotionId }) =>
      inTenant(pools.write, tenant, async (sql) => {
        await sql.query('select from promotions where promotion_id = $1 for update', [promotionId]);
        const promotion = await findPromotion(sql, promotionId);
        if (promotion === undefined) return undefined;
        const writtenAt = new Date(Date.parse(promotion.writtenAt) + clockOffsetMs);
        const { passed, nextInMs } = timetable(promotion, writtenAt, clock.now());
        await publishWithin(
          sql,
          tenant,
          passed.map(({ topic, at }) => announcement(promotion, topic, at)),
        );
        return { promotion, nextInMs };
      }),
  };
}

/** The instant is part of the id: a promotion that is moved begins anew, and is told of anew. */
function announcement(promotion: PromotionRecord, topic: OutgoingEvent['topic'], at: string): OutgoingEvent {
  const { promotionId, sku, mangaId, volumeNumber, discountPct, startsAt, endsAt } = promotion;
  return {
    eventId: `${topic}:${promotionId}:${Date.parse(at)}`,
    topic,
    version: 1,
    key: `promotion:${promotionId}`,
    payload: {
      promotion_id: promotionId,
      sku,
      manga_id: mangaId,
      volume_number: volumeNumber,
      discount_pct: discountPct,
      starts_at: startsAt,
      ends_at: endsAt,
    },
    at: new Date().toISOString(),
  };
}

type Row = {
  readonly promotion_id: string;
  readonly sku: string | null;
  readonly manga_id: string | null;
  readonly volume_number: number | null;
  readonly name: string;
  readonly discount_pct: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly withdrawn_at: Date | null;
  readonly written_at: Date;
};

const PROMOTIONS = `
select q.promotion_id, p.sku, p.manga_id, p.volume_number, q.name, q.discount_pct::text, q.starts_at, q.ends_at,
       q.withdrawn_at, q.written_at
  from promotions q join products p on p.shop_id = q.shop_id and p.id = q.product_id`;

async function findPromotion(sql: Sql, promotionId: string): Promise<PromotionRecord | undefined> {
  const { rows } = await sql.query<Row>(`${PROMOTIONS} where q.promotion_id = $1`, [promotionId]);
  return rows[0] && promotionOf(rows[0]);
}

async function findProduct(
  sql: Sql,
  { sku, mangaId, volumeNumber }: PromotedName,
): Promise<PromotedProduct | undefined> {
  const { rows } = await sql.query<PromotedProduct>(
    `select id::text as "productId", sku, manga_id as "mangaId", volume_number as "volumeNumber" from products
      where ($1::text is not null and sku = $1) or ($2::text is not null and manga_id = $2 and volume_number = $3)`,
    [sku ?? null, mangaId ?? null, volumeNumber ?? null],
  );
  return rows[0];
}

async function overlapping(
  sql: Sql,
  { productId }: PromotedProduct,
  { startsAt, endsAt }: { readonly startsAt: string; readonly endsAt: string },
): Promise<readonly PromotionRecord[]> {
  const { rows } = await sql.query<Row>(
    `${PROMOTIONS} where q.product_id = $1 and q.starts_at < $3 and q.ends_at > $2 and q.starts_at < q.ends_at
      order by q.starts_at, q.id limit 10`,
    [productId, startsAt, endsAt],
  );
  return rows.map(promotionOf);
}

function promotionOf(row: Row): PromotionRecord {
  return {
    promotionId: row.promotion_id,
    sku: row.sku,
    mangaId: row.manga_id,
    volumeNumber: row.volume_number,
    name: row.name,
    discountPct: Number(row.discount_pct),
    startsAt: row.starts_at.toISOString(),
    endsAt: row.ends_at.toISOString(),
    withdrawnAt: row.withdrawn_at?.toISOString() ?? null,
    writtenAt: row.written_at.toISOString(),
  };
}

function written(promotion: PromotionRecord | undefined): PromotionRecord {
  if (promotion === undefined) throw new Error('A promotion that was just written is not there.');
  return promotion;
}
