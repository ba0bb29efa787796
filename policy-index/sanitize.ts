import { apply, removedBy, untouched, type Derived, type Edit, type Removed } from './edits.ts';
import { hiddenMarkup } from './hidden-markup.ts';

/** A part of every build's fingerprint: another version may show other text for the same bytes. */
export const SANITIZER_VERSION = 'visible-1';

/** What a reader of the rendered document would see, and the way back to what is stored. */
export type Visible = {
  readonly text: string;
  /** What was taken out, as stretches of the stored text, in its order. */
  readonly removed: readonly Removed[];
  /** The stored stretch that a stretch of `text` was made from. */
  readonly storedSpan: (start: number, end: number) => { readonly start: number; readonly end: number };
};

/** Control, format and other characters that show nothing, reorder, or hide; line feed and tab stay. */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{DI}\u2028\u2029\u2800]+/gu;
/** Longer than any column of a table is padded: whoever writes it wants the rest out of sight. */
const BLANK_RUN = /[^\S\n]{200,}/gu;
const BLANK_LINES = /\n(?:[^\S\n]*\n){8,}/gu;

/** Markup that appears when other markup is taken out is taken out, too; so deep, and no deeper. */
const MOST_ROUNDS = 8;

/**
 * Takes out what only a machine would read. The same text gives the same result for ever under one
 * `SANITIZER_VERSION`, so that a span of `text` can be checked against the stored bytes at any time.
 */
export function sanitize(stored: string): Visible {
  let removed: readonly Removed[] = [];
  let derived: Derived = untouched(stored);
  const take = (edits: readonly Edit[]) => {
    // Not `push(...)`: a document can hold more markup than a call can have arguments.
    removed = [...removed, ...removedBy(derived, edits)];
    derived = apply(derived, edits);
    return edits.length > 0;
  };
  take(matches(stored, INVISIBLE, 'invisible', ''));
  let rounds = 0;
  while (take(hiddenMarkup(derived.text)) && ++rounds < MOST_ROUNDS);
  if (rounds === MOST_ROUNDS) take(matches(derived.text, /[<>[\]]/gu, 'tag', ''));
  take(matches(derived.text, BLANK_RUN, 'blank_run', ' '));
  take(matches(derived.text, BLANK_LINES, 'blank_run', '\n\n'));
  const { text, origin } = derived;
  return {
    text,
    removed: removed.toSorted((a, b) => a.start - b.start || b.end - a.end),
    storedSpan: (start, end) => ({
      start: origin[start] ?? 0,
      end: end > start ? (origin[end - 1] ?? 0) + 1 : (origin[start] ?? 0),
    }),
  };
}

function matches(
  text: string,
  pattern: RegExp,
  kind: Edit['kind'],
  replacement: Edit['with'],
): readonly Edit[] {
  return [...text.matchAll(pattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    kind,
    with: replacement,
  }));
}
