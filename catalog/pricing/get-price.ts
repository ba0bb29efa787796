import { z } from 'zod';
import { defineRead } from '../define.ts';
import { facts, field, instant } from '../field.ts';

export const getPrice = defineRead({
  name: 'get_price',
  server: 'inventory',
  title: 'Price',
  description: [
    'Returns current retail price and discount status for a manga volume. NEVER infer or estimate prices — always return from this tool.',
    'Without volume_number: the price of the lowest volume of the title.',
  ].join('\n'),
  scopes: ['catalog:read'],
  // Room to find that the database does not answer, and to say so: no answer would invite an invented price.
  timeoutSeconds: 10,
  input: z.strictObject({ manga_id: field.manga_id, volume_number: field.volume_number.optional() }),
  aliases: { volume: 'volume_number' },
  output: z
    .object({
      status: z.enum(['found', 'not_found', 'unavailable']),
      price_jpy: z.int().min(0).optional().describe('Price in yen, the running discount taken off.'),
      currency: z.literal('JPY').optional(),
      discount_active: z.boolean().optional(),
      discount_pct: z.number().min(0).max(100).optional(),
      valid_until: instant.optional().describe('The next moment at which the price may change.'),
      message: z.string().optional(),
      manga_id: z.string().optional(),
      // Absent only when the database could not be asked.
      source: facts.source.optional(),
      as_of: facts.as_of.optional(),
      cache: facts.cache.optional(),
    })
    .meta({ title: 'PriceInfo' }),
  say: ({ message, price_jpy, discount_pct, valid_until }) =>
    message ??
    `${String(price_jpy)} JPY${discount_pct ? `, ${discount_pct} % off` : ''}, valid until ${String(valid_until)}`,
  examples: [{ prompt: 'How much is volume 1 of BER42?', input: { manga_id: 'BER42', volume_number: 1 } }],
});
