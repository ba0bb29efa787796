import type { LRUCache } from 'lru-cache';

/** What a sweep looks at, one after the other. */
export type Swept<T> = {
  /** In order, after the last of the page before. */
  page(limit: number, after: T | undefined): Promise<readonly T[]>;
  keyOf(one: T): string;
  look(one: T): Promise<void>;
  readonly pageSize: number;
};

/**
 * Looks at everything, page by page: what is old and in order must not hide what comes after it.
 *
 * @param seen what was looked at lately, by its key, and is not again until it leaves it
 */
export async function sweepPages<T>(swept: Swept<T>, seen: LRUCache<string, true>): Promise<void> {
  const { pageSize } = swept;
  let page: readonly T[] = [];
  do {
    page = await swept.page(pageSize, page.at(-1));
    for (const one of page) {
      const key = swept.keyOf(one);
      if (seen.has(key)) continue;
      await swept.look(one);
      seen.set(key, true);
    }
  } while (page.length === pageSize);
}
