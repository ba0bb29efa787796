import { createHash } from 'node:crypto';
import type { Address } from '../../domain/carriers.ts';
import type { CheckoutRequest, PlacedOrder } from '../../domain/checkout.ts';
import type { Clock } from '../../domain/clock.ts';
import { type Currency, majorUnits } from '../../domain/money.ts';
import type { Cart } from './checkout-cart.ts';
import type { BuyingCustomer, PayingMethod } from './checkout-door.ts';
import { publishWithin } from './outbox.ts';
import type { Sql } from './pools.ts';

export type WriteDeps = {
  /** Real time: until when an order may be paid. */
  readonly realTime: Clock;
  readonly paymentDueSeconds: number;
  /** A public order number that nobody can guess. */
  readonly newOrderId: () => string;
};

type Placing = {
  readonly request: CheckoutRequest;
  readonly customer: BuyingCustomer;
  readonly method: PayingMethod;
  readonly cart: Cart;
};

/** The order and everything that belongs to it, in the transaction that holds its positions' locks. */
export async function writeOrder(sql: Sql, placing: Placing, deps: WriteDeps): Promise<PlacedOrder> {
  const { cart } = placing;
  const placed: Placed = {
    orderId: deps.newOrderId(),
    at: deps.realTime.now(),
    dueAt: new Date(deps.realTime.now().getTime() + deps.paymentDueSeconds * 1000),
  };
  const id = await insertOrder(sql, placing, placed);
  await insertLines(sql, id, placing);
  await takeStock(sql, id, placing);
  const intentId = await insertIntent(sql, id, placing, placed);
  await finish(sql, id, placing);
  await publishWithin(sql, placing.request.tenant, [orderPlaced(placing, placed, intentId)]);
  return {
    orderId: placed.orderId,
    state: 'Placed',
    total: cart.total,
    shippingCost: cart.shipping,
    paymentDueAt: placed.dueAt.toISOString(),
    replayed: false,
    took: cart.lines.flatMap(({ mangaId, volumeNumber, allocations }) =>
      allocations.map(({ warehouse }) => ({ mangaId, volumeNumber, warehouse })),
    ),
  };
}

type Placed = { readonly orderId: string; readonly at: Date; readonly dueAt: Date };

async function insertOrder(sql: Sql, placing: Placing, { orderId, dueAt }: Placed): Promise<string> {
  const { request, customer, method, cart } = placing;
  const address = request.deliveryAddress;
  const { rows } = await sql.query<{ id: string }>(
    `insert into orders (shop_id, order_id, customer_id, user_id, order_date, status, total_amount, shipping_cost,
                         payment_method, payment_due_at, shipping_address,
                         ship_address1, ship_address2, ship_city, ship_state, ship_country, ship_zip)
          values ($1, $2, $3, $4, $5, 'Placed', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
       returning id`,
    [
      request.tenant,
      orderId,
      customer.id,
      customer.user_id,
      cart.at,
      majorUnits(cart.total),
      majorUnits(cart.shipping),
      method.kind,
      dueAt,
      inOneLine(address),
      address.line1,
      address.line2 ?? null,
      address.city,
      address.region ?? null,
      address.country,
      address.postalCode,
    ],
  );
  const [order] = rows;
  if (order === undefined) throw new Error('The insert of an order answered with no row.');
  return order.id;
}

function inOneLine({ line1, line2, city, region, postalCode, country }: Address): string {
  return [line1, line2, city, region, postalCode, country].filter((part) => part !== undefined).join(', ');
}

