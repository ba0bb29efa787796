import type { Pools } from './pools.ts';

/** A parcel that its carrier has and its customer has not. Times are ISO 8601. */
export type ParcelUnderWay = {
  readonly tenant: string;
  readonly trackingNumber: string;
  readonly shippedAt: string | null;
  readonly estimatedDelivery: string | null;
  /** A driver has it. */
  readonly isOut: boolean;
};

/** The numbers that UPS itself gives. Another carrier's cannot be one. */
const UPS_NUMBER = '^1Z[0-9A-Z]{16}$';

/** UPS parcels under way of every shop, the latest first. */
export async function upsParcelsUnderWay(
  { system }: Pick<Pools, 'system'>,
  limit: number,
): Promise<readonly ParcelUnderWay[]> {
  const { rows } = await system.query<Row>(
    `select s.shop_id, s.tracking_number, s.shipped_at,
            coalesce(s.estimated_delivery, s.promised_delivery) as arrival, o.status = 'OutForDelivery' as is_out
       from shipments s join orders o on o.shop_id = s.shop_id and o.id = s.order_id
      where o.status in ('Shipped', 'OutForDelivery') and s.delivered_at is null and s.tracking_number ~ $1
      order by s.shop_id, s.id desc limit $2`,
    [UPS_NUMBER, limit],
  );
  return rows.map((row) => ({
    tenant: row.shop_id,
    trackingNumber: row.tracking_number,
    shippedAt: row.shipped_at?.toISOString() ?? null,
    estimatedDelivery: row.arrival?.toISOString() ?? null,
    isOut: row.is_out,
  }));
}

type Row = {
  readonly shop_id: string;
  readonly tracking_number: string;
  readonly shipped_at: Date | null;
  readonly arrival: Date | null;
  readonly is_out: boolean;
};
