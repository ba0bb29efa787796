import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Room } from '../room.ts';
import { refuse, shipment, type UpsAddress } from './answers.ts';
import { chargesOf } from './rating.ts';
import { offersFor } from './tariff.ts';

const BODY = z.object({
  ShipmentRequest: z.object({ Shipment: shipment.extend({ Service: z.object({ Code: z.string() }) }) }),
});

/** A picture of one pixel stands for the label. */
const LABEL = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

/** Books a parcel. As with UPS, the same request twice is two parcels. */
export function ship(room: Room, request: Request, response: Response): void {
  const body = BODY.safeParse(request.body);
  if (!body.success) {
    refuse(response, 400, '9120002', 'The request is not well formed.');
    return;
  }
  const { Shipment } = body.data.ShipmentRequest;
  const now = room.now();
  const offers = offersFor(Shipment, now);
  if ('code' in offers) {
    refuse(response, 400, offers.code, offers.message);
    return;
  }
  const offer = offers.find(({ service }) => service === Shipment.Service.Code);
  if (offer === undefined) {
    refuse(response, 400, '121210', 'The requested service is unavailable between the selected locations.');
    return;
  }
  const { trackingNumber } = room.parcels.add({
    service: offer.service,
    from: placeOf(Shipment.ShipFrom.Address),
    to: placeOf(Shipment.ShipTo.Address),
    bookedAt: now,
    promisedAt: offer.arrivesAt,
    reference: Shipment.Package[0]?.ReferenceNumber?.[0]?.Value,
  });
  const { TotalCharges, NegotiatedRateCharges } = chargesOf(offer);
  response.json({
    ShipmentResponse: {
      Response: { ResponseStatus: { Code: '1', Description: 'Success' } },
      ShipmentResults: {
        ShipmentIdentificationNumber: trackingNumber,
        ShipmentCharges: { TotalCharges },
        NegotiatedRateCharges,
        PackageResults: [
          {
            TrackingNumber: trackingNumber,
            ShippingLabel: { ImageFormat: { Code: 'GIF' }, GraphicImage: LABEL },
          },
        ],
      },
    },
  });
}

function placeOf({ City, CountryCode }: UpsAddress) {
  return { city: City, country: CountryCode };
}
