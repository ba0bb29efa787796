import { z } from 'zod';
import { COMPLETABLE } from '../../domain/complete.ts';
import type { Completable } from '../../domain/complete.ts';
import type { Scope } from '../../domain/roles.ts';
import { defineRead } from '../define.ts';
import { searchText } from '../field.ts';

/** Who may have which ids completed: whoever may read what they name. */
export const COMPLETION_SCOPES: Readonly<Record<Completable, readonly [Scope, ...Scope[]]>> = {
  order_id: ['orders:read', 'orders:read:self'],
  manga_id: ['catalog:read', 'inventory:read'],
  sku: ['inventory:read'],
  warehouse: ['inventory:read'],
  region: ['inventory:read'],
  purchase_order: ['inventory:read'],
};

/** Completion of ids in prompts and resource templates, by the same door as every read. */
export const completeArgument = defineRead({
  name: 'complete_argument',
  server: 'platform',
  title: 'Complete an id',
  description: 'Ids of one kind that start with what was typed. NEVER infer ids that are not in the result.',
  internal: true,
  scopes: ['orders:read', 'orders:read:self', 'catalog:read', 'inventory:read'],
  timeoutSeconds: 5,
  input: z.strictObject({
    what: z.enum(COMPLETABLE).describe('Kind of id.'),
    prefix: searchText(200).describe('What was typed so far.'),
  }),
  output: z.object({
    values: z.array(z.string()).describe('At most 100, sorted.'),
    has_more: z.boolean(),
  }),
  say: ({ values }) => values.join(', '),
  examples: [{ prompt: 'Warehouses that start with WH.', input: { what: 'warehouse', prefix: 'WH' } }],
});
