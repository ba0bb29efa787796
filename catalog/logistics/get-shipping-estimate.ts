import { z } from 'zod';
import { CARRIER_PROBLEMS } from '../../domain/carriers.ts';
import { defineRead } from '../define.ts';
import { amount, currency, field, instant } from '../field.ts';
import { deliveryAddress } from '../orders/delivery-address.ts';
import { FRESHNESS } from './arrival.ts';

/** One parcel of a private person; more is freight, and a conversation. */
const MOST_TITLES = 50;

const quote = z.object({
  carrier: z.string(),
  service: z.string(),
  cost: amount.describe('For all items together, in the major unit of currency.'),
  estimated_delivery: instant.describe('When the last of them arrives.'),
  cheapest: z.boolean(),
  fastest: z.boolean(),
});

export const getShippingEstimate = defineRead({
  name: 'get_shipping_estimate',
  server: 'logistics',
  title: 'Shipping estimate',
  description: [
    'Delivery time and cost of sending manga volumes to an address: one estimate over all of them, from the carriers’ own quotes.',
    'manga_id is a list of titles; a title named twice is two copies. The first volume of a title is taken unless volume_number says otherwise.',
    'freshness stale means that the carrier does not answer and this is what it quoted last: say how old it is. With status unavailable there is no estimate: say so.',
    'NEVER infer or estimate a date or a cost that is not in the result.',
  ].join('\n'),
  scopes: ['catalog:read', 'logistics:read'],
  timeoutSeconds: 10,
  queue: 'slow-reads',
  // Lists and an object, where other tools take scalars: the source names these arguments so.
  input: z
    .strictObject({
      manga_id: z
        .array(field.manga_id)
        .min(1)
        .max(MOST_TITLES)
        .describe(`Ids of manga titles, 1 to ${MOST_TITLES}, for example ["BER42"].`),
      volume_number: z
        .array(field.volume_number)
        .min(1)
        .max(MOST_TITLES)
        .optional()
        .describe(
          'Volumes, one for each manga_id in the same order; the first volume of each when left out.',
        ),
      delivery_address: deliveryAddress,
    })
    .refine(
      ({ manga_id, volume_number }) =>
        volume_number === undefined || volume_number.length === manga_id.length,
      'volume_number: one for each manga_id',
    ),
  output: z
    .object({
      status: z
        .enum(['found', 'not_found', 'undeliverable', 'unavailable'])
        .describe(
          'not_found: a title or volume is not sold here. undeliverable: no carrier serves the address.',
        ),
      message: z.string(),
      unknown: z.array(z.string()).describe('What this shop does not sell.'),
      out_of_stock: z.array(z.string()).describe('SKUs that no warehouse can send now.'),
      items: z.array(
        z.object({
          manga_id: z.string(),
          volume_number: z.int(),
          sku: z.string(),
          title: z.string(),
          quantity: z.int(),
          weight_g: z.int().describe('Of one unit.'),
          weight_assumed: z.boolean().describe('True when no weight is on file and a usual one was taken.'),
        }),
      ),
      ships_from: z.array(z.string()).describe('Codes of the warehouses, one parcel from each.'),
      currency: currency.nullable(),
      quotes: z.array(quote).describe('Cheapest first; empty unless found.'),
      freshness: z
        .enum(FRESHNESS)
        .describe('live: quoted at most 120 s ago. stale: the last known. none: no quote.'),
      as_of: instant.nullable().describe('When the carrier quoted.'),
      age_s: z.int().min(0).nullable().describe('How many seconds ago that was.'),
      why: z
        .enum([...CARRIER_PROBLEMS, 'out_of_stock', 'no_origin'])
        .nullable()
        .describe('Why it is stale or unavailable.'),
      source: z.literal('carrier').describe('The carriers’ own interfaces. Report it, add nothing.'),
    })
    .meta({ title: 'ShippingEstimate' }),
  say: ({ message }) => message,
  examples: [
    {
      prompt: 'What does it cost to send Berserk 42 and Vinland Saga to 1 Main St, Newark?',
      input: {
        manga_id: ['BER42', 'VIN27'],
        delivery_address: {
          line1: '1 Main St',
          city: 'Newark',
          region: 'NJ',
          postal_code: '07102',
          country: 'US',
        },
      },
    },
  ],
});
