/** How much may be under way at once, found out from how long it takes. */
export type AdaptiveLimit = {
  readonly now: () => number;
  /** Told of each round trip, whatever came of it. */
  readonly took: (ms: number) => void;
};

export type AdaptiveOptions = {
  readonly least: number;
  readonly most: number;
  /** A round trip that takes longer says that the server has more than it can do. */
  readonly slowMs: number;
  readonly clock?: () => number;
};

/** How far the limit falls when the server is slow. */
const BACK_OFF = 0.7;

/**
 * Additive increase, multiplicative decrease, as TCP finds the room of a line (RFC 5681): a server that keeps up is
 * given more, one that does not is given less, so that what waits waits here, in fair turns, and not inside it.
 */
export function adaptiveLimit({
  least,
  most,
  slowMs,
  clock = () => performance.now(),
}: AdaptiveOptions): AdaptiveLimit {
  let limit = most;
  let fellAt = -Infinity;
  return {
    now: () => Math.floor(limit),
    took: (ms) => {
      if (ms <= slowMs) {
        limit = Math.min(most, limit + 1 / limit);
        return;
      }
      // What was under way when the limit fell says nothing about the new one.
      if (clock() - ms < fellAt) return;
      limit = Math.max(least, limit * BACK_OFF);
      fellAt = clock();
    },
  };
}
