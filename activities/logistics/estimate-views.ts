import type { ToolBodies } from '../../catalog/index.ts';
import type { CarrierProblem, RateQuote } from '../../domain/carriers.ts';
import type { Clock } from '../../domain/clock.ts';
import { majorUnits } from '../../domain/money.ts';
import { arrivalOf, ASSUMED_WEIGHT_GRAMS, type Good, type KnownQuotes } from '../../domain/shipping.ts';
import { ageOf } from './arrival.ts';

export type Estimate = Awaited<ReturnType<ToolBodies['get_shipping_estimate']>>;

/** `problem`: why the carrier did not say so just now. */
export type Answer = { readonly known: KnownQuotes | undefined; readonly problem: CarrierProblem | null };

export function estimateOf(goods: readonly Good[], { known, problem }: Answer, realTime: Clock): Estimate {
  if (known === undefined)
    return problem === 'undeliverable'
      ? noEstimate({ goods }, 'undeliverable')
      : noEstimate({ goods }, 'unavailable', problem);
  const { quotes, shipsFrom, seenAt } = known;
  const [cheapest] = quotes;
  const fastest = quotes.reduce((a, b) => (arrivalOf(b) < arrivalOf(a) ? b : a));
  const age = ageOf(seenAt, realTime);
  return {
    ...noEstimate({ goods }, 'found'),
    message: foundWords(quotes, fastest, problem === null ? undefined : age),
    ships_from: [...shipsFrom],
    currency: cheapest?.cost.currency ?? null,
    quotes: quotes.map((quote) => ({
      carrier: quote.carrier,
      service: quote.service,
      cost: majorUnits(quote.cost),
      estimated_delivery: quote.estimatedDelivery,
      cheapest: quote === cheapest,
      fastest: quote === fastest,
    })),
    freshness: problem === null ? 'live' : 'stale',
    as_of: seenAt,
    age_s: age,
    why: problem,
  };
}

function foundWords(
  quotes: readonly RateQuote[],
  fastest: RateQuote,
  staleForSeconds: number | undefined,
): string {
  const [cheapest = fastest] = quotes;
  const said = (quote: RateQuote) =>
    `${quote.service}, ${majorUnits(quote.cost)} ${quote.cost.currency}, arrives ${quote.estimatedDelivery}`;
  const words =
    cheapest === fastest
      ? `Cheapest and fastest: ${said(cheapest)}.`
      : `Cheapest: ${said(cheapest)}. Fastest: ${said(fastest)}.`;
  return staleForSeconds === undefined
    ? words
    : `${words} The carrier does not answer; this is what it quoted ${staleForSeconds} s ago.`;
}

type About = {
  readonly goods: readonly Good[];
  readonly unknown?: readonly string[];
  readonly missing?: readonly Good[];
};

/** An estimate without quotes. */
export function noEstimate(
  { goods, unknown = [], missing = [] }: About,
  status: Estimate['status'],
  why: Estimate['why'] = null,
): Estimate {
  return {
    status,
    message: wordsOf(status, unknown, missing),
    unknown: [...unknown],
    out_of_stock: missing.map(({ sku }) => sku),
    items: goods.map(({ mangaId, volumeNumber, sku, title, quantity, weightGrams }) => ({
      manga_id: mangaId,
      volume_number: volumeNumber,
      sku,
      title,
      quantity,
      weight_g: weightGrams ?? ASSUMED_WEIGHT_GRAMS,
      weight_assumed: weightGrams === null,
    })),
    ships_from: [],
    currency: null,
    quotes: [],
    freshness: 'none',
    as_of: null,
    age_s: null,
    why,
    source: 'carrier',
  };
}

function wordsOf(status: Estimate['status'], unknown: readonly string[], missing: readonly Good[]): string {
  if (status === 'not_found') return `This shop does not sell ${unknown.join(', ')}. Do not estimate.`;
  if (status === 'undeliverable') return 'No carrier delivers to this address. Do not estimate.';
  return missing.length > 0
    ? `No warehouse can send ${missing.map(({ sku }) => sku).join(', ')} now. Do not estimate.`
    : 'No carrier can be asked now, and nothing is known from before. Do not estimate.';
}
