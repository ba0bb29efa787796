import type { PaymentSweep, Unsettled } from '../../domain/payments.ts';
import type { Pools } from './pools.ts';

/** Looks at the payments of all shops; page after page in the order of shop and intent. */
export function createPaymentSweep({ system }: Pick<Pools, 'system'>): PaymentSweep {
  return {
    unsettled: async (graceSeconds, limit, after) => {
      const { rows } = await system.query<Unsettled>({
        name: 'unsettled_payments',
        text: UNSETTLED,
        values: [graceSeconds, limit, after?.tenant ?? '', after?.intentId ?? ''],
      });
      return rows;
    },
  };
}

// While its order lives, a charge without an answer is the business of the order's own workflow.
const UNSETTLED = `
  select i.shop_id as tenant, i.intent_id as "intentId", o.order_id as "orderId",
         case i.state when 'refund_due' then 'refund_due' else 'payment_unresolved' end as topic
    from payment_intents i
    join orders o on o.shop_id = i.shop_id and o.id = i.order_id
   where i.state in ('charging', 'pending', 'refund_due')
     and (i.state = 'refund_due' or o.status = 'Cancelled')
     and i.updated_at < clock_timestamp() - $1 * interval '1 second'
     and (i.shop_id, i.intent_id) > ($3, $4)
   order by i.shop_id, i.intent_id limit $2`;
