import {
  DelegateBackoff,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  retry,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';
import type { CarrierMetrics, CarrierProblem, Patience } from '../../domain/carriers.ts';
import { type AttemptSettings, attemptsAt, CircuitOpen, inOurWords } from './attempts.ts';
import { CarrierFault } from './faults.ts';
import { hedged } from './hedge.ts';
import { rateLimit } from './rate-limit.ts';

export type ResilienceSettings = AttemptSettings & {
  /** No call takes longer, whatever its caller would bear. */
  readonly deadlineMs: number;
  /** To one carrier from this process. */
  readonly requestsPerSecond: number;
  readonly attempts: number;
  readonly firstBackoffMs: number;
  /** A read that takes longer is asked a second time beside the first. Undefined: never. */
  readonly hedgeAfterMs: number | undefined;
};

/** What is not configured. */
export const RESILIENCE = {
  concurrency: 32,
  attempts: 4,
  firstBackoffMs: 50,
  circuit: { failures: 5, openMs: 10_000 },
} as const satisfies Partial<ResilienceSettings>;

/** `read` may be repeated at will; `write` only when the carrier certainly did nothing. */
export type Operation = { readonly name: string; readonly kind: 'read' | 'write' };

/** Runs one carrier's calls so that each answers, or fails for a named reason, within its deadline. */
export type Guard = <T>(
  operation: Operation,
  patience: Patience,
  call: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** One attempt may take this part of the deadline: a read that hangs once is asked again, a write is not. */
const ATTEMPT_SHARE = { read: 0.45, write: 0.95 };
/** With less than this part left, another attempt would only be cut off. */
const USEFUL_SHARE = 0.1;

export function createGuard(carrier: string, settings: ResilienceSettings, metrics?: CarrierMetrics): Guard {
  const attempt = attemptsAt(carrier, settings, metrics);
  const limited = rateLimit(settings.requestsPerSecond);

  return async ({ name, kind }, patience, call) => {
    const deadlineMs = Math.max(1, Math.min(patience.deadlineMs, settings.deadlineMs));
    const end = performance.now() + deadlineMs;
    const left = () => end - performance.now();
    const once = async (signal: AbortSignal) => {
      patience.heartbeat?.();
      await limited(left, signal);
      return attempt(name, Math.min(left(), deadlineMs * ATTEMPT_SHARE[kind]), call, signal);
    };
    const { hedgeAfterMs } = settings;
    const one = (signal: AbortSignal) =>
      kind === 'read' && hedgeAfterMs !== undefined ? hedged(hedgeAfterMs, once, signal) : once(signal);
    const tries = retries(kind, settings, () => left() - deadlineMs * USEFUL_SHARE);
    try {
      return await timeout(deadlineMs, TimeoutStrategy.Aggressive).execute(
        ({ signal }) => tries.execute(({ signal: each }) => one(each), signal),
        patience.signal,
      );
    } catch (error) {
      throw inOurWords(error);
    }
  };
}

/** Exponential with jitter, longer where the carrier asks for it, and never a wait that the deadline would cut off. */
function retries(kind: Operation['kind'], settings: ResilienceSettings, usableMs: () => number) {
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
