import { createCheckout, randomOrderId } from '../../adapters/postgres/checkout.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import type { Checkout, CheckoutRequest } from '../../domain/checkout.ts';
import { asAdmin, type TestDatabase } from '../support/database.ts';
import { openShop, type Rows } from '../support/rows.ts';

/** Business time of these tests: a day after which the prices below hold. */
export const NOW = new Date('2026-11-21T12:00:00Z');

export const ADDRESS = {
  line1: '7 Hidden Lane',
  city: 'Osaka',
  postalCode: '530-0001',
  country: 'JP',
} as const;

/** A shop with one customer of each kind of payment method, two warehouses and three volumes. */
export async function openStore(db: TestDatabase, shop: string): Promise<Rows> {
  const rows = await openShop(db.pools, shop);
  await rows.customer('C-1', 'u_1');
  await rows.customer('C-2', 'u_2');
  await rows.warehouse('A', 'Tokyo', 'JP');
  await rows.warehouse('B', 'Osaka', 'JP');
  for (const [volume, price] of [
    [1, 700],
    [2, 800],
    [3, 900],
  ] as const) {
    const sku = `T-${volume}`;
    await rows.product({ sku, volume: ['T', volume], price });
    await rows.price({
      sku,
      amount: price,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
    });
  }
  await method(rows, shop, 'pm_1', 'C-1', 'credit_card');
  await method(rows, shop, 'pm_2', 'C-2', 'credit_card');
  await method(rows, shop, 'gc_1', 'C-1', 'gift_card', 5000);
  return rows;
}

export function method(
  rows: Rows,
  shop: string,
  id: string,
  customer: string,
  kind: string,
  balance: number | null = null,
): Promise<void> {
  return rows.run(
    `insert into payment_methods (shop_id, payment_method_id, customer_id, kind, balance)
     select $1, $2, id, $4, $5 from customers where shop_id = $1 and customer_id = $3`,
    [shop, id, customer, kind, balance],
  );
}

export function checkoutOn(db: TestDatabase, clock: () => Date = () => NOW): Checkout {
  return createCheckout(db.pools, {
    clock: { now: clock },
    realTime: { now: () => new Date() },
    paymentDueSeconds: 1800,
    newOrderId: randomOrderId,
  });
}

let asked = 0;

/** A request of customer C-1 with a key and a hash of its own, for one of volume 1. */
export function request(tenant: string, more: Partial<CheckoutRequest> = {}): CheckoutRequest {
  asked += 1;
  const key = `key-${asked}`;
  return {
    tenant,
    customerId: 'C-1',
    subject: 'u_1',
    key,
    requestHash: `hash of ${key}`,
    items: [{ sku: 'T-1', quantity: 1 }],
    paymentMethodId: 'pm_1',
    deliveryAddress: ADDRESS,
    ...more,
  };
}

export function ask<T extends object>(
  db: TestDatabase,
  shop: string,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<readonly T[]> {
  return inTenant(db.pools.write, shop, async (sql) => (await sql.query<T>(statement, [...parameters])).rows);
}

/** Units at each warehouse, `A:5 B:0`. */
export async function shelves(db: TestDatabase, shop: string, sku: string): Promise<string> {
  const rows = await ask<{ text: string }>(
    db,
    shop,
    `select string_agg(w.code || ':' || i.quantity, ' ' order by w.code) as text from inventory i
       join products p on p.id = i.product_id join warehouses w on w.id = i.warehouse_id where p.sku = $1`,
    [sku],
  );
  return rows[0]?.text ?? '';
}

/** Everything that a checkout could have written in the shop, as one text. */
export function everything(db: TestDatabase, shop: string): Promise<string> {
  const tables = [
    'orders',
    'order_items',
    'order_allocations',
    'payment_intents',
    'checkout_keys',
    'order_status_history',
    'inventory',
    'customers',
    'event_outbox',
    'order_events',
  ];
  return asAdmin(async (admin) => {
    const sums: string[] = [];
    for (const table of tables) {
      const { rows } = await admin.query<{ sum: string | null }>(
        `select md5(string_agg(to_jsonb(t)::text, '' order by to_jsonb(t)::text)) as sum from ${table} t where shop_id = $1`,
        [shop],
      );
      sums.push(`${table} ${rows[0]?.sum ?? 'empty'}`);
    }
    return sums.join('\n');
  }, db.adminUrl);
}
