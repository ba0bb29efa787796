import type { LoadHint } from '../domain/cache.ts';

/** The two places a reader can read from. The same reader twice, where there is no replica. */
export type Sided<T> = { readonly replica: T; readonly primary: T };

/** The replica, but for the moments after a write in which it may not have it yet. */
export function from<T>(sides: Sided<T>, hint?: LoadHint): T {
  return hint?.preferPrimary ? sides.primary : sides.replica;
}
