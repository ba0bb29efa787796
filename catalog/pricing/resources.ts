import { z } from 'zod';
import { defineResource } from '../define.ts';
import { facts, instant } from '../field.ts';

export const promotions = defineResource({
  name: 'promotions',
  server: 'inventory',
  uri: 'pricing://promotions',
  title: 'Promotions',
  description:
    'Every promotion that runs or is to come, by its start, as JSON. NEVER infer a promotion or a discount that is not in it.',
  scopes: ['promotions:read'],
  timeoutSeconds: 5,
  params: z.strictObject({}),
  output: z.object({
    promotions: z
      .array(
        z.object({
          promotion_id: z.string(),
          sku: z.string().nullable(),
          manga_id: z.string().nullable(),
          volume_number: z.int().nullable(),
          name: z.string(),
          discount_pct: z.number(),
          starts_at: instant,
          ends_at: instant,
          running: z.boolean(),
          withdrawn_at: instant.nullable(),
        }),
      )
      .describe('At most 200.'),
    ...facts,
  }),
});
