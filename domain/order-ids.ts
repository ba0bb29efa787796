const PREFIX = /^(#|ord_)/;

/**
 * How an order number may be written (conflict X-12): as it is stored, or with another prefix or none. The first
 * spelling is the one that was asked for.
 */
export function spellingsOf(orderId: string): readonly string[] {
  const bare = bareOrderId(orderId);
  return bare === '' ? [orderId] : [...new Set([orderId, bare, `#${bare}`, `ord_${bare}`])];
}

/** Without its prefix: the same for every spelling. */
export function bareOrderId(orderId: string): string {
  return orderId.replace(PREFIX, '');
}

/**
 * The one that was meant among those whose id is a spelling of `asked`: the exact one, else the only one. Two
 * orders that differ in their prefix alone stay two: then neither is guessed.
 */
export function meant<T extends { readonly orderId: string }>(
  asked: string,
  found: readonly T[],
): T | undefined {
  return found.find(({ orderId }) => orderId === asked) ?? (found.length === 1 ? found[0] : undefined);
}
