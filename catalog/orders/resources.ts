import { z } from 'zod';
import { ORDER_STATES } from '../../domain/orders.ts';
import { defineResource } from '../define.ts';
import { amount, currency, facts, field, instant, personal } from '../field.ts';
import { latestShipment, legacyStatus, orderEntry, orderLine, shipment } from './shapes.ts';

const ORDERS_READ = ['orders:read'] as const;

export const orderRecord = defineResource({
  name: 'order_record',
  server: 'orders',
  uri: 'orders://order/{order_id}',
  title: 'Order record',
  description:
    'One order with lines, shipments, delivery, driver and days late: why it is where it is. NEVER infer causes that are not in it.',
  scopes: ORDERS_READ,
  timeoutSeconds: 5,
  params: z.strictObject({ order_id: field.order_id }),
  output: z.object({
    order_id: z.string(),
    status: z.enum(ORDER_STATES),
    legacy_status: legacyStatus,
    source_status: z.string().nullable(),
    message: z.string(),
    next_step: z.string(),
    created_at: instant,
    fulfilled_at: instant.nullable(),
    customer_id: z.string(),
    currency,
    total: amount,
    discount_applied: amount,
    shipping_cost: amount,
    items: z.array(orderLine),
    shipments: z.array(shipment),
    shipment: latestShipment.nullable().describe('The latest shipment, null before there is one.'),
    days_late: z
      .int()
      .min(0)
      .describe('Whole days from the promised to the estimated delivery; 0 when on time.'),
    delivery: z
      .object({
        status: z.string(),
        driver: z
          .object({ name: personal(z.string()), status: z.string().describe('For example active or sick.') })
          .nullable(),
        note: z.string().nullable(),
      })
      .nullable(),
    history: z
      .array(
        z.object({
          at: instant,
          from: z.enum(ORDER_STATES).nullable().describe('Null for the first.'),
          to: z.enum(ORDER_STATES),
          cause: z.string().describe('Which event led to it.'),
          inferred: z.boolean().describe('True when nobody reported this step, and a later one implies it.'),
        }),
      )
      .describe('Changes of state, oldest first.'),
    ...facts,
  }),
  complete: { order_id: 'order_id' },
});

export const upcomingOrders = defineResource({
  name: 'upcoming_orders',
  server: 'orders',
  uri: 'orders://upcoming',
  title: 'Upcoming customer orders',
  description:
    'Orders that are not shipped yet, oldest first, at most 100. NEVER infer orders that are not in it.',
  scopes: ORDERS_READ,
  timeoutSeconds: 10,
  params: z.strictObject({}),
  output: z.object({
    total: z.int().describe('How many there are in all.'),
    orders: z.array(
      orderEntry
        .pick({ order_id: true, status: true, created_at: true, currency: true, total: true })
        .extend({
          items: z.array(z.object({ sku: z.string(), title: z.string(), quantity: z.int() })),
        }),
    ),
    ...facts,
  }),
});

export const demand7d = defineResource({
  name: 'demand_7d',
  server: 'orders',
  uri: 'orders://demand/7d',
  title: '7-day demand',
  description:
    'Units ordered per SKU over the last 7 days, cancelled orders left out, most wanted first, at most 1000. NEVER infer demand that is not in it.',
  scopes: ORDERS_READ,
  timeoutSeconds: 10,
  params: z.strictObject({}),
  output: z.object({
    since: instant,
    until: instant,
    total_skus: z.int(),
    total_units: z.int(),
    demand: z.array(z.object({ sku: z.string(), product: z.string(), units: z.int(), orders: z.int() })),
    ...facts,
  }),
});
