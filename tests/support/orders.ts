import { randomUUID } from 'node:crypto';
import { createOrderInbox } from '../../adapters/postgres/order-inbox.ts';
import { createOrderLives } from '../../adapters/postgres/order-life.ts';
import { inTenant, type Pools } from '../../adapters/postgres/pools.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { IncomingOrderEvent, OrderEventKind, OrderEventSource } from '../../domain/order-events.ts';
import type { LifeOf } from '../../domain/order-life.ts';
import type { OrderState } from '../../domain/orders.ts';
import { rowsIn } from './rows.ts';

const SOURCE: Readonly<Partial<Record<OrderEventKind, OrderEventSource>>> = {
  payment_succeeded: 'payment',
  payment_failed: 'payment',
  refunded: 'payment',
  packed: 'warehouse',
  shipped: 'warehouse',
  return_initiated: 'warehouse',
};

export type Told = {
  readonly kind: OrderEventKind;
  readonly eventId: string;
  readonly verdict: string | null;
  readonly reason: string | null;
};

/** An order of the shop `tenant`, which needs no goods: what is told about it, and what became of it. */
export type Life = LifeOf & { readonly orderId: string };

/** Orders and what is told about them, in a shop that exists. */
export async function orderBook(pools: Pools, tenant: string, shopper = 'shopper') {
  const rows = rowsIn(pools, tenant);
  await rows.customer(shopper);
  const inbox = createOrderInbox(pools);
  const lives = createOrderLives(pools);
  const query = <T extends object>(text: string, values: readonly unknown[]) =>
    inTenant(pools.write, tenant, async (sql) => (await sql.query<T>(text, [...values])).rows);

  const tell = (life: Life, kind: OrderEventKind, more: Partial<IncomingOrderEvent> = {}) =>
    inbox.receive(tenant, {
      eventId: `test:${randomUUID()}`,
      orderId: life.orderId,
      kind,
      happenedAt: new Date().toISOString(),
      source: SOURCE[kind] ?? 'carrier',
      actor: 'test',
      ...more,
    });

  return {
    tenant,
    inbox,
    lives,
    query,
    tell,
    /** `dueInMs`: as checkout places it, to be paid by then. */
    place: async (state: OrderState = 'Placed', dueInMs?: number): Promise<Life> => {
      const orderId = `ord_${randomUUID()}`;
      await rows.order({
        orderId,
        customerId: shopper,
        date: '2026-01-01T00:00:00Z',
        status: state,
        lines: [],
      });
      if (dueInMs !== undefined)
        await rows.run(
          `update orders set payment_due_at = clock_timestamp() + $2 * interval '1 ms' where order_id = $1`,
          [orderId, dueInMs],
        );
      const life = await lives.named(tenant, orderId);
      if (life === undefined) throw new Error('The order was not written.');
      return { ...life, orderId };
    },
    /** Tells and judges, one after the other. */
    live: async (life: Life, ...kinds: readonly OrderEventKind[]) => {
      for (const kind of kinds) {
        await tell(life, kind);
        await lives.advance(life);
      }
    },
    state: async ({ order }: Life): Promise<OrderState | undefined> => {
      const [row] = await query<{ status: OrderState }>('select status from orders where id = $1', [order]);
      return row?.status;
    },
    /** As it was judged: `applied`, `refused:<reason>`, `repeated`, or `kept` for what waits. */
    told: async ({ order }: Life): Promise<readonly Told[]> =>
      query<Told>(
        `select kind, event_id as "eventId", verdict, reason from order_events where order_id = $1
          order by judged_no nulls last, id`,
        [order],
      ),
    /** `from>to`, with a mark on what was inferred. */
    walked: async ({ order }: Life): Promise<readonly string[]> => {
      const steps = await query<{ from: string | null; to: string; inferred: boolean }>(
        `select from_status as "from", to_status as "to", inferred from order_status_history where order_id = $1
          order by at, id`,
        [order],
      );
      return steps.map(({ from, to, inferred }) => `${from ?? ''}>${to}${inferred ? '?' : ''}`);
    },
    published: async ({ orderId }: Life): Promise<readonly { topic: string; payload: JsonObject }[]> =>
      query('select topic, payload from event_outbox where key = $1 order by seq', [orderId]),
  };
}

export type OrderBook = Awaited<ReturnType<typeof orderBook>>;
