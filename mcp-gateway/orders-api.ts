import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { field } from '../catalog/field.ts';
import type { Outcome } from '../domain/audit.ts';
import type { IncomingOrderEvent, OrderInbox } from '../domain/order-events.ts';
import { bareOrderId } from '../domain/order-ids.ts';
import type { Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ApiDeps } from './approvals-api.ts';
import { requireScope } from './authenticate.ts';
import { requestIdOf } from './http-errors.ts';
import { invalidArguments, problemsOf } from './render.ts';

/** What a warehouse can say. Money and deliveries have tellers of their own. */
const KINDS = ['packed', 'shipped', 'return_initiated'] as const;

const instant = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) >= Date.UTC(2000, 0), { error: 'lies before the year 2000' });

const EVENT = z
  .strictObject({
    event_id: z.string().regex(/^[\x21-\x7E]{1,128}$/),
    kind: z.enum(KINDS),
    happened_at: instant.optional(),
    carrier: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/)
      .optional(),
    tracking_number: z
      .string()
      .regex(/^[A-Za-z0-9-]{5,40}$/)
      .optional(),
    estimated_delivery: instant.optional(),
  })
  .refine(({ kind, carrier, tracking_number }) => kind !== 'shipped' || (carrier && tracking_number), {
    error: 'shipped needs carrier and tracking_number',
  })
  .refine(
    ({ kind, carrier, tracking_number, estimated_delivery }) =>
      kind === 'shipped' || !(carrier ?? tracking_number ?? estimated_delivery),
    { error: 'only shipped has a parcel' },
  );
type Told = z.output<typeof EVENT>;

/**
 * Where the warehouse says what it did. What is told is kept and answered at once, and judged by the order's workflow.
 * A repeat is the same order, kind and event_id.
 */
export function ordersApi({
  core,
  authenticate,
  inbox,
  now = () => new Date(),
}: ApiDeps & { readonly inbox: OrderInbox }): Router {
  const router = Router();

  router.post('/orders/:order_id/events', async (request, response) => {
    const principal = await person(request, response);
    const record = (outcome: Outcome, reason?: string, details = {}) =>
      core.record.write({
        tool: 'orders.events',
        event: outcome === 'denied' ? 'denied' : 'call',
        outcome,
        final: true,
        ...(reason === undefined ? {} : { reason }),
        principal,
        transport: 'api',
        requestId: requestIdOf(response),
        details,
      });
    try {
      const { orderId, told } = toldIn(request);
      const status = await inbox.receive(principal.tenant, eventOf(orderId, told, principal, now()));
      if (status === 'unknown_order') throw new Refusal('not_found', 'There is no such order.');
      const said = { order_id: orderId, kind: told.kind, event_id: told.event_id, status };
      await record('ok', undefined, said);
      response.status(status === 'accepted' ? 202 : 200).json(said);
    } catch (error) {
      // Without an answer of the database the event may have been kept.
      if (error instanceof Refusal)
        await record(error.code === 'unavailable' ? 'unknown' : 'refused', error.code);
      throw error;
    }
  });

  return router;

  /** A login of the warehouse, without an agent between. */
  async function person(request: Request, response: Response): Promise<Principal> {
    const principal = await authenticate(request, response);
    await requireScope(core.record, principal, 'orders:write', response);
    if (principal.interactive && principal.actor === undefined) return principal;
    await core.record.write({
      tool: 'orders.events',
      event: 'denied',
      outcome: 'denied',
      final: true,
      reason: 'forbidden',
      principal,
      transport: 'api',
      requestId: requestIdOf(response),
    });
    throw new Refusal(
      'forbidden',
      'Only a person who logged in may say what the warehouse did; this token was not made by a login.',
    );
  }
}

/** @throws {Refusal} not_found, invalid_arguments */
function toldIn({ params, body }: Request): { readonly orderId: string; readonly told: Told } {
  const orderId = field.order_id.safeParse(params['order_id']);
  if (!orderId.success) throw new Refusal('not_found', 'There is no such order.');
  const told = EVENT.safeParse(body);
  if (!told.success) throw invalidArguments(problemsOf(told.error));
  return { orderId: orderId.data, told: told.data };
}

function eventOf(orderId: string, told: Told, { subject }: Principal, now: Date): IncomingOrderEvent {
  const { event_id, kind, happened_at, carrier, tracking_number, estimated_delivery } = told;
  return {
    // Warehouses count their events anew for each order.
    eventId: `warehouse:${bareOrderId(orderId)}:${kind}:${event_id}`,
    orderId,
    kind,
    happenedAt: happened_at ?? now.toISOString(),
    source: 'warehouse',
    actor: subject,
    ...(carrier === undefined || tracking_number === undefined
      ? {}
      : {
          parcel: {
            carrier,
            trackingNumber: tracking_number,
            ...(estimated_delivery === undefined ? {} : { estimatedDelivery: estimated_delivery }),
          },
        }),
  };
}
