import { z } from 'zod';
import { defineAction } from '../define.ts';
import { instant } from '../field.ts';

const input = z.strictObject({
  promotion_id: z
    .string()
    .max(64)
    .regex(/^prm_[A-Za-z0-9]{1,60}$/)
    .describe('Id of the promotion, as pricing://promotions lists it.'),
});

export const withdrawPromotion = defineAction({
  name: 'withdraw_promotion',
  server: 'inventory',
  title: 'Withdraw a promotion',
  description: [
    'End a promotion early: one that runs ends a few seconds after the approval, one to come never starts.',
    'Nothing is withdrawn until a person approves; follow it with get_action_status.',
    'NEVER infer that a promotion has ended: only a result with status executed, or get_price, says so.',
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
    starts_at: instant,
    ends_at: instant.describe('When it ends now. The same as starts_at: it never starts.'),
  }),
  asks: ({ promotion_id }) => `Withdraw promotion ${promotion_id}.`,
  precheck: 'check_withdrawal',
  say: ({ promotion_id, starts_at, ends_at }) =>
    starts_at === ends_at
      ? `Promotion ${promotion_id} withdrawn: it will not start`
      : `Promotion ${promotion_id} withdrawn: it ends at ${ends_at}`,
  examples: [
    { prompt: 'Stop promotion prm_4f1c9a, it was a mistake.', input: { promotion_id: 'prm_4f1c9a' } },
  ],
});
