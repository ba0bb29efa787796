import { z } from 'zod';
import type { Address, CarrierClient, Parcel } from '../../../domain/carriers.ts';
import type { Money } from '../../../domain/money.ts';
import { CarrierFault } from '../faults.ts';
import { listOf } from '../loose.ts';
import {
  refusedAddress,
  transIdOf,
  type UpsSettings,
  type UpsWire,
  upsAddress,
  upsWeight,
} from './interface.ts';
import { CHARGES, moneyOf, upsRates } from './rating.ts';
import { serviceCode } from './services.ts';

type LabelRequest = Parameters<CarrierClient['label']>[0];
type Label = Awaited<ReturnType<CarrierClient['label']>>;

const NUMBER = z.string().regex(/^[0-9A-Z]{7,34}$/);

const ANSWER = z.object({
  ShipmentResponse: z.object({
    ShipmentResults: z.object({
      ShipmentCharges: z.object({ TotalCharges: CHARGES.TotalCharges }).optional().catch(undefined),
      NegotiatedRateCharges: CHARGES.NegotiatedRateCharges,
      PackageResults: listOf(z.object({ TrackingNumber: NUMBER })),
    }),
  }),
});

const BOOKED = z.object({
  trackResponse: z.object({
    shipment: listOf(z.object({ package: listOf(z.object({ trackingNumber: NUMBER })) })),
  }),
});

/**
 * Books a parcel under a reference made of the key. UPS has no idempotency of its own, so it is asked for a parcel
 * of that reference first: the answer to an earlier attempt may have been lost.
 */
export async function upsLabel(
  wire: UpsWire,
  settings: UpsSettings,
  request: LabelRequest,
  key: string,
  signal: AbortSignal,
): Promise<Label> {
  const reference = transIdOf(key);
  const booked = await bookedBefore(wire, reference, signal);
  if (booked !== undefined)
    return { carrier: 'UPS', trackingNumber: booked, cost: await costOf(wire, settings, request, signal) };
  const answer = await wire.post('/shipments/v2409/ship', shipmentOf(settings, request, reference), signal, {
    transId: reference,
  });
  if (answer.status >= 400) throw refusedAddress(answer);
  return parseUpsLabel(answer.json);
}

/** @throws {CarrierError} garbled */
export function parseUpsLabel(answer: unknown): Label {
  const parsed = ANSWER.safeParse(answer);
  const results = parsed.data?.ShipmentResponse.ShipmentResults;
  const trackingNumber = results?.PackageResults[0]?.TrackingNumber;
  const cost = results && moneyOf({ ...results, TotalCharges: results.ShipmentCharges?.TotalCharges });
  if (trackingNumber === undefined || cost === undefined)
    throw new CarrierFault('garbled', 'UPS’s label has no tracking number or no price.');
  return { carrier: 'UPS', trackingNumber, cost };
}

async function bookedBefore(
  wire: UpsWire,
  reference: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, json } = await wire.get(`/track/v1/reference/details/${reference}`, signal);
  if (status === 404 || status === 400) return undefined;
  const parsed = BOOKED.safeParse(json);
  if (!parsed.success) throw new CarrierFault('garbled', 'UPS’s answer about a reference makes no sense.');
  return parsed.data.trackResponse.shipment.flatMap((one) => one.package)[0]?.trackingNumber;
}

async function costOf(
  wire: UpsWire,
  settings: UpsSettings,
  request: LabelRequest,
  signal: AbortSignal,
): Promise<Money> {
  const quote = (await upsRates(wire, settings, request, signal)).find(
    ({ service }) => service === request.service,
  );
  if (quote === undefined)
    throw new CarrierFault('garbled', 'The parcel is booked, but UPS names no price for its service.');
  return quote.cost;
}

function shipmentOf(
  { account, shipper }: UpsSettings,
  { from, to, parcel, service }: { from: Address; to: Address; parcel: Parcel; service: string },
  reference: string,
) {
  const us = { Name: shipper.name, AttentionName: shipper.name, Phone: { Number: shipper.phone } };
  const recipient = to.name ?? shipper.name;
  return {
    ShipmentRequest: {
      Request: { RequestOption: 'nonvalidate', TransactionReference: { CustomerContext: reference } },
      Shipment: {
        Shipper: { ...us, ShipperNumber: account, Address: upsAddress(from) },
        ShipTo: { Name: recipient.slice(0, 35), Address: upsAddress(to) },
        ShipFrom: { ...us, Address: upsAddress(from) },
        PaymentInformation: { ShipmentCharge: [{ Type: '01', BillShipper: { AccountNumber: account } }] },
        ShipmentRatingOptions: { NegotiatedRatesIndicator: 'X' },
        Service: { Code: serviceCode(service) },
        Package: {
          Packaging: { Code: '02' },
          PackageWeight: upsWeight(parcel.weightGrams),
          ReferenceNumber: [{ Value: reference }],
        },
      },
      LabelSpecification: { LabelImageFormat: { Code: 'GIF' } },
    },
  };
}
