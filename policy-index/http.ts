import { ConsecutiveBreaker, ExponentialBackoff, circuitBreaker, handleWhen, retry, wrap } from 'cockatiel';
import type { z } from 'zod';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** The service answered with a status that is not success. Its text is left out: it may repeat what was sent. */
class BadStatus extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The service answered with status ${status}.`);
    this.name = 'BadStatus';
    this.status = status;
  }
}

/**
 * Posts JSON to one service and reads JSON back, with two more tries when it is busy or away, and none for half a
 * minute after it failed five times in a row.
 *
 * @throws what went wrong, as it is: callers make it an error of their own.
 */
export function createPoster(options: { readonly apiKey?: string | undefined }) {
  const isPassing = (error: Error) =>
    !(error instanceof BadStatus) || error.status === 429 || error.status >= 500;
  const policy = wrap(
    retry(handleWhen(isPassing), { maxAttempts: 2, backoff: new ExponentialBackoff({ initialDelay: 200 }) }),
    circuitBreaker(handleWhen(isPassing), { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
  );

  async function once<T>(url: string, body: object, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
      },
      body: JSON.stringify(body),
      signal,
      // A key must not follow a redirect to somebody else.
      redirect: 'error',
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      throw new BadStatus(answer.status);
    }
    return schema.parse(JSON.parse(await bounded(answer)));
  }

  return <T>(url: string, body: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> =>
    policy.execute((context) => {
      const signals = [AbortSignal.timeout(TIMEOUT_MS), context.signal, ...(signal ? [signal] : [])];
      return once(url, body, schema, AbortSignal.any(signals));
    }, signal);
}

/** An address that may end in slashes, and what comes after it. */
export function joined(url: string, path: string): string {
  return `${url.replace(/\/+$/, '')}/${path}`;
}

async function bounded(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of answer.body ?? []) {
    size += piece.length;
    if (size > MOST_BYTES) throw new Error('The service answered with more than anybody asked for.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
