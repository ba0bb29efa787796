import { setTimeout as pause } from 'node:timers/promises';
import { createOrderInbox } from '../adapters/postgres/order-inbox.ts';
import { inTenant, openPools, type Pools } from '../adapters/postgres/pools.ts';
import type { OrderEventKind, OrderEventSource } from '../domain/order-events.ts';
import { quantile, type Row } from './report.ts';
import type { Stack } from './stack.ts';

const SHOP = 'manga';
const ORDERS = 1_000;
/** How many tellers there are. */
const TELLERS = 16;
const PREFIX = 'bench-life-';
/** A round that takes longer is given up, and what it left is reported as stuck. */
const ROUND_MS = 180_000;

const ROUNDS: readonly (readonly [OrderEventKind, OrderEventSource])[] = [
  ['payment_succeeded', 'payment'],
  ['packed', 'warehouse'],
  ['shipped', 'warehouse'],
  ['out_for_delivery', 'carrier'],
  ['delivered', 'carrier'],
];

/** A thousand lives at once, from Placed to Delivered: each round tells all of them what comes next. */
export async function benchLifecycles(stack: Stack, log: (line: string) => void): Promise<readonly Row[]> {
  const pools = await openPools({
    ...stack.config.database,
    readPoolSize: 1,
    writePoolSize: TELLERS,
    superuserLogin: 'allowed',
    applicationName: 'countersign bench',
  });
  try {
    const orderIds = await placed(pools);
    let busyMs = 0;
    for (const [kind, source] of ROUNDS) {
      const began = performance.now();
      await tellAll(pools, orderIds, kind, source);
      await judged(pools);
      busyMs += performance.now() - began;
      log(`  ${kind}: ${Math.round(performance.now() - began)} ms`);
    }
    return rowsOf(await figures(pools), busyMs);
  } finally {
    await pools.close();
  }
}

function inShop<T extends object>(pools: Pools, text: string, values: readonly unknown[] = []) {
  return inTenant(pools.write, SHOP, async (sql) => (await sql.query<T>(text, [...values])).rows);
}

/** As checkout leaves them, without goods, and due long after the bench. */
async function placed(pools: Pools): Promise<readonly string[]> {
  const rows = await inShop<{ order_id: string }>(
    pools,
    `insert into orders (shop_id, order_id, customer_id, user_id, status, total_amount, payment_due_at)
     select $1, $2 || n, c.id, c.user_id, 'Placed', 0, now() + interval '1 day'
       from generate_series(1, $3::integer) n, (select id, user_id from customers order by id limit 1) c
     returning order_id`,
    [SHOP, PREFIX, ORDERS],
  );
  return rows.map(({ order_id }) => order_id);
}

async function tellAll(
  pools: Pools,
  orderIds: readonly string[],
  kind: OrderEventKind,
  source: OrderEventSource,
): Promise<void> {
  const inbox = createOrderInbox(pools);
  const left = [...orderIds];
  const teller = async () => {
    for (let orderId = left.pop(); orderId !== undefined; orderId = left.pop()) {
      const eventId = `${source}:${orderId}:${kind}`;
      await inbox.receive(SHOP, {
        eventId,
        orderId,
        kind,
        source,
        actor: 'bench',
        happenedAt: new Date().toISOString(),
      });
    }
  };
  await Promise.all(Array.from({ length: TELLERS }, teller));
}

async function judged(pools: Pools): Promise<void> {
  const giveUpAt = performance.now() + ROUND_MS;
  while (performance.now() < giveUpAt) {
    const rows = await inShop<{ waits: boolean }>(
      pools,
      'select exists (select from order_events where verdict is null) as waits',
    );
    if (rows[0]?.waits === false) return;
    await pause(20);
  }
}

type Figures = { readonly transitions: number; readonly stuck: number; readonly lagsMs: readonly number[] };

async function figures(pools: Pools): Promise<Figures> {
  const mine = `order_id in (select id from orders where starts_with(order_id, $1))`;
  const [steps] = await inShop<{ n: number }>(
    pools,
    `select count(*)::integer as n from order_status_history where ${mine}`,
    [PREFIX],
  );
  const [stuck] = await inShop<{ n: number }>(
    pools,
    `select count(*)::integer as n from orders where starts_with(order_id, $1) and status <> 'Delivered'`,
    [PREFIX],
  );
  const lags = await inShop<{ ms: number }>(
    pools,
    `select (extract(epoch from judged_at - received_at) * 1000)::float8 as ms from order_events where ${mine}
        and judged_at is not null and source <> 'checkout'`,
    [PREFIX],
  );
  return {
    transitions: steps?.n ?? 0,
    stuck: stuck?.n ?? ORDERS,
    lagsMs: lags.map(({ ms }) => ms),
  };
}

function rowsOf({ transitions, stuck, lagsMs }: Figures, busyMs: number): readonly Row[] {
  const name = `${ORDERS} lifecycles at once`;
  return [
    { name: `${name}: transitions`, value: transitions / (busyMs / 1000), unit: '/s' },
    { name: `${name}: event told to judged, p50`, value: quantile(lagsMs, 0.5), unit: 'ms' },
    { name: `${name}: event told to judged, p99`, value: quantile(lagsMs, 0.99), unit: 'ms' },
    { name: `${name}: stuck`, value: stuck, unit: 'orders', atMost: 0 },
  ];
}
