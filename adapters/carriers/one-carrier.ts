import type { Address, CarrierClient, Parcel, RateQuote, Tracking } from '../../domain/carriers.ts';

/** One carrier's interface, one attempt a call. `signal` ends it, wherever it hangs. Throws CarrierError only. */
export type OneCarrier = {
  readonly name: string;
  track(trackingNumber: string, signal: AbortSignal): Promise<Tracking>;
  rate(from: Address, to: Address, parcel: Parcel, signal: AbortSignal): Promise<readonly RateQuote[]>;
  label(
    request: Parameters<CarrierClient['label']>[0],
    idempotencyKey: string,
    signal: AbortSignal,
  ): ReturnType<CarrierClient['label']>;
  intercept(
    request: Parameters<CarrierClient['intercept']>[0],
    idempotencyKey: string,
    signal: AbortSignal,
  ): ReturnType<CarrierClient['intercept']>;
};
