import { z } from 'zod';
import { CARRIER_PROBLEMS } from '../../domain/carriers.ts';
import { instant } from '../field.ts';

export const FRESHNESS = ['live', 'stale', 'none'] as const;

/** How good a date is that a carrier gave. */
export const arrival = {
  estimated_delivery: instant.nullable().describe('Null when nobody has named one.'),
  freshness: z
    .enum(FRESHNESS)
    .describe(
      'Of estimated_delivery. live: the carrier says so now (at most 120 s ago). stale: the last that it said, since it does not answer; say so. none: the date on file, which no carrier was asked about.',
    ),
  eta_as_of: instant.nullable().describe('When the carrier said so; null for a date on file.'),
  eta_age_s: z.int().min(0).nullable().describe('How many seconds ago that was.'),
  eta_why: z.enum(CARRIER_PROBLEMS).nullable().describe('Why it is stale; null when it is not.'),
} as const;
