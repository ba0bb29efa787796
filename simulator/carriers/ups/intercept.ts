import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { isDelivered, type SimulatedParcel } from '../parcels.ts';
import type { Room } from '../room.ts';
import { refuse } from './answers.ts';

const ASKED = z.object({
  requestType: z.string(),
  requesterContactInfo: z.object({ name: z.string(), telephone: z.string() }),
  specialInstructions: z.string().nullable(),
  newDeliveryAddress: z
    .object({
      addressInfo: z.object({
        city: z.string(),
        state: z.string(),
        countryCode: z.string().regex(/^[A-Z]{2}$/),
      }),
    })
    .optional(),
});

type Wanted = Request<{ number: string }>;

/** Delivery Intercept v2: a return, another address, and whether there is such a request to be cancelled. */
export function interceptRoutes(room: Room): Router {
  const router = Router();
  router.post('/return/:number', (request: Wanted, response) => intercept(room, 'RTS', request, response));
  router.post('/redirect/address/:number', (request: Wanted, response) =>
    intercept(room, 'RD', request, response),
  );
  router.post('/cancel/:number', (request: Wanted, response) => cancel(room, request, response));
  router.get('/eligibility/intercept/:number', (request: Wanted, response) => {
    const parcel = known(room, request, response);
    if (parcel) response.json(eligibilityOf(parcel, room.now()));
  });
  return router;
}

function known(room: Room, request: Wanted, response: Response): SimulatedParcel | undefined {
  const parcel = room.parcels.find(request.params.number);
  if (!parcel) refuse(response, 404, '404', 'The tracking number is not found.');
  return parcel;
}

function intercept(room: Room, feature: 'RTS' | 'RD', request: Wanted, response: Response): void {
  const parcel = known(room, request, response);
  if (!parcel) return;
  const asked = ASKED.safeParse(request.body);
  const to = asked.data?.newDeliveryAddress?.addressInfo;
  if (!asked.success || (feature === 'RD' && to === undefined)) {
    refuse(response, 400, '710', 'Failure due to input validation error');
    return;
  }
  const now = room.now();
  if (parcel.intercepts.has(feature) || isDelivered(parcel, now)) {
    refuse(response, 400, '720', 'The package is not eligible for this request.');
    return;
  }
  const intercepts = new Set([...parcel.intercepts, feature]);
  room.parcels.change(parcel.trackingNumber, {
    intercepts,
    ...(to === undefined ? {} : { to: { city: to.city, country: to.countryCode } }),
    ...(feature === 'RD'
      ? {}
      : { extra: [...parcel.extra, { state: 'return_to_sender', at: now, place: parcel.to }] }),
  });
  accepted(response);
}

function cancel(room: Room, request: Wanted, response: Response): void {
  const parcel = known(room, request, response);
  if (!parcel) return;
  if (parcel.intercepts.size === 0) {
    refuse(response, 400, '720', 'There is no request to cancel.');
    return;
  }
  room.parcels.change(parcel.trackingNumber, {
    intercepts: new Set(),
    extra: parcel.extra.filter(({ state }) => state !== 'return_to_sender'),
  });
  accepted(response);
}

function accepted(response: Response): void {
  response.json({
    transactionId: randomUUID().replaceAll('-', '').slice(0, 11),
    statusCode: '000',
    statusMsg: 'Success',
    success: true,
    errors: null,
    subStatusCode: '',
  });
}

function eligibilityOf(parcel: SimulatedParcel, now: Date) {
  const said = (eligible: boolean) => (eligible ? 'ELIGIBLE' : 'NOT_ELIGIBLE');
  return {
    response: {
      transactionId: randomUUID().replaceAll('-', '').slice(0, 11),
      statusCode: '000',
      statusMsg: 'SUCCESS',
      success: true,
      errors: null,
      warnings: null,
      commonEligibilityMap: ['RTS', 'RD'].map((feature) => {
        const isThere = parcel.intercepts.has(feature);
        return {
          interceptFeature: feature,
          eligibilityValue: {
            createEligibility: said(!isThere && !isDelivered(parcel, now)),
            modifyEligibility: said(false),
            cancelEligibility: said(isThere),
          },
        };
      }),
    },
  };
}
