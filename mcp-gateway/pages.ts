import { invalidParams } from './rpc-error.ts';

/** One page of a list that is the same for the same caller; the cursor is opaque and names no content. */
export function page<T>(all: readonly T[], cursor: string | undefined, size: number) {
  const from = cursor === undefined ? 0 : offsetIn(cursor, all.length);
  const next = from + size;
  return {
    items: all.slice(from, next),
    ...(next < all.length ? { nextCursor: Buffer.from(`page:${next}`).toString('base64url') } : {}),
  };
}

function offsetIn(cursor: string, length: number): number {
  const text = /^page:(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  const offset = Number(text ?? Number.NaN);
  if (!(offset > 0 && offset < length)) throw invalidParams('Unknown cursor: start again without one');
  return offset;
}

export function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
