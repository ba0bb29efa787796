import { hashOf } from '../../catalog/digest.ts';
import type { ToolBodies } from '../../catalog/index.ts';
import type { Cache, CacheKey } from '../../domain/cache.ts';
import type { Address } from '../../domain/carriers.ts';
import type { CartItem, Checkout, PlacedOrder } from '../../domain/checkout.ts';
import { majorUnits } from '../../domain/money.ts';
import { Refusal } from '../../domain/refusal.ts';
import { regionsKey, volumeKey, warehouseKey, warehousesKey } from '../inventory/keys.ts';
import { demandKey, recentKey, upcomingKey } from '../orders/keys.ts';

/**
 * Reads no cache: price and stock are judged in the order's own transaction.
 * @throws {Refusal} forbidden, and what `Checkout.place` refuses
 */
export function placeOrder(checkout: Checkout, cache: Pick<Cache, 'invalidate'>): ToolBodies['place_order'] {
  return async ({ caller: { tenant, customerId, subject, actor }, input }) => {
    // The gateway has looked already; a plan that it made for an agent would still end here.
    if (customerId === undefined || actor !== undefined)
      throw new Refusal('forbidden', 'Only customers themselves may check out; no agent may do it for them.');
    const { idempotency_key: key, ...asked } = input;
    const placed = await checkout.place({
      tenant,
      customerId,
      subject,
      key,
      requestHash: hashOf(asked),
      items: asked.items.map(itemOf),
      paymentMethodId: asked.payment_method,
      deliveryAddress: addressOf(asked.delivery_address),
      ...(asked.shipping_method === undefined ? {} : { shippingMethod: asked.shipping_method }),
      ...(asked.expected_total === undefined ? {} : { expectedTotal: asked.expected_total }),
    });
    // What died between the commit and here leaves lists that are old for half a minute, and stock for ten seconds.
    await Promise.all(changedBy(tenant, customerId, placed).map((one) => cache.invalidate(one)));
    return {
      order_id: placed.orderId,
      status: placed.state,
      total: majorUnits(placed.total),
      shipping_cost: majorUnits(placed.shippingCost),
      currency: placed.total.currency,
      payment_due_at: placed.paymentDueAt,
      replayed: placed.replayed,
    };
  };
}

type Input = Parameters<ToolBodies['place_order']>[0]['input'];

function itemOf({ sku, manga_id, volume_number, quantity }: Input['items'][number]): CartItem {
  if (sku !== undefined) return { sku, quantity };
  if (manga_id === undefined || volume_number === undefined)
    throw new Error('The schema asks for a SKU, or for a title and its volume.');
  return { mangaId: manga_id, volumeNumber: volume_number, quantity };
}

function addressOf({ line1, line2, city, region, postal_code, country }: Input['delivery_address']): Address {
  return {
    line1,
    ...(line2 === undefined ? {} : { line2 }),
    city,
    ...(region === undefined ? {} : { region }),
    postalCode: postal_code,
    country,
  };
}

/** What is cached of the stock it took and of the lists it is in now. What has no key here is old in ten seconds. */
function changedBy(tenant: string, customerId: string, { took }: PlacedOrder): readonly CacheKey[] {
  const keys = took.flatMap(({ mangaId, volumeNumber, warehouse }) => [
    warehouseKey(tenant, warehouse),
    ...(mangaId === null || volumeNumber === null
      ? []
      : [volumeKey(tenant, mangaId, volumeNumber), volumeKey(tenant, mangaId)]),
  ]);
  const all = [
    ...keys,
    warehousesKey(tenant),
    regionsKey(tenant),
    recentKey({ tenant, customerId }),
    recentKey({ tenant }),
    upcomingKey(tenant),
    demandKey(tenant),
  ];
  return [...new Map(all.map((key) => [JSON.stringify(key), key])).values()];
}
