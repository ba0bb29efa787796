import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Column, FieldKind, FileSpec, ImportTable } from './columns.ts';
import { FieldProblem, type FieldReader, STATUS_PAIRS } from './fields.ts';
import type { Refusals } from './refusals.ts';
import type { RowTaker, SourceFile } from './source.ts';

const TYPE_OF: Readonly<Record<FieldKind, string>> = {
  id: 'text collate "C"',
  line: 'integer',
  text: 'text',
  email: 'text',
  money: 'numeric',
  count: 'integer',
  decimal: 'numeric',
  instant: 'timestamptz',
  flag: 'boolean',
  options: 'jsonb',
  status: 'text',
  word: 'text',
  entry: 'text',
  currency: 'text',
  lastFour: 'text',
};

/** Where the rows of a file wait, in the session's own temporary schema, until all of them are known to be good. */
export const stageOf = (table: ImportTable) => `pg_temp.import_${table}`;

/** A shop has one currency, so the column only says that it agrees. */
const staged = (spec: FileSpec): readonly Column[] => spec.columns.filter(({ kind }) => kind !== 'currency');

const STATES = STATUS_PAIRS.map(([word, state]) => `when '${word}' then '${state}'`);

/** Columns that Postgres fills in itself. */
const DERIVED: Partial<Record<ImportTable, string>> = {
  orders: `state text generated always as (case lower(status) ${STATES.join(' ')} end) stored`,
};

export async function createStages(sql: ClientBase, specs: readonly FileSpec[]): Promise<void> {
  const tables = specs.map((spec) => {
    const own = staged(spec).map(({ name, kind }) => `${name} ${TYPE_OF[kind]}`);
    const columns = [...own, DERIVED[spec.table] ?? []].flat();
    return `create temporary table import_${spec.table} (at_line integer, ${columns.join(', ')}) on commit drop;`;
  });
  await sql.query(tables.join('\n'));
}

/** Reads a file into its staging table. Rows that cannot be read are refused, the others staged. Answers their number. */
export async function stageFile(
  sql: ClientBase,
  file: SourceFile,
  readers: Readonly<Record<FieldKind, FieldReader>>,
  refusals: Refusals,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const taker = new StagingRows(file, readers, refusals);
  const copy = sql.query(copyFrom(`copy ${stageOf(file.spec.table)} from stdin`));
  const done = finished(copy);
  // Awaited below; until then a failure must not count as unhandled.
  done.catch(() => undefined);
  try {
    for await (const bytes of file.read(taker)) {
      const text = taker.take();
      if (text !== '' && !copy.write(text)) await Promise.race([once(copy, 'drain'), done]);
      onBytes(bytes);
    }
    copy.end();
  } catch (error) {
    copy.destroy(error instanceof Error ? error : new Error('reading stopped', { cause: error }));
    await done.catch(() => undefined);
    throw error;
  }
  await done;
  return taker.rows;
}

type Slot = {
  readonly name: string;
  readonly read: FieldReader;
  readonly at: number;
  readonly needed: boolean;
};

const NULL = '\\N';
const SPECIAL = /[\\\t\n\r]/;

/** Turns rows of fields into lines of COPY's text format. */
class StagingRows implements RowTaker {
  rows = 0;
  readonly #file: SourceFile;
  readonly #readers: Readonly<Record<FieldKind, FieldReader>>;
  readonly #refusals: Refusals;
  readonly #empty: readonly string[];
  /** By position in the file; undefined for a column that is checked and not staged. */
  #slots: readonly Slot[] = [];
  #lines: string[] = [];

  constructor(file: SourceFile, readers: Readonly<Record<FieldKind, FieldReader>>, refusals: Refusals) {
    this.#file = file;
    this.#readers = readers;
    this.#refusals = refusals;
    this.#empty = staged(file.spec).map(() => NULL);
  }

  take(): string {
    const text = this.#lines.join('');
    this.#lines = [];
    return text;
  }

  broken(line: number, reason: string): void {
    this.#refusals.add(this.#file.name, line, `${reason}; nothing after it was read`);
  }

  header(columns: readonly string[]): boolean {
    const problems = headerProblems(this.#file.spec, columns);
    for (const reason of problems) this.#refusals.add(this.#file.name, 1, reason);
    if (problems.length > 0) return false;
    const places = staged(this.#file.spec).map(({ name }) => name);
    const known = new Map(this.#file.spec.columns.map((column) => [column.name, column]));
    this.#slots = columns.flatMap((name) => {
      const column = known.get(name);
      if (column === undefined) return [];
      return [
        { name, read: this.#readers[column.kind], at: places.indexOf(name), needed: column.needed === true },
      ];
    });
    return true;
  }

  row(line: number, fields: readonly string[]): void {
    const slots = this.#slots;
    if (fields.length !== slots.length) {
      this.#refuse(line, `${fields.length} fields where the header has ${slots.length}`);
      return;
    }
    const values = this.#empty.slice();
    let isGood = true;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      const raw = fields[i];
      if (slot === undefined || raw === undefined) continue;
      if (raw === '') {
        if (slot.needed) isGood = this.#refuse(line, `${slot.name}: empty`);
        continue;
      }
      const value = slot.read(raw);
      if (value instanceof FieldProblem) isGood = this.#refuse(line, `${slot.name}: ${value.reason}`);
      else if (slot.at >= 0) values[slot.at] = SPECIAL.test(value) ? escaped(value) : value;
    }
    if (isGood && this.#hasOne(line, values)) {
      this.rows++;
      this.#lines.push(`${line}\t${values.join('\t')}\n`);
    }
  }

  #hasOne(line: number, values: readonly string[]): boolean {
    const anyOf = this.#file.spec.anyOf;
    if (anyOf === undefined) return true;
    if (this.#slots.some(({ name, at }) => anyOf.includes(name) && values[at] !== NULL)) return true;
    return this.#refuse(line, `one of ${anyOf.join(', ')} must be filled`);
  }

  #refuse(line: number, reason: string): false {
    this.#refusals.add(this.#file.name, line, reason);
    return false;
  }
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

function headerProblems(spec: FileSpec, columns: readonly string[]): readonly string[] {
  const known = new Set(spec.columns.map(({ name }) => name));
  const problems = columns.flatMap((name, i) => {
    // Only a name of ours is repeated: anything else may be a row that lost its header.
    if (!known.has(name)) return [`column ${i + 1} of the header is none of ${[...known].join(', ')}`];
    return columns.indexOf(name) < i ? [`column ${name} stands twice in the header`] : [];
  });
  const missing = spec.columns.filter(({ name, needed }) => needed && !columns.includes(name));
  return [...problems, ...missing.map(({ name }) => `the header lacks the column ${name}`)];
}
