import { kilogramsOf, type UpsAddress, type UpsShipment } from './answers.ts';

export type Refused = { readonly code: string; readonly message: string };
export type Offer = {
  readonly service: string;
  readonly currency: string;
  /** As UPS writes it: with the decimals of its currency. */
  readonly value: string;
  readonly kilograms: number;
  readonly arrivesAt: Date;
};

type Service = {
  readonly code: string;
  readonly days: number;
  readonly base: number;
  readonly perKg: number;
};

/** Invented prices in US dollars, and days in transit. */
const WITHIN: Readonly<Record<'us' | 'elsewhere', readonly Service[]>> = {
  us: [
    { code: '03', days: 4, base: 9.4, perKg: 0.9 },
    { code: '12', days: 3, base: 16.2, perKg: 1.6 },
    { code: '02', days: 2, base: 24.8, perKg: 2.7 },
    { code: '01', days: 1, base: 47.5, perKg: 4.6 },
  ],
  elsewhere: [
    { code: '11', days: 2, base: 10.2, perKg: 1.1 },
    { code: '65', days: 1, base: 19.6, perKg: 2.4 },
  ],
};
const ABROAD: readonly Service[] = [
  { code: '08', days: 5, base: 38.5, perKg: 6.2 },
  { code: '65', days: 3, base: 52.9, perKg: 8.4 },
  { code: '07', days: 2, base: 68.4, perKg: 10.8 },
];

/** Of a dollar, and how many decimals. Everybody else pays in dollars. */
const CURRENCIES: Readonly<
  Record<string, { readonly code: string; readonly rate: number; readonly decimals: number }>
> = {
  JP: { code: 'JPY', rate: 150, decimals: 0 },
  DE: { code: 'EUR', rate: 0.92, decimals: 2 },
  FR: { code: 'EUR', rate: 0.92, decimals: 2 },
  NL: { code: 'EUR', rate: 0.92, decimals: 2 },
  GB: { code: 'GBP', rate: 0.79, decimals: 2 },
};
const DOLLAR = { code: 'USD', rate: 1, decimals: 2 };

/** Countries that nothing is carried to or from. */
const NOT_SERVED = new Set(['AQ', 'BV', 'CU', 'HM', 'IR', 'KP', 'RU', 'SY']);
const POSTAL_CODES: Readonly<Record<string, RegExp>> = {
  US: /^\d{5}(-?\d{4})?$/,
  CA: /^[A-Z]\d[A-Z] ?\d[A-Z]\d$/i,
  JP: /^\d{3}-?\d{4}$/,
  DE: /^\d{5}$/,
  FR: /^\d{5}$/,
  NL: /^\d{4} ?[A-Z]{2}$/i,
  GB: /^[A-Z0-9]{2,4} ?\d[A-Z]{2}$/i,
};
const HEAVIEST_KG = 70;
const HOUR_OF_ARRIVAL = 18;
const DAY_MS = 86_400_000;

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Every service from here to there, or why there is none. */
export function offersFor(shipment: UpsShipment, now: Date): readonly Offer[] | Refused {
  const { ShipFrom, ShipTo } = shipment;
  const refused = wrongWith(ShipFrom.Address) ?? wrongWith(ShipTo.Address);
  if (refused) return refused;
  const kilograms = Math.max(0.1, kilogramsOf(shipment));
  if (kilograms > HEAVIEST_KG)
    return {
      code: '111035',
      message: 'The maximum per package weight for the selected service is exceeded.',
    };
  const from = ShipFrom.Address.CountryCode;
  const { code: currency, rate, decimals } = CURRENCIES[from] ?? DOLLAR;
  return servicesBetween(from, ShipTo.Address.CountryCode).map(({ code, days, base, perKg }) => ({
    service: code,
    currency,
    value: ((base + perKg * kilograms) * rate).toFixed(decimals),
    kilograms,
    arrivesAt: workingDaysAfter(now, days),
  }));
}

function servicesBetween(from: string, to: string): readonly Service[] {
  if (from !== to) return ABROAD;
  return from === 'US' ? WITHIN.us : WITHIN.elsewhere;
}

function wrongWith({ CountryCode, PostalCode, City }: UpsAddress): Refused | undefined {
  if (!/^[A-Z]{2}$/.test(CountryCode) || CountryCode === 'ZZ' || regions.of(CountryCode) === undefined)
    return { code: '110208', message: 'Missing or illegal country code.' };
  if (NOT_SERVED.has(CountryCode))
    return {
      code: '111210',
      message: 'The requested service is unavailable between the selected locations.',
    };
  if (City.trim() === '') return { code: '110209', message: 'Missing or illegal city.' };
  const form = POSTAL_CODES[CountryCode];
  if (form !== undefined && !form.test(PostalCode.trim()))
    return { code: '111286', message: 'The postal code is not valid in this country.' };
  return undefined;
}

function workingDaysAfter(now: Date, days: number): Date {
  const arrival = new Date(now);
  arrival.setUTCHours(HOUR_OF_ARRIVAL, 0, 0, 0);
  for (let left = days; left > 0; left -= isWeekend(arrival) ? 0 : 1)
    arrival.setTime(arrival.getTime() + DAY_MS);
  return arrival;
}

function isWeekend(day: Date): boolean {
  return day.getUTCDay() % 6 === 0;
}
