import type { Topic } from './events.ts';
import { Refusal } from './refusal.ts';

/**
 * What is written takes effect this much later at the earliest, so that every process has heard of it when it does:
 * nobody answers with the old price after the instant that was promised.
 */
export const LEAD_SECONDS = 5;

/** A promotion as it stands in the shop. Times are business time, ISO 8601, UTC. */
export type PromotionRecord = {
  readonly promotionId: string;
  readonly sku: string | null;
  readonly mangaId: string | null;
  readonly volumeNumber: number | null;
  readonly name: string;
  /** Above 0, to 100. */
  readonly discountPct: number;
  readonly startsAt: string;
  /** When it ends, or ended: earlier than was planned once it is withdrawn. */
  readonly endsAt: string;
  readonly withdrawnAt: string | null;
  /** Real time: when it was written. */
  readonly writtenAt: string;
};

/** A product by its SKU, or a manga volume. Exactly one of the two. */
export type PromotedName = {
  readonly sku?: string | undefined;
  readonly mangaId?: string | undefined;
  readonly volumeNumber?: number | undefined;
};

export type PromotedProduct = {
  /** Internal. */
  readonly productId: string;
  readonly sku: string | null;
  readonly mangaId: string | null;
  readonly volumeNumber: number | null;
};

export type PromotionDraft = {
  readonly name: string;
  readonly discountPct: number;
  readonly startsAt: string;
  readonly endsAt: string;
};

export interface PromotionReader {
  /** Undefined when unknown or another shop's. */
  find(tenant: string, promotionId: string): Promise<PromotionRecord | undefined>;
  /** Those that run or are to come at `now`, by their start. */
  current(tenant: string, now: Date, limit: number): Promise<readonly PromotionRecord[]>;
  product(tenant: string, name: PromotedName): Promise<PromotedProduct | undefined>;
  /** Those of the product that run at any time between the two. */
  overlapping(
    tenant: string,
    product: PromotedProduct,
    period: { readonly startsAt: string; readonly endsAt: string },
  ): Promise<readonly PromotionRecord[]>;
}

/** Promotions, written: only inside the transaction of an approved effect. */
export interface PromotionWriter {
  /** Locks the product's promotions until the transaction ends; undefined when there is no such product. */
  lockProduct(name: PromotedName): Promise<PromotedProduct | undefined>;
  overlapping(
    product: PromotedProduct,
    period: { readonly startsAt: string; readonly endsAt: string },
  ): Promise<readonly PromotionRecord[]>;
  write(product: PromotedProduct, draft: PromotionDraft): Promise<PromotionRecord>;
  /** Locks it until the transaction ends. */
  lock(promotionId: string): Promise<PromotionRecord | undefined>;
  withdraw(
    promotionId: string,
    when: { readonly withdrawnAt: string; readonly endsAt: string },
  ): Promise<PromotionRecord>;
}

/** @throws {Refusal} invalid_arguments: none or both ways to name the product */
export function assertNamesOne({ sku, mangaId, volumeNumber }: PromotedName): void {
  const isVolume = mangaId !== undefined && volumeNumber !== undefined;
  const isPartOfVolume = mangaId !== undefined || volumeNumber !== undefined;
  if (sku === undefined ? isVolume : !isPartOfVolume) return;
  throw new Refusal('invalid_arguments', 'Name the product by sku, or by manga_id and volume_number.');
}

/** @throws {Refusal} product_not_found */
export function promotable(product: PromotedProduct | undefined): PromotedProduct {
  if (product === undefined) throw new Refusal('product_not_found', 'This shop sells no such product.');
  return product;
}

/** @throws {Refusal} invalid_arguments, promotion_in_past */
export function assertPeriod({ startsAt, endsAt }: PromotionDraft, now: Date): void {
  const from = Date.parse(startsAt);
  if (Date.parse(endsAt) <= from)
    throw new Refusal(
      'invalid_arguments',
      'A promotion ends after it starts: ends_at is not after starts_at.',
    );
  if (from < now.getTime() + LEAD_SECONDS * 1000) {
    throw new Refusal(
      'promotion_in_past',
      `A promotion starts ${LEAD_SECONDS} seconds from now at the earliest; it is ${now.toISOString()}.`,
      { now: now.toISOString() },
    );
  }
}

