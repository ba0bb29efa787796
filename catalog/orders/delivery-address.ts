import { z } from 'zod';
import { personal } from '../field.ts';

const REGIONS = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
/** Codes that ISO 3166-1 leaves to its users, and unions that are no country. Kosovo's XK is in common use. */
const NO_COUNTRY = /^(AA|EU|EZ|UN|Q[M-Z]|X(?!K)[A-Z]|ZZ)$/;

function isCountry(code: string): boolean {
  // Checked again here: what is no code at all makes `of` throw.
  return /^[A-Z]{2}$/.test(code) && !NO_COUNTRY.test(code) && REGIONS.of(code) !== undefined;
}

/** One line of an address: something in it, nothing that breaks a label. */
const line = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => text.trim() !== '' && !/\p{Cc}/u.test(text), 'text without control characters');

/** Where a parcel goes. Personal: sealed wherever it travels. */
export const deliveryAddress = personal(
  z
    .strictObject({
      line1: line(200),
      line2: line(200).optional(),
      city: line(100),
      region: line(100).optional(),
      postal_code: line(20),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/)
        .refine(isCountry, 'a country of ISO 3166-1, two letters'),
    })
    .describe('Where the parcel goes.'),
);
