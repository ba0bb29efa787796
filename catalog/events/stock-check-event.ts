import { z } from 'zod';
import { field, instant } from '../field.ts';
import { defineEvent } from './define.ts';

export const stockCheckEvent = defineEvent({
  topic: 'stock_check_event',
  version: 1,
  means: 'Somebody asked check_stock for something that the cache did not have.',
  key: 'manga_id',
  payload: z.strictObject({
    manga_id: field.manga_id,
    volume_number: field.volume_number.nullable().describe('Null when every volume was asked for.'),
    quantity: z.int().min(0).nullable().describe('Units that can be sold; null when nothing is known of it.'),
    warehouse: z
      .string()
      .nullable()
      .describe('The warehouse that holds most; null when none, or every volume was asked for.'),
    at: instant.describe('When it was answered.'),
    request_id: z.string().describe('The call, as in the audit record.'),
    subject_hash: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .describe('A pseudonym: the same for the same person of the same shop.'),
  }),
});
