import type { LiveTopic } from '../../domain/data-path.ts';

/** Who answers for data of the minute. */
export const LIVE_TOOLS = {
  orders: ['get_order_status', 'list_recent_orders'],
  stock: ['check_stock'],
  prices: ['get_price'],
  shipping: ['get_shipping_estimate'],
} as const satisfies Readonly<Record<LiveTopic, readonly string[]>>;
