import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  DelegateBackoff,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  retry,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import type { CarrierError, CarrierMetrics, CarrierProblem, Patience } from '../../domain/carriers.ts';
import { asCarrierError, CarrierFault } from './faults.ts';
import { hedged } from './hedge.ts';
import { rateLimit } from './rate-limit.ts';

export type ResilienceSettings = {
  /** No call takes longer, whatever its caller would bear. */
  readonly deadlineMs: number;
  /** To one carrier from this process. */
  readonly requestsPerSecond: number;
  readonly concurrency: number;
  readonly attempts: number;
  readonly firstBackoffMs: number;
  /** Failures in a row that open the circuit, and how long it stays open. */
  readonly circuit: { readonly failures: number; readonly openMs: number };
  /** A read that takes longer is asked a second time beside the first. Undefined: never. */
  readonly hedgeAfterMs: number | undefined;
};

export const RESILIENCE: ResilienceSettings = {
  deadlineMs: 4_000,
  requestsPerSecond: 20,
  concurrency: 32,
  attempts: 4,
  firstBackoffMs: 50,
  circuit: { failures: 5, openMs: 10_000 },
  hedgeAfterMs: undefined,
};

/** `read` may be repeated at will; `write` only when the carrier certainly did nothing. */
export type Operation = { readonly name: string; readonly kind: 'read' | 'write' };

/** Runs one carrier's calls so that each answers, or fails for a named reason, within its deadline. */
export type Guard = <T>(
  operation: Operation,
  patience: Patience,
  call: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** One attempt may take this part of the deadline, so that a carrier that hangs once is asked again. */
const ATTEMPT_SHARE = 0.45;
/** With less than this part left, another attempt would only be cut off. */
const USEFUL_SHARE = 0.1;

export function createGuard(carrier: string, settings: ResilienceSettings, metrics?: CarrierMetrics): Guard {
  const breaker = breakerOf(carrier, settings, metrics);
  const admitted = wrap(breaker, bulkhead(settings.concurrency, settings.concurrency * 4));
  const limited = rateLimit(settings.requestsPerSecond);

  const attemptOnce = async <T>(
    operation: Operation,
    attemptMs: number,
    call: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const start = performance.now();
    const report = (outcome: 'ok' | CarrierProblem) =>
      metrics?.attempt(carrier, operation.name, outcome, (performance.now() - start) / 1000);
    try {
      const result = await admitted.execute(
        ({ signal: inner }) =>
          timeout(attemptMs, TimeoutStrategy.Aggressive)
            .execute(({ signal: own }) => call(own), inner)
            .catch((error: unknown) => rethrow(error)),
        signal,
      );
      report('ok');
      return result;
    } catch (error) {
      const failure = inOurWords(error);
      report(failure.problem);
      throw failure;
    }
  };

  return async (operation, patience, call) => {
    const deadlineMs = Math.max(1, Math.min(patience.deadlineMs, settings.deadlineMs));
    const end = performance.now() + deadlineMs;
    const left = () => end - performance.now();
    const attempt = async (signal: AbortSignal) => {
      patience.heartbeat?.();
      await limited(left, signal);
      return attemptOnce(operation, Math.min(left(), deadlineMs * ATTEMPT_SHARE), call, signal);
    };
    const tries = retries(operation, settings, () => left() - deadlineMs * USEFUL_SHARE);
    try {
      return await timeout(deadlineMs, TimeoutStrategy.Aggressive).execute(
        ({ signal }) =>
          tries.execute(
            ({ signal: each }) =>
              operation.kind === 'read' && settings.hedgeAfterMs !== undefined
                ? hedged(settings.hedgeAfterMs, attempt, each)
                : attempt(each),
            signal,
          ),
        patience.signal,
      );
    } catch (error) {
      throw inOurWords(error);
    }
  };
}

/** Exponential with jitter, longer where the carrier asks for it, and never a wait that the deadline would cut off. */
function retries({ kind }: Operation, settings: ResilienceSettings, usableMs: () => number) {
  let backoff: IBackoff<unknown> = new ExponentialBackoff({
    initialDelay: settings.firstBackoffMs,
    maxDelay: 2_000,
  }).next();
  let delay = 0;
  const fits = (error: Error) => {
    if (!(error instanceof CarrierFault) || !repeatable(error, kind)) return false;
    delay = Math.max(backoff.duration, error.retryAfterMs ?? 0);
    backoff = backoff.next(undefined);
    return delay < usableMs();
  };
  return retry(handleWhen(fits), {
    maxAttempts: settings.attempts - 1,
    backoff: new DelegateBackoff(() => delay),
  });
}

const TRANSIENT: ReadonlySet<CarrierProblem> = new Set(['timeout', 'rate_limited', 'down', 'garbled']);

function repeatable(fault: CarrierFault, kind: Operation['kind']): boolean {
  if (!TRANSIENT.has(fault.problem) || fault instanceof CircuitOpen) return false;
  return kind === 'read' || fault.untouched;
}

/** Asking again at once would only meet the same open circuit. */
class CircuitOpen extends CarrierFault {}

function breakerOf(carrier: string, { circuit }: ResilienceSettings, metrics: CarrierMetrics | undefined) {
  // What the carrier answers in good order – also "too many requests" – is no sign of its being down.
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof CarrierFault && ['timeout', 'down'].includes(error.problem)),
    { breaker: new ConsecutiveBreaker(circuit.failures), halfOpenAfter: circuit.openMs },
  );
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) metrics?.circuit(carrier, 'open');
    if (state === CircuitState.HalfOpen) metrics?.circuit(carrier, 'half-open');
    if (state === CircuitState.Closed) metrics?.circuit(carrier, 'closed');
  });
  return breaker;
}

function rethrow(error: unknown): never {
  throw inOurWords(error);
}

function inOurWords(error: unknown): CarrierError {
  if (error instanceof BrokenCircuitError)
    return new CircuitOpen('down', 'The carrier has failed several times in a row and is left alone.', {
      untouched: true,
    });
  if (error instanceof BulkheadRejectedError)
    return new CarrierFault('rate_limited', 'Too many requests to this carrier at once.', {
      untouched: true,
    });
  if (error instanceof TaskCancelledError)
    return new CarrierFault('timeout', 'The carrier did not answer in time.');
  return asCarrierError(error);
}
