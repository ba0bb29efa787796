/** One figure beside its floor, both from the same run. */
export type Row = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  readonly floorName?: string;
  /** value ÷ floor */
  readonly ratio?: number;
  /** What the ratio, or without a floor the value, must not exceed. */
  readonly atMost?: number;
  readonly note?: string;
};

/** Quantile of unsorted samples, nearest rank. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function beside(row: Omit<Row, 'ratio'> & { readonly floor: number }): Row {
  return { ...row, ratio: row.value / row.floor };
}

export function holds({ value, ratio, atMost }: Row): boolean {
  return atMost === undefined || (ratio ?? value) <= atMost;
}

const digits = (n: number): string => (Math.abs(n) >= 100 ? n.toFixed(0) : n.toFixed(2));

export function toTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${digits(row.value)} ${row.unit}`,
    row.floor === undefined
      ? ''
      : `${digits(row.floor)} ${row.unit}${row.floorName ? ` (${row.floorName})` : ''}`,
    row.ratio === undefined ? '' : `${row.ratio.toFixed(2)}×`,
    row.atMost === undefined
      ? 'reported'
      : `${holds(row) ? 'holds' : 'MISSED'}: at most ${row.atMost}${row.ratio === undefined ? '' : '×'}`,
    row.note ?? '',
  ]);
  const all = [['figure', 'measured', 'floor', 'ratio', 'target', 'note'], ...cells];
  const widths =
    all[0]?.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length))) ?? [];
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
