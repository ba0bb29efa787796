import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import type { CarrierError, CarrierMetrics, CarrierProblem } from '../../domain/carriers.ts';
import { asCarrierError, CarrierFault } from './faults.ts';

export type AttemptSettings = {
  /** At one carrier from this process; four times as many may wait. */
  readonly concurrency: number;
  /** Failures in a row that open the circuit, and how long it stays open. */
  readonly circuit: { readonly failures: number; readonly openMs: number };
};

/** One attempt at one carrier, behind its circuit breaker and its bulkhead. */
export type Attempt = <T>(
  operation: string,
  attemptMs: number,
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

export function attemptsAt(carrier: string, settings: AttemptSettings, metrics?: CarrierMetrics): Attempt {
  const admitted = wrap(
    breakerOf(carrier, settings, metrics),
    bulkhead(settings.concurrency, settings.concurrency * 4),
  );
  return async (operation, attemptMs, call, signal) => {
    const start = performance.now();
    const report = (outcome: 'ok' | CarrierProblem) =>
      metrics?.attempt(carrier, operation, outcome, (performance.now() - start) / 1000);
    try {
      const result = await admitted.execute(() => inTime(attemptMs, call, signal), signal);
      report('ok');
      return result;
    } catch (error) {
      const failure = inOurWords(error);
      report(failure.problem);
      throw failure;
    }
  };
}

async function inTime<T>(
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await timeout(ms, TimeoutStrategy.Aggressive).execute(({ signal: own }) => call(own), signal);
  } catch (error) {
    throw signal.aborted ? new GivenUp('timeout', NOT_IN_TIME) : inOurWords(error);
  }
}

const NOT_IN_TIME = 'The carrier did not answer in time.';

/** Ended from outside: the caller went, or another answer was faster. It says nothing about the carrier. */
class GivenUp extends CarrierFault {}

/** Asking again at once would only meet the same open circuit. */
export class CircuitOpen extends CarrierFault {}

function breakerOf(carrier: string, { circuit }: AttemptSettings, metrics: CarrierMetrics | undefined) {
  const breaker = circuitBreaker(handleWhen(showsDown), {
    breaker: new ConsecutiveBreaker(circuit.failures),
    halfOpenAfter: circuit.openMs,
  });
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) metrics?.circuit(carrier, 'open');
    if (state === CircuitState.HalfOpen) metrics?.circuit(carrier, 'half-open');
    if (state === CircuitState.Closed) metrics?.circuit(carrier, 'closed');
  });
  return breaker;
}

/** What a carrier answers in good order – also "too many requests" – is no sign of its being down. */
function showsDown(error: Error): boolean {
  if (!(error instanceof CarrierFault) || error instanceof GivenUp) return false;
  return error.problem === 'timeout' || error.problem === 'down';
}

/** Any failure as the interface promises it. */
export function inOurWords(error: unknown): CarrierError {
  if (error instanceof BrokenCircuitError)
    return new CircuitOpen('down', 'The carrier has failed several times in a row and is left alone.', {
      untouched: true,
    });
  if (error instanceof BulkheadRejectedError)
    return new CarrierFault('rate_limited', 'Too many requests to this carrier at once.', {
      untouched: true,
    });
  if (error instanceof TaskCancelledError) return new CarrierFault('timeout', NOT_IN_TIME);
  return asCarrierError(error);
}
