import { z } from 'zod';
import { defineRead } from '../define.ts';
import { facts, field } from '../field.ts';

const volume = {
  volume_number: z.int(),
  title: z.string(),
  in_stock: z.boolean(),
  quantity: z.int().min(0).describe('Units that can be sold, over all warehouses: on hand less reserved.'),
  warehouse: z.string().nullable().describe('The warehouse that holds most; null when nothing is left.'),
  ships_from: z.string().nullable().describe('Its city.'),
  message: z.string(),
};

export const checkStock = defineRead({
  name: 'check_stock',
  server: 'inventory',
  title: 'Check stock',
  description: [
    'Whether a manga volume can be bought now, how many units are left and where they ship from. Answers "Is vol 3 available?"',
    'Without volume_number: every volume of the title. For stock of all products use get_inventory_status.',
    'The count is for information, up to 10 seconds old, and reserves nothing.',
    'NEVER infer availability or a count that is not in the result.',
  ].join('\n'),
  scopes: ['catalog:read', 'inventory:read'],
  timeoutSeconds: 5,
  input: z.strictObject({ manga_id: field.manga_id, volume_number: field.volume_number.optional() }),
  aliases: { volume: 'volume_number' },
  output: z
    .object({
      status: z.enum(['found', 'not_found']),
      message: z.string(),
      manga_id: z.string(),
      volume_number: z.int().optional(),
      title: z.string().optional(),
      in_stock: z.boolean().optional(),
      quantity: volume.quantity.optional(),
      warehouse: volume.warehouse.optional(),
      ships_from: volume.ships_from.optional(),
      volumes: z.array(z.object(volume)).optional().describe('Every volume, when none was named.'),
      note: z.string().optional(),
      ...facts,
    })
    .meta({ title: 'StockInfo' }),
  say: ({ message }) => message,
  emits: ({ cache, manga_id, status, quantity, warehouse, volumes }, { volume_number }) =>
    cache.hit
      ? undefined
      : {
          topic: 'stock_check_event',
          version: 1,
          key: manga_id,
          payload: {
            manga_id,
            volume_number: volume_number ?? null,
            quantity: status === 'not_found' ? null : (quantity ?? total(volumes ?? [])),
            warehouse: warehouse ?? null,
          },
        },
  examples: [
    { prompt: 'Is volume 42 of BER42 available?', input: { manga_id: 'BER42', volume_number: 42 } },
    { prompt: 'Which volumes of BER42 do you have?', input: { manga_id: 'BER42' } },
  ],
});

function total(volumes: readonly { readonly quantity: number }[]): number {
  return volumes.reduce((sum, { quantity }) => sum + quantity, 0);
}
