import { z } from 'zod';
import { defineAction } from '../define.ts';
import { field, instant, searchText } from '../field.ts';

const when = (what: string) =>
  instant.max(40).describe(`${what}, as ISO 8601 with a zone, for example 2026-12-01T00:00:00+09:00.`);

const input = z.strictObject({
  sku: field.sku.optional(),
  manga_id: field.manga_id.optional(),
  volume_number: field.volume_number.optional(),
  name: searchText(120).min(1).describe('What the promotion is called, for example "Winter fair".'),
  discount_pct: z
    .number()
    .gt(0)
    .max(100)
    .refine((pct) => Number(pct.toFixed(2)) === pct, 'at most two decimals')
    .describe('Percent off the price: above 0, to 100, with at most two decimals.'),
  starts_at: when('When it starts'),
  ends_at: when('When it ends'),
});

const nameOf = ({ sku, manga_id, volume_number }: z.output<typeof input>) =>
  sku ?? `${String(manga_id)} volume ${String(volume_number)}`;

export const schedulePromotion = defineAction({
  name: 'schedule_promotion',
  server: 'inventory',
  title: 'Schedule a promotion',
  description: [
    'Discount a product between two instants; the price changes at both of them by itself, everywhere at once.',
    'Name the product by sku, or by manga_id and volume_number. Read pricing://promotions first: promotions of one product may not overlap.',
    'Nothing is scheduled until a person approves, which must be before it starts; follow it with get_action_status.',
    'To change a promotion, withdraw it (withdraw_promotion) and schedule another. NEVER infer that one is scheduled: only a result with status executed says so.',
  ].join('\n'),
  scopes: ['promotions:write'],
  risk: 'normal',
  approverRole: 'finance',
  schemaVersion: 1,
  timeoutSeconds: 20,
  input,
  output: z.object({
    promotion_id: z.string(),
    sku: z.string().nullable(),
    manga_id: z.string().nullable(),
    volume_number: z.int().nullable(),
    discount_pct: z.number(),
    starts_at: instant,
    ends_at: instant,
  }),
  asks: (asked) =>
    `Take ${asked.discount_pct} % off ${nameOf(asked)} from ${asked.starts_at} to ${asked.ends_at}.`,
  precheck: 'check_promotion',
  say: ({ promotion_id, discount_pct, starts_at, ends_at }) =>
    `Promotion ${promotion_id} scheduled: ${discount_pct} % off from ${starts_at} to ${ends_at}`,
  examples: [
    {
      prompt: 'Give 15 % off Vinland Saga volume 3 from the 1st to the 7th of December 2031, Japanese time.',
      input: {
        manga_id: 'VIN27',
        volume_number: 3,
        name: 'December week',
        discount_pct: 15,
        starts_at: '2031-12-01T00:00:00+09:00',
        ends_at: '2031-12-08T00:00:00+09:00',
      },
    },
    {
      prompt: 'Take 20 % off SKU BER42-42 for the whole of January 2032, in UTC.',
      input: {
        sku: 'BER42-42',
        name: 'January',
        discount_pct: 20,
        starts_at: '2032-01-01T00:00:00Z',
        ends_at: '2032-02-01T00:00:00Z',
      },
    },
  ],
});
