import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { CarrierFault } from './faults.ts';

/** Waits for a place when one comes free in time. */
export type RateLimit = (leftMs: () => number, signal: AbortSignal) => Promise<void>;

/** At most this many requests in any second that starts with a request. */
export function rateLimit(requestsPerSecond: number): RateLimit {
  const limiter = new RateLimiterMemory({ points: requestsPerSecond, duration: 1 });
  return async (leftMs, signal) => {
    for (;;) {
      const waitMs = await place(limiter);
      if (waitMs === 0) return;
      if (waitMs >= leftMs())
        throw new CarrierFault('rate_limited', 'Too many requests to this carrier within a second.', {
          retryAfterMs: waitMs,
          untouched: true,
        });
      await sleep(waitMs, undefined, { signal }).catch(() => {
        throw new CarrierFault('timeout', 'The request was given up before it left.', { untouched: true });
      });
    }
  };
}

/** Zero: taken. Otherwise how long until the next may come free. */
async function place(limiter: RateLimiterMemory): Promise<number> {
  try {
    await limiter.consume('all');
    return 0;
  } catch (error) {
    if (error instanceof RateLimiterRes) return Math.max(1, error.msBeforeNext);
    throw error;
  }
}
