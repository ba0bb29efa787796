import type { Request, Response } from 'express';
import { z } from 'zod';

/** UPS's form of a refusal. */
export function refuse(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ response: { errors: [{ code, message }] } });
}

/** Every interface of UPS wants to know who asks. False: it has been refused. */
export function isNamed(request: Request, response: Response): boolean {
  if (request.get('transId') && request.get('transactionSrc')) return true;
  refuse(response, 400, '10002', 'The headers transId and transactionSrc are required.');
  return false;
}

const address = z.object({
  AddressLine: z.union([z.string(), z.array(z.string())]).optional(),
  City: z.string().max(30),
  StateProvinceCode: z.string().optional(),
  PostalCode: z.string().max(16),
  CountryCode: z.string(),
});
export type UpsAddress = z.output<typeof address>;

const party = z.object({ Address: address });
const weight = z.object({
  UnitOfMeasurement: z.object({ Code: z.enum(['KGS', 'LBS']) }),
  Weight: z.string().regex(/^\d{1,5}(\.\d{1,2})?$/),
});

/** What Rating and Shipping have in common. A package may be the only one, or a list. */
export const shipment = z.object({
  ShipTo: party,
  ShipFrom: party,
  Package: z
    .unknown()
    .transform((value): readonly unknown[] => (Array.isArray(value) ? value : [value]))
    .pipe(
      z
        .array(
          z.object({
            PackageWeight: weight,
            ReferenceNumber: z.array(z.object({ Value: z.string().max(35) })).optional(),
          }),
        )
        .min(1),
    ),
});
export type UpsShipment = z.output<typeof shipment>;

export function kilogramsOf({ Package }: UpsShipment): number {
  return Package.reduce((sum, { PackageWeight: { UnitOfMeasurement, Weight } }) => {
    return sum + Number(Weight) * (UnitOfMeasurement.Code === 'LBS' ? 0.453_592 : 1);
  }, 0);
}