async function insertLines(sql: Sql, orderId: string, { request, cart }: Placing): Promise<void> {
  const major = (amountMinor: number) => amountIn(amountMinor, cart.total.currency);
  await sql.query(
    `insert into order_items (shop_id, order_id, line_no, product_id, quantity, unit_price, discount)
     select $1, $2, n, product_id, quantity, unit_price, discount
       from unnest($3::bigint[], $4::integer[], $5::numeric[], $6::numeric[])
              with ordinality as l (product_id, quantity, unit_price, discount, n)`,
    [
      request.tenant,
      orderId,
      cart.lines.map(({ productId }) => productId),
      cart.lines.map(({ quantity }) => quantity),
      cart.lines.map(({ unitPriceMinor }) => major(unitPriceMinor)),
      cart.lines.map(({ unitDiscountMinor, quantity }) => major(unitDiscountMinor * quantity)),
    ],
  );
}

/** Notes which shelf gave what, and takes it off that shelf: both from the same rows. */
async function takeStock(sql: Sql, orderId: string, { request, cart }: Placing): Promise<void> {
  const taken = cart.lines.flatMap(({ productId, allocations }, index) =>
    allocations.map(({ warehouseId, quantity }) => ({ line: index + 1, productId, warehouseId, quantity })),
  );
  const { rowCount } = await sql.query(
    `with taken as (
       insert into order_allocations (shop_id, order_id, line_no, product_id, warehouse_id, quantity)
       select $1, $2, * from unnest($3::integer[], $4::bigint[], $5::bigint[], $6::integer[])
       returning product_id, warehouse_id, quantity)
     update inventory i set quantity = i.quantity - t.quantity
       from taken t where i.product_id = t.product_id and i.warehouse_id = t.warehouse_id`,
    [
      request.tenant,
      orderId,
      taken.map(({ line }) => line),
      taken.map(({ productId }) => productId),
      taken.map(({ warehouseId }) => warehouseId),
      taken.map(({ quantity }) => quantity),
    ],
  );
  if (rowCount !== taken.length) throw new Error('A position vanished while it was locked.');
}

async function insertIntent(
  sql: Sql,
  orderId: string,
  { request, method, cart }: Placing,
  placed: Placed,
): Promise<string> {
  const intentId = intentIdOf(request.tenant, placed.orderId);
  await sql.query(
    `insert into payment_intents (shop_id, intent_id, order_id, payment_method_id, provider, amount, currency)
          values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      request.tenant,
      intentId,
      orderId,
      method.id,
      method.kind === 'gift_card' ? 'gift_card' : 'card',
      majorUnits(cart.total),
      cart.total.currency,
    ],
  );
  return intentId;
}

/** Unique over all shops, since the provider's account is one. */
function intentIdOf(tenant: string, orderId: string): string {
  return `pi_${createHash('sha256').update(`${tenant}\n${orderId}`).digest('base64url').slice(0, 32)}`;
}

async function finish(sql: Sql, orderId: string, { request, customer, cart }: Placing): Promise<void> {
  await sql.query(
    `insert into order_status_history (shop_id, order_id, from_status, to_status, at, cause, actor, source)
          values ($1, $2, null, 'Placed', $3, 'checkout', $4, 'checkout')`,
    [request.tenant, orderId, cart.at, request.subject],
  );
  await sql.query('update checkout_keys set order_id = $3 where customer_id = $1 and idempotency_key = $2', [
    customer.id,
    request.key,
    orderId,
  ]);
  await sql.query(
    `update customers set total_orders = total_orders + 1, total_spent = total_spent + $2,
            last_purchase_date = greatest(last_purchase_date, $3)
      where id = $1`,
    [customer.id, majorUnits(cart.total), cart.at],
  );
}

function orderPlaced({ cart }: Placing, { orderId, at, dueAt }: Placed, intentId: string) {
  return {
    eventId: `${orderId}:placed`,
    topic: 'order_placed',
    version: 1,
    key: orderId,
    payload: {
      order_id: orderId,
      intent_id: intentId,
      total: majorUnits(cart.total),
      currency: cart.total.currency,
      lines: cart.lines.length,
      payment_due_at: dueAt.toISOString(),
    },
    at: at.toISOString(),
  } as const;
}

function amountIn(amountMinor: number, currency: Currency): number {
  return majorUnits({ amountMinor, currency });
}
