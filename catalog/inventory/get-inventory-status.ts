import { z } from 'zod';
import { defineRead } from '../define.ts';
import { amount, currency, facts, searchText } from '../field.ts';

const item = {
  product: z.string(),
  sku: z.string(),
  current_stock: z.int().describe('Units that can be sold: on hand less reserved.'),
  reorder_level: z.int().describe('At or below this many units the product is low.'),
};

export const getInventoryStatus = defineRead({
  name: 'get_inventory_status',
  server: 'inventory',
  title: 'Inventory status',
  description: [
    'Check current inventory levels with alerts for low stock.',
    'Low means at or below the reorder level of the product; an explicit low_stock_threshold replaces it.',
    'For one manga volume as a shopper sees it use check_stock.',
    'NEVER infer stock levels or values that are not in the result.',
  ].join('\n'),
  scopes: ['inventory:read'],
  timeoutSeconds: 10,
  input: z.strictObject({
    product: searchText(200).min(1).optional().describe('Name or SKU of a product, or a part of the name.'),
    category: searchText(100).min(1).optional().describe('Category of products.'),
    low_stock_threshold: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .optional()
      // Shown, not applied: only a caller who says 10 replaces the products' own reorder levels.
      .meta({ default: 10 })
      .describe(
        'Threshold for low stock alerts. Left out: the reorder level of each product, 10 where none is set.',
      ),
  }),
  output: z.object({
    status: z.enum(['found', 'not_found']),
    message: z.string(),
    total_products: z.int(),
    low_stock_count: z.int(),
    low_stock_items: z
      .array(z.object({ ...item, status: z.literal('low_stock') }))
      .describe('Emptiest first, at most 200.'),
    out_of_stock_count: z.int(),
    out_of_stock_items: z
      .array(z.object({ ...item, status: z.literal('out_of_stock') }))
      .describe('By name, at most 200.'),
    uncounted_products: z.int().describe('Products nobody counts: neither low nor out of stock.'),
    total_value: amount.describe('Sum of quantity on hand times cost per unit.'),
    currency: currency.nullable(),
    ...facts,
  }),
  say: ({ message }) => message,
  examples: [
    { prompt: 'Which products are running low on stock?', input: {} },
    { prompt: 'How many "Red Shirt - Medium" are left?', input: { product: 'Red Shirt - Medium' } },
  ],
});
