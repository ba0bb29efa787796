import { CarrierError, type CarrierProblem } from '../../domain/carriers.ts';

/** A carrier's failure with what a retry must know. */
export class CarrierFault extends CarrierError {
  /** How long the carrier asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  /** The carrier certainly did nothing about the request, so that even a booking may be sent again. */
  readonly untouched: boolean;
  /** 401 on a token that was good until now. */
  readonly isTokenRefused: boolean;

  constructor(problem: CarrierProblem, message: string, more: FaultDetails = {}) {
    super(problem, message, more.cause === undefined ? undefined : { cause: more.cause });
    this.retryAfterMs = more.retryAfterMs;
    this.untouched = more.untouched ?? false;
    this.isTokenRefused = more.isTokenRefused ?? false;
  }
}

type FaultDetails = {
  readonly retryAfterMs?: number | undefined;
  readonly untouched?: boolean;
  readonly isTokenRefused?: boolean;
  readonly cause?: unknown;
};

/** Whatever went wrong, in the caller's words. The carrier's own text stays out of the message. */
export function asCarrierError(error: unknown): CarrierError {
  if (error instanceof CarrierError) return error;
  return new CarrierFault('garbled', 'The carrier’s answer could not be understood.', { cause: error });
}

/** @throws {CarrierFault} unsupported */
export function unsupported(carrier: string, what: string): never {
  throw new CarrierFault('unsupported', `No ${what} interface is configured for ${carrier}.`, {
    untouched: true,
  });
}
