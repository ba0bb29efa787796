import { z } from 'zod';
import { defineRead } from '../define.ts';
import { field } from '../field.ts';
import { ONLY_REPORT } from '../instructions.ts';
import { orderList } from './shapes.ts';

export const getOrderStatus = defineRead({
  name: 'get_order_status',
  server: 'orders',
  title: 'Order status',
  description: [
    'Where an order is: state, lines, carrier, tracking number and estimated delivery. Answers "Where is my order?"',
    'Without order_id: the latest orders, newest first, at most 10.',
    ONLY_REPORT,
    'NEVER infer a state, a date or a tracking number that is not in the result.',
  ].join('\n'),
  scopes: ['orders:read', 'orders:read:self'],
  timeoutSeconds: 5,
  input: z.strictObject({ order_id: field.order_id.optional(), locale: field.locale.optional() }),
  ignored: { user_id: 'Accepted and ignored: whose orders are shown comes from the verified token.' },
  output: orderList.meta({ title: 'OrderStatusList' }),
  say: ({ message }) => message,
  examples: [
    { prompt: 'Where is my order 88213?', input: { order_id: '88213' } },
    { prompt: 'Where are my orders?', input: {} },
  ],
});