/** @throws {Refusal} promotion_overlaps: which of two running discounts would hold is nobody's guess */
export function assertAlone(others: readonly PromotionRecord[]): void {
  const [other] = others;
  if (other === undefined) return;
  throw new Refusal(
    'promotion_overlaps',
    `Promotion ${other.promotionId} runs for this product from ${other.startsAt} to ${other.endsAt}. Withdraw it first, or choose another time.`,
    { promotion_id: other.promotionId, starts_at: other.startsAt, ends_at: other.endsAt },
  );
}

/**
 * When a promotion ends that is withdrawn now: one that runs, after the lead; one that has not begun, as it begins.
 * @throws {Refusal} not_found, promotion_over
 */
export function endWhenWithdrawn(
  promotion: PromotionRecord | undefined,
  now: Date,
): { readonly withdrawnAt: string; readonly endsAt: string } {
  if (promotion === undefined) throw new Refusal('not_found', 'There is no such promotion. Do not infer.');
  const { promotionId, startsAt, endsAt, withdrawnAt } = promotion;
  const soonest = now.getTime() + LEAD_SECONDS * 1000;
  const end = Math.max(Date.parse(startsAt), soonest);
  if (withdrawnAt !== null || end >= Date.parse(endsAt)) {
    const why = withdrawnAt === null ? `ends at ${endsAt}` : `was withdrawn at ${withdrawnAt}`;
    throw new Refusal('promotion_over', `Promotion ${promotionId} ${why} already. Nothing was changed.`, {
      promotion_id: promotionId,
      ends_at: endsAt,
    });
  }
  return { withdrawnAt: now.toISOString(), endsAt: new Date(end).toISOString() };
}

/** Which promotion: all that its timer is ever told. Everything else it reads from Postgres. */
export type PromotionOf = { readonly tenant: string; readonly promotionId: string };

type Boundary = {
  readonly topic: Extract<Topic, 'promotion_started' | 'promotion_ended'>;
  readonly at: string;
};

export type Timetable = {
  /** Boundaries that have passed, in their order. */
  readonly passed: readonly Boundary[];
  /** Milliseconds to the next one; null: there is none. */
  readonly nextInMs: number | null;
};

/**
 * What has begun or ended by now. One that was over when it was written, or never runs, is nobody's news.
 * @param writtenAt business time
 */
export function timetable(
  { startsAt, endsAt }: Pick<PromotionRecord, 'startsAt' | 'endsAt'>,
  writtenAt: Date,
  now: Date,
): Timetable {
  const [from, until] = [Date.parse(startsAt), Date.parse(endsAt)];
  if (from >= until || until <= writtenAt.getTime()) return { passed: [], nextInMs: null };
  const boundaries: readonly Boundary[] = [
    { topic: 'promotion_started', at: startsAt },
    { topic: 'promotion_ended', at: endsAt },
  ];
  const next = boundaries.find(({ at }) => Date.parse(at) > now.getTime());
  return {
    passed: boundaries.filter(({ at }) => Date.parse(at) <= now.getTime()),
    nextInMs: next === undefined ? null : Date.parse(next.at) - now.getTime(),
  };
}

export interface PromotionTimes {
  /**
   * Publishes what has begun or ended by now, each boundary once, under the promotion's lock. A repeat publishes
   * nothing. Undefined: there is no such promotion.
   */
  announce(
    of: PromotionOf,
  ): Promise<{ readonly promotion: PromotionRecord; readonly nextInMs: number | null } | undefined>;
}

/** A promotion whose timer should be at work. */
export type PromotionNear = PromotionOf & {
  /** Its timer has let something pass: it has begun or ended, and that was not announced. */
  readonly isLate: boolean;
};

export interface PromotionSweep {
  /**
   * Promotions of all shops that begin or end soon, or did lately and were not announced, the first `limit` after
   * `after`. Late: by more than `graceSeconds`.
   */
  near(graceSeconds: number, limit: number, after?: PromotionNear): Promise<readonly PromotionNear[]>;
}

/** What the timer's workflow asks for. Smuggled workflows may, too: what is not due in Postgres does not happen. */
export type PromotionActivities = {
  /** Milliseconds to the next boundary; null: there is none, or no such promotion. */
  announce_promotion(of: PromotionOf): Promise<{ readonly nextInMs: number | null }>;
};
