import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FIGURES, type Figures } from './figures.ts';

const FILE = join(import.meta.dirname, 'floor.json');
/**
 * One point, as much as the golden gate of an ingest allows: what another processor's rounding, or another order of
 * OpenSearch's segments, moves. What is verified and what leaks does not depend on either.
 */
const TOLERANCE = 0.01;
/** Whatever was recorded. */
const ALWAYS: Partial<Figures> = { verified: 1, leaked: 0 };

const figures = z.strictObject({
  ndcgAt10: z.number(),
  recallAt3: z.number(),
  recallAt5: z.number(),
  mrr: z.number(),
  cited: z.number(),
  verified: z.number(),
  abstentionAuc: z.number(),
  confidenceAuc: z.number(),
  leaked: z.number(),
} satisfies Record<keyof Figures, z.ZodNumber>);

export type Row = {
  /** Approximate neighbours and other ties: each engine is held to its own figures. */
  readonly engine: string;
  readonly set: string;
  readonly embedder: string;
  readonly stage: string;
  readonly figures: Figures;
};
export type Floor = Readonly<Record<string, Figures>>;

export function nameOf({ engine, set, embedder, stage }: Omit<Row, 'figures'>): string {
  return `${engine} / ${set} / ${embedder} / ${stage}`;
}

export function readFloor(): Floor {
  return z.record(z.string(), figures).parse(JSON.parse(readFileSync(FILE, 'utf8')));
}

/** Keeps what was measured; rows that could not be measured here keep their floor. */
export function recordFloor(rows: readonly Row[], before: Floor): void {
  const measured = Object.fromEntries(rows.map((row) => [nameOf(row), rounded(row.figures)]));
  const all = Object.entries({ ...before, ...measured }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`);
}

/** One line for each figure that is worse than recorded, and for each row that nobody has recorded. */
export function belowFloor(rows: readonly Row[], floor: Floor): readonly string[] {
  return rows.flatMap((row) => {
    const least = floor[nameOf(row)];
    if (least === undefined)
      return [`${nameOf(row)}: no floor is recorded (npm run eval:policies -- --record)`];
    return FIGURES.flatMap((name) => {
      const [is, was] = [row.figures[name], least[name]];
      const always = ALWAYS[name];
      const isWorse = always === undefined ? !(is >= was - TOLERANCE) : is !== always;
      return isWorse ? [`${nameOf(row)}: ${name} is ${is.toFixed(3)}, and was ${was.toFixed(3)}`] : [];
    });
  });
}

function rounded(measured: Figures): Figures {
  return {
    ndcgAt10: round(measured.ndcgAt10),
    recallAt3: round(measured.recallAt3),
    recallAt5: round(measured.recallAt5),
    mrr: round(measured.mrr),
    cited: round(measured.cited),
    verified: round(measured.verified),
    abstentionAuc: round(measured.abstentionAuc),
    confidenceAuc: round(measured.confidenceAuc),
    leaked: measured.leaked,
  };
}

function round(figure: number): number {
  return Math.round(figure * 1000) / 1000;
}
