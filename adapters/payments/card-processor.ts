import {
  ConsecutiveBreaker,
  ExponentialBackoff,
  circuitBreaker,
  handleType,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { z } from 'zod';
import {
  type Charged,
  DECLINE_CODES,
  type DeclineCode,
  type PaymentProvider,
  PaymentUnknown,
} from '../../domain/payments.ts';

export type CardProcessorOptions = {
  readonly url: string;
  readonly key: string;
  /** For one attempt. Default 4000. */
  readonly attemptMs?: number;
  /** For all attempts together. Default 12000. */
  readonly deadlineMs?: number;
  /** Before the second attempt; grows from there. Default 200. */
  readonly backoffMs?: number;
};

const ATTEMPTS = 3;
/** Failures in a row after which nobody is asked for a while. */
const BREAKER = { failures: 10, halfOpenAfter: 10_000 };

const CHARGE = z.object({
  id: z.string().min(1).max(200),
  status: z.enum(['succeeded', 'pending', 'declined']),
  decline_code: z.string().nullish(),
});
const CHARGES = z.object({ data: z.array(CHARGE) });
const REFUND = z.object({ id: z.string().min(1).max(200), status: z.literal('succeeded') });

/** It may have been done, and nobody has said so: worth another attempt under the same key. */
class Unheard extends Error {}

/**
 * A card processor of the plain kind: `POST /v1/charges`, `GET /v1/charges?idempotency_key=`, `POST
 * /v1/charges/<id>/refunds`, each with an idempotency key, so that every attempt may be repeated.
 */
export function createCardProcessor(options: CardProcessorOptions): PaymentProvider {
  const ask = asker(options);
  return {
    charge: async ({ tenant, intentId, methodRef, amount }) =>
      chargedOf(
        await ask(CHARGE, 'charges', {
          key: intentId,
          body: {
            amount: amount.amountMinor,
            currency: amount.currency,
            method: methodRef,
            metadata: { shop: tenant, intent: intentId },
          },
        }),
      ),
    find: async (intentId) => {
      const { data } = await ask(CHARGES, `charges?idempotency_key=${encodeURIComponent(intentId)}`);
      return data[0] && chargedOf(data[0]);
    },
    refund: async ({ intentId, chargeRef, amount }) => {
      const { id } = await ask(REFUND, `charges/${encodeURIComponent(chargeRef)}/refunds`, {
        key: `${intentId}:refund`,
        body: { amount: amount.amountMinor, currency: amount.currency },
      });
      return { refundRef: id };
    },
  };
}

function chargedOf({ id, status, decline_code: code }: z.output<typeof CHARGE>): Charged {
  return status === 'declined'
    ? { outcome: 'declined', chargeRef: id, code: declineCode(code) }
    : { outcome: status, chargeRef: id };
}

function declineCode(code: string | null | undefined): DeclineCode {
  return DECLINE_CODES.find((known) => known === code) ?? 'declined';
}

type Post = { readonly key: string; readonly body: object };

function asker({ url, key, attemptMs = 4000, deadlineMs = 12_000, backoffMs = 200 }: CardProcessorOptions) {
  const base = url.endsWith('/') ? url : `${url}/`;
  const policy = wrap(
    timeout(deadlineMs, TimeoutStrategy.Aggressive),
    retry(handleType(Unheard), {
      maxAttempts: ATTEMPTS - 1,
      backoff: new ExponentialBackoff({ initialDelay: backoffMs, maxDelay: 2000 }),
    }),
    circuitBreaker(handleType(Unheard), {
      halfOpenAfter: BREAKER.halfOpenAfter,
      breaker: new ConsecutiveBreaker(BREAKER.failures),
    }),
  );
  return async <T>(schema: z.ZodType<T>, path: string, post?: Post): Promise<T> => {
    try {
      return await policy.execute(({ signal }) =>
        once(schema, new URL(`v1/${path}`, base), headersOf(key, post), post, attemptMs, signal),
      );
    } catch (error) {
      throw new PaymentUnknown('The card processor gave no answer that can be relied on.', { cause: error });
    }
  };
}

function headersOf(key: string, post: Post | undefined): Record<string, string> {
  return {
    authorization: `Bearer ${key}`,
    ...(post === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': post.key }),
  };
}

async function once<T>(
  schema: z.ZodType<T>,
  url: URL,
  headers: Record<string, string>,
  post: Post | undefined,
  attemptMs: number,
  signal: AbortSignal,
): Promise<T> {
  const response = await fetch(url, {
    method: post === undefined ? 'GET' : 'POST',
    headers,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]),
    ...(post === undefined ? {} : { body: JSON.stringify(post.body) }),
  }).catch((error: unknown) => {
    throw new Unheard('no answer', { cause: error });
  });
  const text = await response.text().catch((error: unknown) => {
    throw new Unheard('half an answer', { cause: error });
  });
  if (response.status === 429 || response.status >= 500) throw new Unheard(`HTTP ${response.status}`);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return understood(schema, text);
}

function understood<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new Unheard('an answer of another form', { cause: error });
  }
}
