import type { ToolBodies } from '../../catalog/index.ts';
import { hashOf } from '../../catalog/digest.ts';
import type { Cache } from '../../domain/cache.ts';
import { type Address, type CarrierClient, CarrierError } from '../../domain/carriers.ts';
import type { Clock } from '../../domain/clock.ts';
import {
  type Good,
  type KnownQuotes,
  planParcels,
  type PlannedParcel,
  type QuoteStore,
  quotesForAll,
  type ShippingReader,
  type WantedVolume,
} from '../../domain/shipping.ts';
import { within } from './arrival.ts';
import { type Answer, estimateOf, type Estimate, noEstimate } from './estimate-views.ts';
import { quotesKey } from './keys.ts';

/** Under the tool's own bound, so that there is time to say what was known last. */
const DEADLINE_MS = 4_000;
const PATIENCE_MS = 4_500;

export type EstimateDeps = {
  readonly cache: Cache;
  readonly carriers: Pick<CarrierClient, 'rate'>;
  readonly shipping: ShippingReader;
  readonly quotes: QuoteStore;
  /** Of no use to whom has not the tenant's secret. */
  readonly pseudonym: (tenant: string, text: string) => string;
  readonly realTime: Clock;
};

type Asked = Parameters<ToolBodies['get_shipping_estimate']>[0]['input'];

export function getShippingEstimate(deps: EstimateDeps): ToolBodies['get_shipping_estimate'] {
  return async ({ caller: { tenant }, input }): Promise<Estimate> => {
    const wanted = wantedOf(input);
    const { goods, origins } = await deps.shipping.goods(tenant, wanted);
    const unknown = wanted.filter((one) => !goods.some((good) => isThat(good, one))).map(nameOf);
    if (unknown.length > 0) return noEstimate({ goods, unknown: [...new Set(unknown)] }, 'not_found');
    if (origins.length === 0) return noEstimate({ goods }, 'unavailable', 'no_origin');
    const { parcels, missing } = planParcels(goods, origins, input.delivery_address.country);
    if (missing.length > 0) return noEstimate({ goods, missing }, 'unavailable', 'out_of_stock');
    const to = addressOf(input.delivery_address);
    const answer = await quoted(deps, tenant, { goods, parcels, to });
    return estimateOf(goods, answer, deps.realTime);
  };
}

type Shipment = {
  readonly goods: readonly Good[];
  readonly parcels: readonly PlannedParcel[];
  readonly to: Address;
};

/** From the carrier, through the cache; else the last it said for the same goods to the same place. */
async function quoted(deps: EstimateDeps, tenant: string, shipment: Shipment): Promise<Answer> {
  const units = shipment.goods.map(({ mangaId, volumeNumber, quantity }) => [
    mangaId,
    volumeNumber,
    quantity,
  ]);
  const hash = deps.pseudonym(tenant, hashOf({ shipping_estimate: units, to: shipment.to }));
  try {
    const answer = deps.cache.read(quotesKey(tenant, hash), async () => {
      const known = await ask(deps, shipment);
      await deps.quotes.keep(tenant, hash, known);
      return known;
    });
    return { known: (await within(PATIENCE_MS, answer)).value, problem: null };
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error;
    const { problem } = error;
    return {
      known: problem === 'undeliverable' ? undefined : await deps.quotes.lastKnown(tenant, hash),
      problem,
    };
  }
}

/** @throws {CarrierError} */
async function ask({ carriers, realTime }: EstimateDeps, { parcels, to }: Shipment): Promise<KnownQuotes> {
  const each = await Promise.all(
    parcels.map(({ origin, weightGrams }) =>
      carriers.rate(origin.address, to, { weightGrams, pieces: 1 }, { deadlineMs: DEADLINE_MS }),
    ),
  );
  const quotes = quotesForAll(each);
  if (quotes.length === 0) throw new CarrierError('unsupported', 'No service takes all parcels.');
  return {
    quotes,
    shipsFrom: parcels.map(({ origin }) => origin.code),
    seenAt: realTime.now().toISOString(),
  };
}

function wantedOf({ manga_id, volume_number }: Asked): readonly WantedVolume[] {
  return manga_id.map((mangaId, i) => {
    const volumeNumber = volume_number?.[i];
    return volumeNumber === undefined ? { mangaId } : { mangaId, volumeNumber };
  });
}

function isThat(good: Good, { mangaId, volumeNumber }: WantedVolume): boolean {
  return good.mangaId === mangaId && (volumeNumber === undefined || good.volumeNumber === volumeNumber);
}

function nameOf({ mangaId, volumeNumber }: WantedVolume): string {
  return volumeNumber === undefined ? mangaId : `${mangaId} volume ${volumeNumber}`;
}

function addressOf({ line1, line2, city, region, postal_code, country }: Asked['delivery_address']): Address {
  return {
    line1,
    ...(line2 === undefined ? {} : { line2 }),
    city,
    ...(region === undefined ? {} : { region }),
    postalCode: postal_code,
    country,
  };
}
