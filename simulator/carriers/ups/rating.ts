import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Room } from '../room.ts';
import { refuse, shipment } from './answers.ts';
import { type Offer, offersFor } from './tariff.ts';
import { dayAndTime } from './times.ts';

const BODY = z.object({ RateRequest: z.object({ Shipment: shipment }) });

/** Rating's `Shoptimeintransit`: every service with its price and the day of arrival. */
export function offerRate(room: Room, request: Request, response: Response): void {
  const body = BODY.safeParse(request.body);
  if (!body.success) {
    refuse(response, 400, '9370701', 'The request is not well formed or the operation is not defined.');
    return;
  }
  const offers = offersFor(body.data.RateRequest.Shipment, room.now());
  if ('code' in offers) refuse(response, 400, offers.code, offers.message);
  else
    response.json({
      RateResponse: {
        Response: { ResponseStatus: { Code: '1', Description: 'Success' } },
        RatedShipment: offers.map(rated),
      },
    });
}

/** The account pays a tenth less than the list says. */
export function chargesOf({ currency, value }: Offer) {
  const decimals = value.includes('.') ? 2 : 0;
  return {
    TotalCharges: { CurrencyCode: currency, MonetaryValue: value },
    NegotiatedRateCharges: {
      TotalCharge: { CurrencyCode: currency, MonetaryValue: (Number(value) * 0.9).toFixed(decimals) },
    },
  };
}

function rated(offer: Offer) {
  const { date, time } = dayAndTime(offer.arrivesAt);
  return {
    Service: { Code: offer.service, Description: '' },
    BillingWeight: { UnitOfMeasurement: { Code: 'KGS' }, Weight: offer.kilograms.toFixed(1) },
    ...chargesOf(offer),
    TimeInTransit: {
      PackageBillType: '03',
      ServiceSummary: { EstimatedArrival: { Arrival: { Date: date, Time: time } } },
    },
  };
}
