import { z } from 'zod';
import { defineRead } from '../define.ts';
import { facts, field } from '../field.ts';
import { onItsWay } from './shapes.ts';

export const getDeliveryStatus = defineRead({
  name: 'get_delivery_status',
  server: 'logistics',
  title: 'Delivery status',
  description: [
    'How the delivery of an order goes: carrier, promised and estimated arrival, days late, delivery, its driver and the driver’s status. Answers "Why is it late?"',
    'For staff. For the order itself use get_order_status.',
    'NEVER infer an arrival, a driver or a cause that is not in the result.',
  ].join('\n'),
  scopes: ['logistics:read'],
  timeoutSeconds: 5,
  input: z.strictObject({ order_id: field.order_id }),
  output: z.object({
    status: z.enum(['found', 'not_found']),
    message: z.string(),
    shipment: z.object(onItsWay).nullable().describe('Null when there is no such order.'),
    ...facts,
  }),
  say: ({ message }) => message,
  examples: [{ prompt: 'Why is the delivery of order 88213 late?', input: { order_id: '88213' } }],
});
