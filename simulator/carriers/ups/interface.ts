import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { distortionIn, type Fault, isTaken, type Operation } from '../faults.ts';
import { isGood, issueToken, type Room } from '../room.ts';
import { isNamed, refuse } from './answers.ts';
import { interceptRoutes } from './intercept.ts';
import { offerRate } from './rating.ts';
import { ship } from './shipping.ts';
import { notFoundResponse, trackResponse } from './tracking.ts';

export type Credentials = { readonly clientId: string; readonly clientSecret: string };

/** UPS's own paths: OAuth, Tracking, Rating, Shipping, Delivery Intercept. */
export function upsInterface(room: Room, credentials: Credentials): Router {
  const router = Router();
  router.post(
    '/security/v1/oauth/token',
    express.urlencoded({ limit: '10kb' }),
    faultsOf(room, 'token'),
    (request, response) => giveToken(room, credentials, request, response),
  );
  const api = Router();
  const guard = (path: string, operation: Operation) =>
    api.use(path, faultsOf(room, operation), tokenWanted(room));
  guard('/track', 'track');
  api.get('/track/v1/details/:number', (request, response) => track(room, request.params.number, response));
  api.get('/track/v1/reference/details/:reference', (request, response) => {
    const parcel = room.parcels.byReference(request.params.reference);
    if (parcel) response.json(trackResponse(parcel, room.now(), undefined));
    else refuse(response, 404, 'TW0001', 'Tracking Information Not Found');
  });
  guard('/rating', 'rate');
  api.post('/rating/v2409/Shoptimeintransit', (request, response) => offerRate(room, request, response));
  guard('/shipments', 'ship');
  api.post('/shipments/v2409/ship', (request, response) => ship(room, request, response));
  guard('/deliveryintercept', 'intercept');
  api.use('/deliveryintercept/v2', interceptRoutes(room));
  router.use('/api', api);
  return router;
}

function track(room: Room, number: string, response: Response): void {
  if (!/^[0-9A-Z]{7,34}$/.test(number)) {
    refuse(response, 400, 'TV1002', 'Invalid inquiry number.');
    return;
  }
  const parcel = room.parcels.find(number);
  response.json(
    parcel ? trackResponse(parcel, room.now(), distortionIn(faultIn(response))) : notFoundResponse(number),
  );
}

function giveToken(room: Room, credentials: Credentials, request: Request, response: Response): void {
  const { clientId, clientSecret } = credentials;
  const given = /^Basic +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? '';
  const expected = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  if (!timingSafeEqual(hashOf(given), hashOf(expected))) {
    refuse(response, 401, '10401', 'ClientId is Invalid');
    return;
  }
  if (grantOf(request.body) !== 'client_credentials') {
    refuse(response, 400, '10400', 'Invalid/Missing Authorization Header');
    return;
  }
  const { token, seconds } = issueToken(room);
  response.json({
    token_type: 'Bearer',
    issued_at: String(Date.now()),
    client_id: clientId,
    access_token: token,
    expires_in: String(seconds),
    status: 'approved',
  });
}

function grantOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'grant_type' in body ? body.grant_type : undefined;
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function tokenWanted(room: Room): RequestHandler {
  return (request, response, next) => {
    const token = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
    if (!isGood(room, token)) refuse(response, 401, '250002', 'Invalid Authentication Information.');
    else if (isNamed(request, response)) next();
  };
}

/** Latency, chance and the fault that is switched on, in this order. */
function faultsOf(room: Room, operation: Operation): RequestHandler {
  return async (_request, response, next) => {
    room.asked[operation] += 1;
    const { latencyMs, errorRate } = room.state;
    if (latencyMs > 0) await sleep(latencyMs);
    if (room.random() < errorRate) {
      refuse(response, 500, '10500', 'Internal server error.');
      return;
    }
    const fault = takeFault(room, operation);
    response.locals['fault'] = fault;
    if (!isTaken(fault, room.state, response)) next();
  };
}

/** One of those that are left, if it is for this request. */
function takeFault(room: Room, operation: Operation): Fault {
  const { fault, times, only } = room.state;
  if (!only.includes(operation) || times === 0) return 'none';
  if (times !== null) room.state = { ...room.state, times: times - 1 };
  return fault;
}

function faultIn(response: Response): Fault {
  // Written by `faultsOf` alone; Express keeps it as anything.
  return (response.locals['fault'] as Fault | undefined) ?? 'none';
}
