import { z } from 'zod';
import { defineRead } from '../define.ts';
import { schedulePromotion } from './schedule-promotion.ts';
import { withdrawPromotion } from './withdraw-promotion.ts';

/** Run by the platform before a promotion is put before people: nobody is asked for what cannot be done. */
export const checkPromotion = defineRead({
  name: 'check_promotion',
  server: 'inventory',
  title: 'Check a promotion',
  description:
    'Whether the product is there, the period ahead, and no other promotion in it. NEVER infer it.',
  internal: true,
  scopes: schedulePromotion.scopes,
  timeoutSeconds: 5,
  input: schedulePromotion.input,
  output: z.object({ status: z.literal('fits') }),
  say: () => 'The promotion can be scheduled.',
  examples: schedulePromotion.examples,
});

/** The same for a withdrawal. */
export const checkWithdrawal = defineRead({
  name: 'check_withdrawal',
  server: 'inventory',
  title: 'Check a withdrawal',
  description: 'Whether the promotion is there and not over. NEVER infer it.',
  internal: true,
  scopes: withdrawPromotion.scopes,
  timeoutSeconds: 5,
  input: withdrawPromotion.input,
  output: z.object({ status: z.literal('fits') }),
  say: () => 'The promotion can be withdrawn.',
  examples: withdrawPromotion.examples,
});
