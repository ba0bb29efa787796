import type { OrderSweep, Stray } from '../../domain/order-life.ts';
import type { Pools } from './pools.ts';

/** Looks at the orders of all shops; page after page in the order of shop and order. */
export function createOrderSweep({ system }: Pick<Pools, 'system'>): OrderSweep {
  return {
    strays: async (graceSeconds, limit, after) => {
      const { rows } = await system.query<StrayRow>({
        name: 'stray_orders',
        text: STRAYS,
        values: [graceSeconds, limit, after?.tenant ?? '', after?.order ?? '0'],
      });
      return rows.map(strayOf);
    },
  };
}

const STRAYS = `
  with unjudged as (
    select distinct shop_id, order_id as id from order_events
     where verdict is null and received_at < clock_timestamp() - $1 * interval '1 second'
       and (shop_id, order_id) > ($3, $4::bigint)
     order by shop_id, order_id limit $2),
  unpaid as (
    select shop_id, id, payment_due_at < clock_timestamp() - $1 * interval '1 second' as is_due from orders
     where status in ('Placed', 'PaymentPending') and payment_due_at is not null
       and (shop_id, id) > ($3, $4::bigint)
     order by shop_id, id limit $2)
  select f.shop_id, f.id, o.order_id, bool_or(f.is_due) as is_late
    from (select shop_id, id, true as is_due from unjudged union all select * from unpaid) f
    join orders o on o.shop_id = f.shop_id and o.id = f.id
   group by f.shop_id, f.id, o.order_id order by f.shop_id, f.id limit $2`;

type StrayRow = {
  readonly shop_id: string;
  readonly id: string;
  readonly order_id: string;
  readonly is_late: boolean;
};

function strayOf({ shop_id, id, order_id, is_late }: StrayRow): Stray {
  return { tenant: shop_id, order: id, orderId: order_id, isLate: is_late };
}
