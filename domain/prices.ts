import type { Currency } from './money.ts';

/** A discount between two instants. Percent, 0 to 100. */
export type Promotion = { readonly discountPct: number; readonly startsAt: string; readonly endsAt: string };

/**
 * What is cached of a price: the base price and every promotion that is running or to come. The answer is
 * derived from it at the moment of asking, so a promotion starts on the instant in every process.
 */
export type PriceSchedule = {
  readonly mangaId: string;
  readonly volumeNumber: number;
  readonly amountMinor: number;
  readonly currency: Currency;
  /** End of the price record itself. */
  readonly validUntil: string;
  readonly promotions: readonly Promotion[];
};

export type PriceNow = {
  readonly amountMinor: number;
  readonly discountPct: number;
  readonly validUntil: string;
};

/** The price at `now`: the best running promotion, valid until the next instant at which anything changes. */
export function priceAt(schedule: PriceSchedule, now: Date): PriceNow {
  const at = now.getTime();
  const running = schedule.promotions.filter(
    (p) => Date.parse(p.startsAt) <= at && at < Date.parse(p.endsAt),
  );
  const discountPct = running.reduce((best, p) => Math.max(best, p.discountPct), 0);
  return {
    amountMinor: Math.round((schedule.amountMinor * (100 - discountPct)) / 100),
    discountPct,
    validUntil: new Date(Math.min(...boundariesAfter(schedule, at))).toISOString(),
  };
}

/** Unix ms of everything that changes the price after `at`; never empty. */
export function boundariesAfter(schedule: PriceSchedule, at: number): readonly number[] {
  const instants = schedule.promotions.flatMap((p) => [Date.parse(p.startsAt), Date.parse(p.endsAt)]);
  const ahead = instants.filter((instant) => instant > at);
  return ahead.length > 0 ? [...ahead, Date.parse(schedule.validUntil)] : [Date.parse(schedule.validUntil)];
}

export interface PriceReader {
  /**
   * The price record that holds at `now`, with its promotions. Without a volume: the title's lowest volume that has
   * a price. Undefined when there is none.
   */
  schedule(
    tenant: string,
    volume: { readonly mangaId: string; readonly volumeNumber?: number },
    now: Date,
  ): Promise<PriceSchedule | undefined>;
}
