import { z } from 'zod';
import type { Address, Parcel, RateQuote } from '../../../domain/carriers.ts';
import { type Money, minorUnits } from '../../../domain/money.ts';
import { CarrierFault } from '../faults.ts';
import { listOf, part, text } from '../loose.ts';
import { timeOf } from '../times.ts';
import { refusedAddress, type UpsSettings, type UpsWire, upsAddress, upsWeight } from './interface.ts';
import { serviceName } from './services.ts';

const CHARGE = part({ CurrencyCode: text, MonetaryValue: text });

/** A price as UPS writes it, in ratings and on labels. */
export const CHARGES = { TotalCharges: CHARGE, NegotiatedRateCharges: part({ TotalCharge: CHARGE }) };

const RATED = z.object({
  Service: z.object({ Code: z.string().min(1).max(10) }),
  ...CHARGES,
  TimeInTransit: part({
    ServiceSummary: part({
      EstimatedArrival: part({ Arrival: part({ Date: text, Time: text }) }),
    }),
  }),
});

const ANSWER = z.object({ RateResponse: z.object({ RatedShipment: listOf(RATED) }) });

/** What the account pays, else the list price. Undefined when it is no price. */
export function moneyOf(charges: z.output<z.ZodObject<typeof CHARGES>>): Money | undefined {
  const { CurrencyCode: currency = '', MonetaryValue: value = '' } =
    charges.NegotiatedRateCharges?.TotalCharge ?? charges.TotalCharges ?? {};
  return /^[A-Z]{3}$/.test(currency) && /^\d{1,10}(\.\d{1,4})?$/.test(value)
    ? { currency, amountMinor: minorUnits(value, currency) }
    : undefined;
}

/**
 * Quotes with a price and a day of arrival, cheapest first. A service without either is left out.
 *
 * @throws {CarrierError} garbled
 */
export function parseUpsRates(answer: unknown): readonly RateQuote[] {
  const parsed = ANSWER.safeParse(answer);
  if (!parsed.success) throw new CarrierFault('garbled', 'UPS’s rating answer has no rates.');
  const { RatedShipment: rated } = parsed.data.RateResponse;
  const quotes = rated.flatMap((one): RateQuote[] => {
    const cost = moneyOf(one);
    const arrival = one.TimeInTransit?.ServiceSummary?.EstimatedArrival?.Arrival;
    const { at } = timeOf(arrival?.Date, arrival?.Time);
    if (cost === undefined || at === null) return [];
    return [{ carrier: 'UPS', service: serviceName(one.Service.Code), cost, estimatedDelivery: at }];
  });
  if (quotes.length === 0) throw new CarrierFault('garbled', 'UPS’s rates have no price or no arrival.');
  return quotes.toSorted((a, b) => a.cost.amountMinor - b.cost.amountMinor);
}

/** Every service from here to there, with its time in transit. Codes 03 and 07: goods, not documents. */
export async function upsRates(
  wire: UpsWire,
  settings: UpsSettings,
  shipment: { readonly from: Address; readonly to: Address; readonly parcel: Parcel },
  signal: AbortSignal,
): Promise<readonly RateQuote[]> {
  const answer = await wire.post(
    '/rating/v2409/Shoptimeintransit',
    { RateRequest: { Request: {}, Shipment: shipmentOf(settings, shipment) } },
    signal,
  );
  if (answer.status >= 400) throw refusedAddress(answer);
  return parseUpsRates(answer.json);
}

function shipmentOf(
  { account, shipper }: UpsSettings,
  { from, to, parcel }: { readonly from: Address; readonly to: Address; readonly parcel: Parcel },
) {
  const origin = upsAddress(from);
  return {
    Shipper: { Name: shipper.name, ShipperNumber: account, Address: origin },
    ShipTo: { Name: to.name ?? shipper.name, Address: upsAddress(to) },
    ShipFrom: { Name: shipper.name, Address: origin },
    PaymentDetails: { ShipmentCharge: [{ Type: '01', BillShipper: { AccountNumber: account } }] },
    ShipmentRatingOptions: { NegotiatedRatesIndicator: 'Y' },
    NumOfPieces: String(parcel.pieces),
    DeliveryTimeInformation: { PackageBillType: '03' },
    Package: { PackagingType: { Code: '02' }, PackageWeight: upsWeight(parcel.weightGrams) },
  };
}
