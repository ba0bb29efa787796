/** A row that cannot be loaded. `reason` names columns and rules and never repeats what the row holds. */
export type RefusedRow = { readonly file: string; readonly line: number; readonly reason: string };

/** Enough to mend a file by; the rest is only counted, so that a file of nothing but errors fits into memory. */
const KEPT = 10_000;

export class Refusals {
  readonly rows: RefusedRow[] = [];
  count = 0;
  /** Files with a refused row. */
  readonly files = new Set<string>();

  add(file: string, line: number, reason: string): void {
    this.count++;
    this.files.add(file);
    if (this.rows.length < KEPT) this.rows.push({ file, line, reason });
  }
}
