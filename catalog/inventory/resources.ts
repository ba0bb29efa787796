import { z } from 'zod';
import { defineResource } from '../define.ts';
import { facts, field, instant, personal } from '../field.ts';

const position = z.object({
  sku: z.string(),
  product: z.string(),
  on_hand: z.int(),
  reserved: z.int(),
  available: z.int().describe('On hand less reserved.'),
  on_order: z.int().describe('On purchase orders that have not arrived.'),
  reorder_level: z.int().describe('The reorder point.'),
  max_stock: z.int(),
  below_reorder_point: z.boolean().describe('True at or below it.'),
});

const place = { warehouse: z.string(), city: z.string(), region: z.string() };

const stock = {
  ...place,
  total_positions: z.int(),
  positions: z.array(position).describe('By SKU, at most 1000.'),
};

const INVENTORY_READ = ['inventory:read'] as const;

export const warehouseStock = defineResource({
  name: 'warehouse_stock',
  server: 'inventory',
  uri: 'inventory://warehouse/{wid}/stock',
  title: 'Warehouse stock',
  description: 'Current stock levels for a warehouse, as JSON. NEVER infer levels that are not in it.',
  scopes: INVENTORY_READ,
  timeoutSeconds: 10,
  params: z.strictObject({ wid: field.warehouse }),
  output: z.object({ ...stock, ...facts }),
  complete: { wid: 'warehouse' },
});

export const regionStock = defineResource({
  name: 'region_stock',
  server: 'inventory',
  uri: 'inventory://region/{region}/stock',
  title: 'Stock of a region',
  description:
    'What is at or below its reorder point in the warehouses of a region ("all" for every region), as JSON. NEVER infer levels that are not in it.',
  scopes: INVENTORY_READ,
  timeoutSeconds: 10,
  params: z.strictObject({ region: field.region }),
  output: z.object({
    region: z.string(),
    warehouses: z.array(
      z.object({ ...place, total_low: z.int(), low: z.array(position).describe('At most 200.') }),
    ),
    ...facts,
  }),
  complete: { region: 'region' },
});

export const warehouses = defineResource({
  name: 'warehouses',
  server: 'inventory',
  uri: 'inventory://warehouses',
  title: 'Inventory across warehouses',
  description:
    'Every warehouse with its city, region and totals, as JSON. NEVER infer totals that are not in it.',
  scopes: INVENTORY_READ,
  timeoutSeconds: 10,
  params: z.strictObject({}),
  output: z.object({
    warehouses: z.array(
      z.object({
        ...place,
        skus: z.int(),
        units: z.int(),
        below_reorder_point: z.int().describe('How many SKUs are at or below their reorder point.'),
      }),
    ),
    ...facts,
  }),
});

export const purchaseOrder = defineResource({
  name: 'purchase_order',
  server: 'inventory',
  uri: 'inventory://purchase-orders/{id}',
  title: 'Purchase order',
  description:
    'One purchase order: what, how many, for where, who asked and who approved. NEVER infer its state.',
  scopes: INVENTORY_READ,
  timeoutSeconds: 5,
  params: z.strictObject({ id: field.purchase_order_id }),
  output: z.object({
    po_id: z.string(),
    sku: z.string(),
    quantity: z.int(),
    warehouse: z.string(),
    state: z.enum(['placed', 'received', 'cancelled']),
    action_id: z.string().describe('The action that placed it.'),
    requested_by: personal(z.string()),
    approved_by: personal(z.array(z.string())),
    created_at: instant,
    ...facts,
  }),
  complete: { id: 'purchase_order' },
});
