import {
  bareNumber,
  type CarrierMailbox,
  type CarrierReceipts,
  type DeliveryNote,
  eventsToldBy,
  isSameCarrier,
  noteToldBy,
  type PushedOrder,
} from '../../domain/carrier-push.ts';
import type { Tracking } from '../../domain/carriers.ts';
import { receiveWithin } from './order-inbox.ts';
import { partsDelivered } from './order-parcels.ts';
import { publishWithin } from './outbox.ts';
import { inTenant, type Pools, type Sql } from './pools.ts';

/** What carriers pushed, kept with the event that has it read. */
export function createCarrierMailbox(pools: Pick<Pools, 'write'>): CarrierMailbox {
  return {
    keep: ({ tenant, carrier, eventId, body, trackingNumber }) =>
      inTenant(pools.write, tenant, async (sql) => {
        const { rows } = await sql.query<{ id: string }>(
          `insert into webhook_receipts (shop_id, carrier, event_id, body, tracking_number)
                values ($1, $2, $3, $4, $5) on conflict (shop_id, carrier, event_id) do nothing returning id::text`,
          [tenant, carrier, eventId, body, trackingNumber],
        );
        const [kept] = rows;
        if (kept === undefined) return 'repeated';
        await publishWithin(sql, tenant, [
          {
            eventId: `webhook:${kept.id}:0`,
            topic: 'carrier_webhook_received',
            version: 1,
            key: `webhook:${kept.id}`,
            payload: { receipt: kept.id },
            at: new Date().toISOString(),
          },
        ]);
        return 'accepted';
      }),
  };
}

/** Undefined: of no shape that is known. */
export type ParsePush = (carrier: string, body: string) => Tracking | undefined;

export function createCarrierReceipts(pools: Pick<Pools, 'write'>, parse: ParsePush): CarrierReceipts {
  return {
    look: (tenant, receipt) =>
      inTenant(pools.write, tenant, async (sql) => {
        const found = await openReceipt(sql, receipt);
        const tracking = found && parse(found.carrier, found.body);
        if (found === undefined || tracking === undefined) return undefined;
        return { tracking, orders: await ordersOf(sql, found.carrier, tracking) };
      }),
    settle: (tenant, receipt) =>
      inTenant(pools.write, tenant, async (sql) => {
        await sql.query('select from webhook_receipts where id = $1 for update', [receipt]);
        const found = await openReceipt(sql, receipt);
        if (found === undefined) return [];
        const tracking = parse(found.carrier, found.body);
        if (tracking === undefined) return end(sql, receipt, 'unreadable');
        const orders = await ordersOf(sql, found.carrier, tracking);
        if (orders.length === 0) return end(sql, receipt, 'unmatched', tracking);
        const push = { tenant, tracking, receivedAt: found.received_at.toISOString() };
        const isNewest = await isNewestScan(sql, tracking);
        for (const order of orders) await tell(sql, push, order, isNewest);
        await end(sql, receipt, 'applied', tracking);
        return orders;
      }),
  };
}

type Push = { readonly tenant: string; readonly tracking: Tracking; readonly receivedAt: string };

async function tell(sql: Sql, push: Push, order: PushedOrder, isNewest: boolean): Promise<void> {
  const { tenant, tracking, receivedAt } = push;
  for (const event of eventsToldBy(tracking, order, receivedAt)) await receiveWithin(sql, tenant, event);
  const note = isNewest ? noteToldBy(tracking, order.carrier) : undefined;
  if (note !== undefined) await writeNote(sql, tenant, order, note);
}

type Receipt = { readonly carrier: string; readonly body: string; readonly received_at: Date };

async function openReceipt(sql: Sql, receipt: string): Promise<Receipt | undefined> {
  const { rows } = await sql.query<Receipt>(
    `select carrier, body, received_at from webhook_receipts where id = $1 and state = 'received'`,
    [receipt],
  );
  return rows[0];
}

/** A parcel can hold several orders; of more than this, nobody has heard. */
const MOST_ORDERS = 20;

async function ordersOf(sql: Sql, pushedTo: string, tracking: Tracking): Promise<readonly PushedOrder[]> {
  const { rows } = await sql.query<PushedOrder & { readonly writtenCarrier: string | null }>(
    `select distinct o.id::text as "order", o.order_id as "orderId", c.customer_id as "customerId",
            s.carrier as "writtenCarrier", s.tracking_number as "trackingNumber"
       from shipments s
       join orders o on o.shop_id = s.shop_id and o.id = s.order_id
       join customers c on c.shop_id = o.shop_id and c.id = o.customer_id
      where upper(regexp_replace(s.tracking_number, '[^A-Za-z0-9]', '', 'g')) = $1
      order by 1 limit ${MOST_ORDERS}`,
    [bareNumber(tracking.trackingNumber)],
  );
  return rows
    .filter(({ writtenCarrier }) => isSameCarrier(writtenCarrier, [pushedTo, tracking.carrier]))
    .map(({ writtenCarrier, ...order }) => ({
      ...order,
      carrier: writtenCarrier ?? (tracking.carrier === '' ? pushedTo : tracking.carrier),
    }));
}

async function isNewestScan(sql: Sql, { trackingNumber, events }: Tracking): Promise<boolean> {
  const { rows } = await sql.query<{ later: boolean }>(
    `select exists (select from webhook_receipts
                     where tracking_number = $1 and state = 'applied' and scanned_at > $2) as later`,
    [bareNumber(trackingNumber), events[0]?.at ?? null],
  );
  return rows[0]?.later === false;
}

/** The delivery that the order has, or its first. */
async function writeNote(sql: Sql, tenant: string, { order }: PushedOrder, said: DeliveryNote) {
  const { status } = said;
  const note = said.note ?? (await partsDelivered(sql, order));
  const { rowCount } = await sql.query(
    `update deliveries set status = $2, note = $3
      where id = (select max(id) from deliveries where order_id = $1)`,
    [order, status, note],
  );
  if (rowCount === 0)
    await sql.query('insert into deliveries (shop_id, order_id, status, note) values ($1, $2, $3, $4)', [
      tenant,
      order,
      status,
      note,
    ]);
}

/** The body of what was applied may name people, and nobody needs it any more. */
async function end(
  sql: Sql,
  receipt: string,
  state: 'applied' | 'unmatched' | 'unreadable',
  tracking?: Tracking,
): Promise<readonly []> {
  await sql.query(
    `update webhook_receipts set state = $2, parcel_state = $3, scanned_at = $4,
            body = case when $2 = 'applied' then null else body end
      where id = $1`,
    [receipt, state, tracking?.state ?? null, tracking?.events[0]?.at ?? null],
  );
  return [];
}
