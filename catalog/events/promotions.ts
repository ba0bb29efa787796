import { z } from 'zod';
import { instant } from '../field.ts';
import { defineEvent } from './define.ts';

const promotion_id = z.string().describe('Id of the promotion, unique in the shop.');
const manga_id = z.string().nullable().describe('Title of the product; null when it is no manga.');
const volume_number = z.int().nullable().describe('Its volume; null when it is no manga.');

export const promotionChanged = defineEvent({
  topic: 'promotion_changed',
  version: 1,
  means: 'A promotion was written, changed or withdrawn, by whatever means.',
  key: 'product:<internal id>',
  payload: z.strictObject({ promotion_id, manga_id, volume_number }),
});

const announced = z.strictObject({
  promotion_id,
  sku: z.string(),
  manga_id,
  volume_number,
  discount_pct: z.number().min(0).max(100),
  starts_at: instant,
  ends_at: instant,
});

export const promotionStarted = defineEvent({
  topic: 'promotion_started',
  version: 1,
  means: 'A promotion began: its price holds since starts_at, in every process.',
  key: 'promotion:<promotion_id>',
  payload: announced,
});

export const promotionEnded = defineEvent({
  topic: 'promotion_ended',
  version: 1,
  means: 'A promotion ran out: the full price holds since ends_at.',
  key: 'promotion:<promotion_id>',
  payload: announced,
});
