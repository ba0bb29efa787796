import { z } from 'zod';
import { CarrierFault } from './faults.ts';
import { type CarrierRequest, exchange } from './http.ts';

export type Credentials = { readonly clientId: string; readonly clientSecret: string };

/** Tokens of the client credentials grant, one at a time. */
export type TokenSource = {
  /** Runs `use` with a token; once more with a fresh one when the carrier refuses it. */
  with<T>(signal: AbortSignal, use: (token: string) => Promise<T>): Promise<T>;
};

const TOKEN = z.object({
  access_token: z.string().min(1).max(16_384),
  // UPS sends it as text, FedEx as a number.
  expires_in: z.coerce.number().positive().max(31_536_000),
});

/** A token is not used in the last part of its life: it could end on the way. */
const MARGIN = { ms: 60_000, share: 0.1 };

/** The request for a token may take this long, whoever waits for it. */
const TOKEN_TIMEOUT_MS = 5_000;

type Held = { readonly token: string; readonly until: number };

/**
 * Keeps the token in memory until shortly before it ends and asks for the next one once,
 * however many requests want it.
 */
export function tokenSource(request: CarrierRequest, now: () => number = Date.now): TokenSource {
  let held: Held | undefined;
  let flight: Promise<Held> | undefined;

  const current = async (signal: AbortSignal): Promise<string> => {
    if (held !== undefined && held.until > now()) return held.token;
    // The flight is everybody's: a caller who gives up leaves it to the others.
    flight ??= obtain(request, now)
      .then((next) => (held = next))
      .finally(() => (flight = undefined));
    return (await orAborted(flight, signal)).token;
  };

  return {
    with: async (signal, use) => {
      const token = await current(signal);
      try {
        return await use(token);
      } catch (error) {
        if (!(error instanceof CarrierFault) || !error.isTokenRefused) throw error;
        // Somebody else may have replaced it already.
        if (held?.token === token) held = undefined;
        return use(await current(signal));
      }
    },
  };
}

async function obtain(request: CarrierRequest, now: () => number): Promise<Held> {
  const { status, json } = await exchange(request, AbortSignal.timeout(TOKEN_TIMEOUT_MS), 64 * 1024);
  if (status >= 400) throw new CarrierFault('unauthorised', 'The carrier refused our credentials.');
  const parsed = TOKEN.safeParse(json);
  if (!parsed.success) throw new CarrierFault('garbled', 'The carrier’s token answer makes no sense.');
  const lifeMs = parsed.data.expires_in * 1000;
  return {
    token: parsed.data.access_token,
    until: now() + lifeMs - Math.min(MARGIN.ms, lifeMs * MARGIN.share),
  };
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const tooLate = () =>
    new CarrierFault('timeout', 'The carrier gave no token in time.', { untouched: true });
  // Whoever waits handles it; a flight that nobody waits for any more must not end the process.
  promise.catch(() => undefined);
  if (signal.aborted) return Promise.reject(tooLate());
  return new Promise((resolve, reject) => {
    const abort = () => reject(tooLate());
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
