/** Why a stretch of a document is not shown. */
export const REMOVED_KINDS = [
  'comment',
  'hidden_element',
  'tag',
  'image',
  'link_target',
  'definition',
  'invisible',
  'blank_run',
] as const;
export type RemovedKind = (typeof REMOVED_KINDS)[number];

/** Stored text `start` to `end` (UTF-16 code units) that a reader does not get to see. */
export type Removed = { readonly start: number; readonly end: number; readonly kind: RemovedKind };

/** Takes a stretch out; `with` stands in its place. */
export type Edit = Removed & { readonly with: '' | ' ' | '\n\n' };

/** A text made by edits from a stored one, and where each of its code units stood there. */
export type Derived = { readonly text: string; readonly origin: Uint32Array };

export function untouched(text: string): Derived {
  return { text, origin: Uint32Array.from({ length: text.length + 1 }, (_, at) => at) };
}

/** Applies edits, of which an outer one swallows those inside it. */
export function apply(from: Derived, edits: readonly Edit[]): Derived {
  const kept: string[] = [];
  const origin: number[] = [];
  const copy = (start: number, end: number) => {
    kept.push(from.text.slice(start, end));
    for (let at = start; at < end; at++) origin.push(from.origin[at] ?? 0);
  };
  let done = 0;
  for (const edit of outermost(edits)) {
    copy(done, edit.start);
    kept.push(edit.with);
    for (let n = 0; n < edit.with.length; n++) origin.push(from.origin[edit.start] ?? 0);
    done = edit.end;
  }
  copy(done, from.text.length);
  origin.push(from.origin[from.text.length] ?? 0);
  return { text: kept.join(''), origin: Uint32Array.from(origin) };
}

/** The edits that count, in the order of the text, as stretches of what is stored. */
export function removedBy(from: Derived, edits: readonly Edit[]): readonly Removed[] {
  return outermost(edits).map(({ start, end, kind }) => ({
    start: from.origin[start] ?? 0,
    end: from.origin[end] ?? 0,
    kind,
  }));
}

function outermost(edits: readonly Edit[]): readonly Edit[] {
  const sorted = [...edits].sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Edit[] = [];
  let end = 0;
  for (const edit of sorted) {
    if (edit.start >= end && edit.end > edit.start) {
      kept.push(edit);
      end = edit.end;
    } else if (edit.end > end && edit.start < end) {
      // Half inside: what sticks out goes, too.
      kept.push({ ...edit, start: end, with: '' });
      end = edit.end;
    }
  }
  return kept;
}
