import type { FileSpec } from './columns.ts';

/** Takes what a source reads, row by row. */
export type RowTaker = {
  /** The columns of all rows that follow. False: they are of no use, stop reading. */
  header(columns: readonly string[]): boolean;
  row(line: number, fields: readonly string[]): void;
  /** Nothing more can be read from here on. */
  broken(line: number, reason: string): void;
};

/** One table's rows as somebody else's system wrote them. */
export type SourceFile = {
  readonly spec: FileSpec;
  /** What a report calls it: the name without its folder. */
  readonly name: string;
  readonly bytes: number;
  /** Hands rows to `taker`, and yields now and then how many bytes are done, so that they can be passed on. */
  read(taker: RowTaker): AsyncIterable<number>;
};

/** The folder or file cannot be imported at all. The message is for the person who named it. */
export class UnreadableSource extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnreadableSource';
  }
}
