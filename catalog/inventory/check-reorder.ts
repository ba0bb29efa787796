import { z } from 'zod';
import { defineRead } from '../define.ts';
import { createReorder } from './create-reorder.ts';

/** Run by the platform before a reorder is put before people: nobody is asked for what cannot be done. */
export const checkReorder = defineRead({
  name: 'check_reorder',
  server: 'inventory',
  title: 'Check a reorder',
  description: 'Whether the warehouse carries the SKU and has room for the quantity now. NEVER infer it.',
  internal: true,
  scopes: createReorder.scopes,
  timeoutSeconds: 5,
  input: createReorder.input,
  output: z.object({ status: z.literal('fits'), room: z.int() }),
  say: ({ room }) => `There is room for ${room} more.`,
  examples: createReorder.examples,
});
