/**
 * Lucene keeps a text's length in one byte: exactly up to 40, then as a float with four significant bits
 * (`SmallFloat.intToByte4`). Ranking as Lucene does means forgetting as much as it does.
 */
const EXACT_BELOW = 24;

/** What Lucene remembers of a text of this many terms. */
export function rememberedLength(terms: number): number {
  if (terms < EXACT_BELOW) return terms;
  return EXACT_BELOW + fourBits(terms - EXACT_BELOW);
}

/** Cut, not rounded, to a leading one and three more bits. */
function fourBits(value: number): number {
  const bits = 32 - Math.clz32(value);
  if (bits < 4) return value;
  const shift = bits - 4;
  return (value >>> shift) << shift;
}
