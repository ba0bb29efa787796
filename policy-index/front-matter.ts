import { z } from 'zod';
import { AUDIENCES } from '../domain/policies.ts';

const name = (what: string) =>
  z
    .string(`${what} is missing or not text`)
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, '1 to 64 small letters, digits and hyphens');

const day = z.union(
  [z.iso.date(), z.iso.datetime({ offset: true })],
  'a date (2026-04-01) or an instant (2026-04-01T00:00:00+09:00)',
);

/** Shown beside an answer: one line, and nothing in it that hides, reorders or looks like markup. */
const title = z
  .string('missing or not text')
  .trim()
  .min(1, 'is empty')
  .max(120, 'at most 120 characters')
  .regex(
    /^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{DI}\u2028\u2029<>[\]`]+$/u,
    'one line without markup or hidden characters',
  );

/** What the head of a policy says. Every field is checked, and no other is allowed. */
export const frontMatter = z.strictObject({
  id: name('id'),
  title,
  url: z.url({ protocol: /^https?$/, error: 'an address that begins with https://' }).max(500),
  kind: name('kind'),
  effective_from: day,
  effective_to: day.optional(),
  audience: z.enum(AUDIENCES, `one of ${AUDIENCES.join(', ')}`),
  tenant: z
    .string('missing or not text')
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, '1 to 64 letters, digits, _ and -'),
  /** What a reader may ask and find answered here; a new index that no longer finds it does not go live. */
  questions: z
    .array(
      z.string('not text').trim().min(3, 'is too short').max(300, 'at most 300 characters'),
      'not a list',
    )
    .max(20, 'at most 20')
    .default([]),
  language: z.string('missing or not text').regex(/^[a-z]{2,3}$/, 'a primary language subtag: en, ja'),
});
export type FrontMatter = z.output<typeof frontMatter>;
