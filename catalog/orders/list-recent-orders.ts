import { z } from 'zod';
import { defineRead } from '../define.ts';
import { field } from '../field.ts';
import { ONLY_REPORT } from '../instructions.ts';
import { orderList } from './shapes.ts';

export const listRecentOrders = defineRead({
  name: 'list_recent_orders',
  server: 'orders',
  title: 'Recent orders',
  description: [
    'Order history: the latest orders with their lines, newest first.',
    'For one order use get_order_status.',
    ONLY_REPORT,
    'NEVER infer orders that are not in the result.',
  ].join('\n'),
  scopes: ['orders:read', 'orders:read:self'],
  timeoutSeconds: 5,
  input: z.strictObject({ limit: field.limit, locale: field.locale.optional() }),
  ignored: { user_id: 'Accepted and ignored: whose orders are shown comes from the verified token.' },
  output: orderList.meta({ title: 'OrderList' }),
  say: ({ message }) => message,
  examples: [{ prompt: 'Show me my last three orders.', input: { limit: 3 } }],
});
