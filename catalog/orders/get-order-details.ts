import { z } from 'zod';
import { ORDER_STATES } from '../../domain/orders.ts';
import { defineRead } from '../define.ts';
import { amount, currency, facts, field, instant, personal } from '../field.ts';
import { ONLY_REPORT } from '../instructions.ts';
import { latestShipment, legacyStatus, orderLine, shipment } from './shapes.ts';

export const getOrderDetails = defineRead({
  name: 'get_order_details',
  server: 'orders',
  title: 'Order details',
  description: [
    'Retrieve order information and status: lines with prices and discounts, totals, dates, shipments, payments and the customer.',
    'For staff. Phone numbers, addresses and payment details are never part of it; e-mail addresses are masked.',
    ONLY_REPORT,
    'NEVER infer what is not in the result.',
  ].join('\n'),
  scopes: ['orders:read'],
  timeoutSeconds: 5,
  input: z.strictObject({ order_id: field.order_id, locale: field.locale.optional() }),
  output: z.object({
    order_id: z.string(),
    status: z.enum([...legacyStatus.options, 'not_found']),
    message: z.string(),
    state: z.enum(ORDER_STATES).optional().describe('State of the order.'),
    source_status: z.string().nullable().optional().describe('The word of the system the order came from.'),
    next_step: z.string().optional(),
    date: instant.optional().describe('When it was ordered.'),
    fulfilled_date: instant.nullable().optional(),
    currency: currency.optional(),
    total: amount.optional(),
    discount_applied: amount.optional(),
    shipping_cost: amount.optional(),
    items: z.array(orderLine).optional(),
    shipments: z.array(shipment).optional(),
    shipment: latestShipment.nullable().optional().describe('The latest shipment, null before there is one.'),
    days_late: z.int().min(0).optional(),
    payment_method: z.string().nullable().optional().describe('Kind of payment, never its number.'),
    payments: z
      .array(z.object({ kind: z.enum(['payment', 'refund']), amount, method: z.string().nullable() }))
      .optional()
      .describe('Money that moved. The method is its kind, never its number.'),
    customer: z
      .object({
        customer_id: z.string(),
        name: personal(z.string().nullable()),
        email: personal(z.string().nullable()).describe('Masked.'),
      })
      .optional(),
    ...facts,
  }),
  say: ({ order_id, status, message, total, currency }) =>
    status === 'not_found'
      ? message
      : `Order ${order_id}: ${status}, ${String(total)} ${String(currency)}. ${message}`,
  examples: [{ prompt: 'Give me everything about order ord_456.', input: { order_id: 'ord_456' } }],
});
