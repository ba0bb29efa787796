import type { WorkflowHandle } from '@temporalio/client';
import { judgeOrderEvents } from '../../activities/lifecycle/judge-order-events.ts';
import type { LifecycleActivities } from '../../domain/order-life.ts';
import type { OrderState } from '../../domain/orders.ts';
import { SHOP } from '../approvals/room.ts';
import { lifecycleId, wakeOrders } from '../../workers/wake-orders.ts';
import { type Life, orderBook } from '../support/orders.ts';
import { freshCache } from '../support/world.ts';
import type { Parts, Stage } from './stage.ts';

type Charge = LifecycleActivities['charge_payment'];

/** Orders with their workflows on a stage. */
export async function orderStage(stage: Stage) {
  const book = await orderBook(stage.room.pools, SHOP);
  const { client, queuePrefix } = stage.temporal;
  const reaction = wakeOrders({ client, queuePrefix, lives: book.lives });
  const handle = (life: Life): WorkflowHandle => client.workflow.getHandle(lifecycleId(life));
  return {
    ...book,
    reaction,
    handle,
    /** `charge`: in place of the provider. `beside`: activities of workflows that are not an order's. */
    work: (charge: Charge = () => Promise.resolve(undefined), beside: Parts['activities'] = {}) =>
      stage.work({
        activities: {
          judge_order_events: judgeOrderEvents(book.lives, freshCache()),
          charge_payment: charge,
          ...beside,
        },
      }),
    /** As the outbox does it. */
    wake: (life: Life) =>
      reaction.react({
        eventId: 'received:test',
        topic: 'order_event_received',
        version: 1,
        key: life.orderId,
        payload: { order: life.order },
        at: new Date().toISOString(),
        tenant: SHOP,
        position: 1,
      }),
    ended: (life: Life): Promise<OrderState | 'unknown'> => handle(life).result(),
    /** An intent that the charge will be asked with. */
    intend: async (life: Life): Promise<string> => {
      const intentId = `pi_${life.order}`;
      await book.query(
        `with method as (
           insert into payment_methods (shop_id, payment_method_id, customer_id, kind)
           select $1, 'pm_' || $2, customer_id, 'credit_card' from orders where id = $3 returning id)
         insert into payment_intents (shop_id, intent_id, order_id, payment_method_id, provider, amount, currency)
         select $1, $2, $3, method.id, 'card', 10, 'JPY' from method`,
        [SHOP, intentId, life.order],
      );
      return intentId;
    },
  };
}

export type OrderStage = Awaited<ReturnType<typeof orderStage>>;
