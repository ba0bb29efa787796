import type { LifeView, OrderLives, Touched } from '../../domain/order-life.ts';
import { judge } from '../../domain/order-lifecycle.ts';
import type { HistoryStep, OrderState } from '../../domain/orders.ts';
import { HISTORY, stepOf } from './order-rows.ts';
import type { KeptEvent, Living } from './order-living.ts';
import { parcelsLeft } from './order-parcels.ts';
import { applyEvent, refuseEvent, repeatEvent } from './order-transitions.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';

/** Judged in one transaction at most; the workflow looks again for the rest. */
const PAGE = 50;

/** The lives of orders in Postgres: one at a time under the lock of the order's row. */
export function createOrderLives(pools: Pick<Pools, 'write'>): OrderLives {
  return {
    advance: ({ tenant, order }) => inTenant(pools.write, tenant, (sql) => advance(sql, tenant, order)),
    named: (tenant, orderId) =>
      inTenant(pools.write, tenant, async (sql) => {
        const { rows } = await sql.query<{ order: string }>(
          'select id::text as order from orders where order_id = $1',
          [orderId],
        );
        return rows[0] && { tenant, order: rows[0].order };
      }),
  };
}

async function advance(sql: Sql, tenant: string, order: string) {
  // Lock in one statement and read in the next: what a locking statement reads is as old as its wait.
  await sql.query('select from orders where id = $1 for no key update', [order]);
  const row = await selectLife(sql, order);
  if (row === undefined) return undefined;
  const living: Living = { tenant, order, orderId: row.order_id, state: row.status };
  await askForPayment(sql, living, row);
  let judged = await judgeKept(sql, living);
  // What was told in time is judged before its time is declared over.
  if (living.state === 'PaymentPending' && judged < PAGE && (await declareOverdue(sql, living)))
    judged += await judgeKept(sql, living);
  return { view: await viewOf(sql, living, judged >= PAGE), touched: touchedBy(row) };
}

type LifeRow = {
  readonly order_id: string;
  readonly status: OrderState;
  readonly customer_id: string;
  readonly is_ours: boolean;
};

async function selectLife(sql: Sql, order: string): Promise<LifeRow | undefined> {
  const { rows } = await sql.query<LifeRow>(
    `select o.order_id, o.status, c.customer_id, o.payment_due_at is not null as is_ours
       from orders o join customers c on c.shop_id = o.shop_id and c.id = o.customer_id
      where o.id = $1`,
    [order],
  );
  return rows[0];
}

function touchedBy({ order_id, customer_id }: LifeRow): Touched {
  return { orderId: order_id, customerId: customer_id };
}

/** An order that checkout placed asks for its money; an imported one asks for nothing. */
async function askForPayment(sql: Sql, { tenant, order, state }: Living, { is_ours }: LifeRow) {
  if (state !== 'Placed' || !is_ours) return;
  await sql.query(
    `insert into order_events (shop_id, event_id, order_id, kind, source, actor, happened_at)
          values ($1, $2, $3, 'payment_requested', 'checkout', 'system', clock_timestamp())
     on conflict (shop_id, event_id) do nothing`,
    [tenant, `checkout:${order}:payment_requested`, order],
  );
}

/** By the database's clock, which also says how long the workflow waits. */
async function declareOverdue(sql: Sql, { tenant, order }: Living): Promise<boolean> {
  const { rowCount } = await sql.query(
    `insert into order_events (shop_id, event_id, order_id, kind, source, actor, happened_at)
     select $1, $2, id, 'payment_timed_out', 'timer', 'system', clock_timestamp()
       from orders where id = $3 and payment_due_at <= clock_timestamp()
     on conflict (shop_id, event_id) do nothing`,
    [tenant, `timer:${order}:payment_timed_out`, order],
  );
  return rowCount === 1;
}

/**
 * In the order in which it was kept; but money is asked for before it comes, however fast it does.
 *
 * @returns how many were judged, a page at most
 */
async function judgeKept(sql: Sql, living: Living): Promise<number> {
  const { rows } = await sql.query<KeptEvent>(
    `select event_id as "eventId", kind, source, actor, cause, carrier, tracking_number as "trackingNumber",
            estimated_delivery as "estimatedDelivery", least(happened_at, received_at) as "happenedAt"
       from order_events where order_id = $1 and verdict is null
      order by kind <> 'payment_requested', id limit ${PAGE}`,
    [living.order],
  );
  for (const event of rows) {
    // The inbox keeps an id once, so none of these was judged before.
    const judgement = judge(living.state, new Set(), event, await parcelsLeft(sql, living, event));
    if (judgement.verdict === 'applied') {
      await applyEvent(sql, living, event, judgement.path);
      living.state = judgement.path.at(-1)?.to ?? living.state;
    } else if (judgement.verdict === 'refused') {
      await refuseEvent(sql, living, event, judgement.reason);
    } else {
      await repeatEvent(sql, living, event);
    }
  }
  return rows.length;
}

type ViewRow = {
  readonly history: readonly HistoryStep[];
  readonly due_in_ms: number | null;
  readonly intent_id: string | null;
};

async function viewOf(sql: Sql, { order, orderId, state }: Living, hasMore: boolean): Promise<LifeView> {
  const { rows } = await sql.query<ViewRow>(
    `select ${HISTORY} as history,
            greatest(ceil(extract(epoch from o.payment_due_at - clock_timestamp()) * 1000), 0)::float8 as due_in_ms,
            (select intent_id from payment_intents i
              where i.order_id = o.id and i.state in ('requires_charge', 'charging')) as intent_id
       from orders o where o.id = $1`,
    [order],
  );
  const row = rows[0];
  const isDue = state === 'PaymentPending' && row?.due_in_ms !== null && row?.due_in_ms !== undefined;
  return {
    orderId,
    state,
    history: (row?.history ?? []).map(stepOf),
    payment: isDue ? { intentId: row.intent_id, dueInMs: row.due_in_ms } : null,
    hasMore,
  };
}
