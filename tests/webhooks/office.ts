import { readWebhooks } from '../../activities/carriers/read-webhooks.ts';
import { parsePush } from '../../adapters/carriers/pushed.ts';
import { createOrderLives } from '../../adapters/postgres/order-life.ts';
import { createCarrierMailbox, createCarrierReceipts } from '../../adapters/postgres/webhook-receipts.ts';
import type { CarrierMailbox } from '../../domain/carrier-push.ts';
import type { LastKnownEta } from '../../domain/carriers.ts';
import { createLog } from '../../platform/log.ts';
import { signWebhook, TIMESTAMP_HEADER } from '../../platform/webhook-signature.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { startWire } from '../gateway/wire.ts';
import { asAdmin, freshDatabase } from '../support/database.ts';
import { openShop, rowsIn } from '../support/rows.ts';
import { freshCache } from '../support/world.ts';

export const SECRETS = {
  fedex: { manga: ['the secret of manga', 'the new one of manga'], other: ['the secret of other'] },
  ups: { manga: ['ups-secret-of-manga'], other: ['the UPS secret of other'] },
};
export const SECRET = SECRETS.fedex.manga[0] ?? '';
/** Real time of the door: five minutes around it are good. */
export const NOW = new Date('2026-11-21T12:00:00Z');

/** A gateway with the carriers' door, the database behind it, and the reader, which starts when it is told to. */
export async function openOffice(mailbox?: CarrierMailbox) {
  const db = await freshDatabase();
  for (const shop of ['manga', 'other']) {
    const rows = await openShop(db.pools, shop);
    await rows.product({ sku: 'M-01', volume: ['M', 1] });
    await rows.customer('C-1');
  }
  const wire = await startWire({
    carriers: { mailbox: mailbox ?? createCarrierMailbox(db.pools), secrets: SECRETS, now: () => NOW },
  });
  const etas: (LastKnownEta & { readonly tenant: string })[] = [];
  const store = {
    keep: async (tenant: string, eta: LastKnownEta) => {
      etas.push({ tenant, ...eta });
      return [];
    },
  };
  const reader = () =>
    startDispatcher({
      pools: db.pools,
      reactions: [
        readWebhooks({
          receipts: createCarrierReceipts(db.pools, parsePush),
          cache: freshCache(),
          etas: store,
        }),
      ],
      sinks: [],
      log: createLog({ level: 'silent' }),
      pollMs: 20,
    });
  const rows = async <T extends object>(statement: string, values: unknown[] = []) =>
    (await asAdmin((admin) => admin.query<T>(statement, values), db.adminUrl)).rows;
  return {
    ...db,
    wire,
    etas,
    reader,
    rows,
    push: (carrier: string, body: string | Uint8Array, headers: Record<string, string> = signed(body)) =>
      fetch(`${wire.url}/webhooks/carriers/${carrier}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    /** An order with parcels on their way. */
    order: async (orderId: string, status: string, parcels: readonly Parcel[], shop = 'manga') => {
      const own = rowsIn(db.pools, shop);
      const lines = [{ sku: 'M-01', quantity: 1, unitPrice: 10 }];
      await own.order({ orderId, customerId: 'C-1', date: '2026-11-20T00:00:00Z', status, lines });
      for (const parcel of parcels) await addParcel(own, shop, orderId, parcel);
    },
    parcel: (orderId: string, parcel: Parcel, shop = 'manga') =>
      addParcel(rowsIn(db.pools, shop), shop, orderId, parcel),
    /** What came of everything that was told: the order's own workflow would do the same. */
    stateOf: async (orderId: string, shop = 'manga') => {
      const lives = createOrderLives(db.pools);
      const life = await lives.named(shop, orderId);
      return life && (await lives.advance(life))?.view.state;
    },
    receipts: () =>
      rows<{ shop_id: string; state: string; kept: boolean }>(
        'select shop_id, state, body is not null as kept from webhook_receipts order by id',
      ),
    close: async () => {
      await wire.stop();
      await db.drop();
    },
  };
}

export type Office = Awaited<ReturnType<typeof openOffice>>;
type Parcel = { readonly carrier: string | null; readonly number: string };

function addParcel(
  rows: ReturnType<typeof rowsIn>,
  shop: string,
  orderId: string,
  { carrier, number }: Parcel,
) {
  return rows.run(
    `insert into shipments (shop_id, order_id, carrier, tracking_number)
     select $1, id, $3, $4 from orders where shop_id = $1 and order_id = $2`,
    [shop, orderId, carrier, number],
  );
}

export function signed(body: string | Uint8Array, secret = SECRET, at?: Date): Record<string, string> {
  const timestamp = at && String(Math.floor(at.getTime() / 1000));
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return {
    'X-Hmac-Signature': signWebhook(bytes, secret, timestamp),
    ...(timestamp === undefined ? {} : { [TIMESTAMP_HEADER]: timestamp }),
  };
}

let events = 0;

/** An EasyPost event about a tracker. Scans: status and time, oldest first, as EasyPost sends them. */
export function tracker(
  number: string,
  scans: readonly (readonly [string, string])[],
  more: { readonly id?: string; readonly eta?: string; readonly status?: string } = {},
): string {
  events += 1;
  const [status, at] = scans.at(-1) ?? ['unknown', '2026-11-21T00:00:00Z'];
  return JSON.stringify({
    id: more.id ?? `evt_${events}`,
    object: 'Event',
    description: 'tracker.updated',
    result: {
      object: 'Tracker',
      tracking_code: number,
      status: more.status ?? status,
      updated_at: at,
      carrier: 'FedEx',
      est_delivery_date: more.eta ?? null,
      tracking_details: scans.map(([scan, datetime]) => ({
        status: scan,
        datetime,
        message: 'Left with J. Doe',
      })),
    },
  });
}
