import { z } from 'zod';
import { defineAction } from '../define.ts';
import { field } from '../field.ts';

const input = z.strictObject({
  sku: field.sku,
  quantity: z.int().min(1).max(1_000_000).describe('Units to order.'),
  warehouse: field.warehouse,
});

export const createReorder = defineAction({
  name: 'create_reorder',
  server: 'inventory',
  title: 'Reorder stock',
  description: [
    'Place a replenishment purchase order for a SKU at a warehouse.',
    'Read inventory://warehouse/{wid}/stock first: an order above the maximum stock level is refused.',
    'Nothing is ordered until a person approves; follow it with get_action_status.',
    'NEVER infer that an order was placed: only a result with status executed says so.',
  ].join('\n'),
  scopes: ['inventory:write'],
  risk: 'normal',
  approverRole: 'warehouse_lead',
  schemaVersion: 1,
  timeoutSeconds: 20,
  input,
  output: z.object({
    po_id: z.string().describe('Number of the purchase order.'),
    sku: z.string(),
    quantity: z.int(),
    warehouse: z.string(),
  }),
  asks: ({ quantity, sku, warehouse }) => `Order ${quantity}× ${sku} for ${warehouse}.`,
  precheck: 'check_reorder',
  policy: { kind: 'reorders', question: 'Quantity limits: how many units may one reorder have?' },
  say: ({ po_id, quantity, sku, warehouse }) =>
    `Reorder placed: PO #${po_id} (${quantity}× ${sku} → ${warehouse})`,
  examples: [
    {
      prompt: 'We are almost out of BER42-42 in WH-2, get 40 more.',
      input: { sku: 'BER42-42', quantity: 40, warehouse: 'WH-2' },
    },
  ],
});
