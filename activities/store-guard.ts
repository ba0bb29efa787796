import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import type { CacheKind, CacheMetrics } from '../domain/cache.ts';

export type BreakerOptions = {
  /** One store operation may take this long. */
  readonly timeoutMs?: number;
  /** Failures in a row that open the circuit. */
  readonly failures?: number;
  /** How long the store is left alone before one operation may try it again. */
  readonly retryAfterMs?: number;
};

/** What the store answered, or undefined when it is gone, slow or left alone. Never rejects. */
export type StoreGuard = <T>(kind: CacheKind, operation: () => Promise<T>) => Promise<T | undefined>;

/** Keeps a store that is gone or slow from failing or holding up a read. */
export function createStoreGuard(options: {
  readonly breaker?: BreakerOptions;
  readonly metrics?: CacheMetrics;
  readonly onStoreChange?: (isAvailable: boolean) => void;
}): StoreGuard {
  const { timeoutMs = 250, failures = 3, retryAfterMs = 1000 } = options.breaker ?? {};
  const circuit = circuitBreaker(handleAll, {
    halfOpenAfter: retryAfterMs,
    breaker: new ConsecutiveBreaker(failures),
  });
  let isAvailable = true;
  circuit.onStateChange((state) => {
    // A failed trial opens the circuit again, which is no news.
    const isNews = state === CircuitState.Open ? isAvailable : state === CircuitState.Closed && !isAvailable;
    if (!isNews) return;
    isAvailable = !isAvailable;
    options.onStoreChange?.(isAvailable);
  });
  return async (kind, operation) => {
    try {
      return await circuit.execute(() => within(timeoutMs, operation));
    } catch (error) {
      // Decided here: without the store a read goes on. Only what the store did wrong counts, not being left alone.
      if (!(error instanceof BrokenCircuitError)) options.metrics?.count('store_error', kind);
      return undefined;
    }
  };
}

/** Cockatiel's own timeout hangs a listener for each call on one shared signal, and Node warns of the eleventh. */
async function within<T>(timeoutMs: number, operation: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`The cache store took longer than ${timeoutMs} ms.`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([operation(), late]);
  } finally {
    clearTimeout(timer);
  }
}
