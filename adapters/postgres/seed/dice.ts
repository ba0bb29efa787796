import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Chance that comes out the same each time: the same seed gives the same throws on every machine. */
export type Dice = {
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  /** @throws {RangeError} nothing to pick from. */
  pick<T>(from: readonly T[]): T;
  /** True in `percent` of 100 throws. */
  chance(percent: number): boolean;
  digits(count: number): string;
};

export function dice(seed: number): Dice {
  const generator = xoroshiro128plus(seed);
  const int = (low: number, high: number) => uniformInt(generator, low, high);
  return {
    int,
    pick: (from) => {
      const picked = from[int(0, from.length - 1)];
      if (picked === undefined) throw new RangeError('Nothing to pick from.');
      return picked;
    },
    chance: (percent) => int(1, 100) <= percent,
    digits: (count) => Array.from({ length: count }, () => int(0, 9)).join(''),
  };
}
