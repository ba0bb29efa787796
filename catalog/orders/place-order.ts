import { z } from 'zod';
import { ORDER_STATES } from '../../domain/orders.ts';
import { defineControl } from '../define.ts';
import { amount, currency, field, instant } from '../field.ts';
import { deliveryAddress } from './delivery-address.ts';

/** Most units of one line; more is a conversation with the shop. */
const MOST_UNITS = 10_000;

const item = z
  .strictObject({
    sku: field.sku.optional(),
    manga_id: field.manga_id.optional(),
    volume_number: field.volume_number.optional(),
    quantity: z.int().min(1).max(MOST_UNITS),
  })
  .refine(
    ({ sku, manga_id, volume_number }) =>
      (sku === undefined) !== (manga_id === undefined) &&
      (manga_id === undefined) === (volume_number === undefined),
    'either sku, or manga_id and volume_number',
  );

/**
 * A customer's own act, by `POST /v1/checkout` and by no tool: an agent that shops needs its customer's hand.
 * There is no ceiling of lines but that of a request's size.
 */
export const placeOrder = defineControl({
  name: 'place_order',
  server: 'orders',
  title: 'Place an order',
  description:
    'Places an order of the calling customer and takes its stock, once for each idempotency key. ' +
    'NEVER infer an order, a price or a total that is not in the result.',
  internal: true,
  scopes: ['orders:place:self'],
  timeoutSeconds: 15,
  input: z.strictObject({
    idempotency_key: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[ -~]+$/)
      .describe('The customer’s own id of this checkout.'),
    items: z.array(item).min(1).describe('What is ordered.'),
    payment_method: field.sku.describe('Id of one of the customer’s payment methods.'),
    delivery_address: deliveryAddress,
    shipping_method: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[!-~]+$/)
      .optional()
      .describe('Code of one of the shop’s shipping methods. Without it nothing is charged for shipping.'),
    expected_total: z
      .number()
      .min(0)
      .max(1e12)
      .optional()
      .describe('What the customer was told it costs, in the major unit. Another total is refused.'),
  }),
  output: z.object({
    order_id: z.string(),
    status: z.enum(ORDER_STATES).describe('State of the order now.'),
    total: amount.describe('What the order comes to, shipping included.'),
    shipping_cost: amount,
    currency,
    payment_due_at: instant.describe('The order is cancelled when it is not paid by then.'),
    replayed: z.boolean().describe('True when this key has placed the order before.'),
  }),
  say: ({ order_id, status, total, currency: of }) => `Order ${order_id}: ${status}, ${total} ${of}.`,
  examples: [
    {
      prompt: 'Order Berserk volume 42.',
      input: {
        idempotency_key: 'cart-7731',
        items: [{ manga_id: 'BER42', volume_number: 42, quantity: 1 }],
        payment_method: 'pm_cust_1001',
        delivery_address: { line1: '1-1 Chiyoda', city: 'Tokyo', postal_code: '100-0001', country: 'JP' },
      },
    },
  ],
});
