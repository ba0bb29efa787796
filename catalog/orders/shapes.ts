import { z } from 'zod';
import { arrival } from '../logistics/arrival.ts';
import { LEGACY_STATUS, ORDER_STATES } from '../../domain/orders.ts';
import { amount, currency, facts, instant } from '../field.ts';

/** What the status and the history of an order share: the ten columns of document 000, lines nested. */
export const orderEntry = z.object({
  order_id: z.string(),
  status: z.enum(ORDER_STATES).describe('State of the order.'),
  created_at: instant,
  items: z.array(
    z.object({
      manga_id: z.string().nullable().describe('Null for what is not a manga volume.'),
      volume_number: z.int().nullable(),
      sku: z.string(),
      title: z.string(),
      quantity: z.int(),
      unit_price: amount.describe('Price of one unit, in the major unit of currency.'),
    }),
  ),
  currency,
  total: amount.describe('What the order comes to.'),
  carrier: z.string().nullable().describe('Null until the order is shipped.'),
  tracking_number: z.string().nullable(),
  ...arrival,
  message: z.string().describe('The state in words for the customer.'),
  next_step: z.string().describe('What happens next, as far as it is known.'),
});

/** OrderStatusList and OrderList. An unknown order and somebody else's give the same answer. */
export const orderList = z.object({
  status: z.enum(['found', 'not_found']),
  message: z.string(),
  orders: z.array(orderEntry).describe('Newest first.'),
  ...facts,
});

export const legacyStatus = z
  .enum([...new Set(Object.values(LEGACY_STATUS))])
  .describe(
    'State of the order in the shorter vocabulary: pending, processing, shipped, fulfilled and so on.',
  );

export const shipment = z.object({
  carrier: z.string().nullable(),
  tracking_number: z.string().nullable(),
  promised_delivery: instant.nullable(),
  estimated_delivery: instant.nullable(),
});

/** The latest one, with how good its date is. */
export const latestShipment = shipment.extend(arrival);

export const orderLine = z.object({
  line_no: z.int(),
  sku: z.string(),
  product: z.string(),
  manga_id: z.string().nullable(),
  volume_number: z.int().nullable(),
  quantity: z.int(),
  unit_price: amount,
  discount: amount.describe('Taken off this line.'),
});
