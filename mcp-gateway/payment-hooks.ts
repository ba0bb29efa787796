import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type Charged, DECLINE_CODES, type PaymentCallback, type PaymentLedger } from '../domain/payments.ts';
import { Refusal } from '../domain/refusal.ts';
import { TIMESTAMP_HEADER, verifyWebhook } from '../platform/webhook-signature.ts';
import type { GatewayRecord } from './gateway-record.ts';
import { requestIdOf } from './http-errors.ts';

export type PaymentHookDeps = {
  readonly record: GatewayRecord;
  readonly ledger: Pick<PaymentLedger, 'callback'>;
  /** By provider. A provider without secrets has no door here. */
  readonly secrets: Readonly<Record<string, readonly string[]>>;
  readonly now?: () => Date;
};

const LARGEST_CALLBACK = '256kb';
const SIGNATURE_HEADER = 'X-Hmac-Signature';
const name = z
  .string()
  .max(200)
  .regex(/^[!-~]+$/);

const CALLBACK = z.object({
  id: name,
  data: z.object({
    id: name,
    idempotency_key: name,
    status: z.enum(['succeeded', 'pending', 'declined']),
    decline_code: z.string().nullish(),
    amount: z.int().min(0),
    currency: z.string().regex(/^[A-Z]{3}$/),
    metadata: z.object({ shop: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) }),
  }),
});

/**
 * Where card processors say how a charge ended. Whatever carries a good signature is answered with 200, so that it is
 * not sent for ever, and kept with what came of it; it changes an order only through the order's own events.
 */
export function paymentHooks(deps: PaymentHookDeps): Router {
  const router = Router();
  router.post(
    '/payments/:provider',
    express.raw({ type: () => true, limit: LARGEST_CALLBACK }),
    async (request, response) => {
      const provider = await signer(request, response);
      const { tenant, callback } = callbackOf(provider, rawBody(request));
      const { verdict } = await deps.ledger.callback(tenant, callback);
      if (verdict === 'unknown_shop') await refused('unknown_shop', response);
      response.json({ status: verdict });
    },
  );
  return router;

  /** @throws {Refusal} not_found, unauthenticated (recorded) */
  async function signer(request: Request, response: Response): Promise<string> {
    const provider = String(request.params['provider']);
    const secrets = Object.hasOwn(deps.secrets, provider) ? deps.secrets[provider] : undefined;
    if (secrets === undefined || secrets.length === 0)
      throw new Refusal('not_found', 'No payment provider of this name calls here.');
    const verdict = verifyWebhook(
      {
        body: rawBody(request),
        signature: request.get(SIGNATURE_HEADER),
        // Without one there would be no window, and a recorded callback would be good for ever.
        timestamp: request.get(TIMESTAMP_HEADER) ?? '',
      },
      secrets,
      { nowMs: (deps.now?.() ?? new Date()).getTime() },
    );
    if (verdict === 'valid') return provider;
    await refused(`signature_${verdict}`, response);
    throw new Refusal('unauthenticated', 'The signature is not good, or is too old.');
  }

  function refused(reason: string, response: Response) {
    const moment = { event: 'denied', outcome: 'denied', final: true, transport: 'webhook' } as const;
    return deps.record.write({
      ...moment,
      tool: 'payment_callback',
      reason,
      requestId: requestIdOf(response),
    });
  }
}

function rawBody({ body }: Request): Buffer {
  const raw: unknown = body;
  return Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
}

/** @throws {Refusal} invalid_arguments */
function callbackOf(
  provider: string,
  body: Buffer,
): { readonly tenant: string; readonly callback: PaymentCallback } {
  const parsed = CALLBACK.safeParse(jsonIn(body));
  if (!parsed.success) throw new Refusal('invalid_arguments', 'This is no callback about a charge.');
  const { id: eventId, data } = parsed.data;
  return {
    tenant: data.metadata.shop,
    callback: {
      provider,
      eventId,
      intentId: data.idempotency_key,
      charged: chargedOf(data),
      amount: { amountMinor: data.amount, currency: data.currency },
    },
  };
}

function chargedOf({ id, status, decline_code }: z.output<typeof CALLBACK>['data']): Charged {
  return status === 'declined'
    ? {
        outcome: 'declined',
        chargeRef: id,
        code: DECLINE_CODES.find((known) => known === decline_code) ?? 'declined',
      }
    : { outcome: status, chargeRef: id };
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
