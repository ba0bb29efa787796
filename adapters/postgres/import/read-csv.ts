import { constants, createReadStream } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CsvError, type Info, parse } from 'csv-parse';
import { FILE_SPECS, type FileSpec } from './columns.ts';
import { type RowTaker, type SourceFile, UnreadableSource } from './source.ts';

const CHUNK_BYTES = 256 * 1024;
/** Above every row that keeps to the limits of its fields; stops a lost quote from eating the whole file. */
const MAX_ROW_BYTES = 1024 * 1024;

/**
 * The CSV files of a folder, customers first.
 *
 * @throws {UnreadableSource} no such folder, a needed file missing, a file that may not be read.
 */
export async function csvFolder(folder: string): Promise<readonly SourceFile[]> {
  const names = await namesIn(folder);
  const files: SourceFile[] = [];
  for (const spec of Object.values(FILE_SPECS)) {
    const present = spec.files.filter((name) => names.has(name));
    if (present.length > 1)
      throw new UnreadableSource(`${folder} holds ${present.join(' and ')}; keep one of them.`);
    if (present[0] !== undefined) files.push(await csvFile(folder, present[0], spec));
    else if (spec.needed) throw new UnreadableSource(`${folder} has no ${spec.files[0]}.`);
  }
  return files;
}

async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    throw new UnreadableSource(`${folder} cannot be read as a folder (${codeOf(error)}).`, { cause: error });
  }
}

async function csvFile(folder: string, name: string, spec: FileSpec): Promise<SourceFile> {
  const path = join(folder, name);
  try {
    await access(path, constants.R_OK);
    const about = await stat(path);
    if (!about.isFile()) throw new UnreadableSource(`${path} is not a file.`);
    return { spec, name, bytes: about.size, read: (taker) => readCsv(path, taker) };
  } catch (error) {
    if (error instanceof UnreadableSource) throw error;
    throw new UnreadableSource(`${path} cannot be read (${codeOf(error)}).`, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

async function* readCsv(path: string, taker: RowTaker): AsyncGenerator<number> {
  const lines = lineCounter();
  let hasHeader = false;
  let isUseful = true;
  let problem: CsvError | undefined;
  const parser = parse({
    bom: true,
    // Named, because discovery would fix on the first line's end and miss the others.
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
    on_record: (fields: readonly string[], info) => {
      const line = lines.next(fields, info);
      if (hasHeader) taker.row(line, fields);
      else {
        hasHeader = true;
        isUseful = taker.header(fields);
      }
      // Nothing goes through the parser's own queue: it is many times slower than a call.
      return undefined;
    },
  });
  parser.on('error', (error: CsvError) => {
    problem = error;
  });
  parser.resume();

  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    if (!(chunk instanceof Buffer)) throw new Error('a file stream without an encoding yields bytes');
    // Parsed before `write` returns: every row of the chunk has been handed over then.
    parser.write(chunk);
    if (problem !== undefined || !isUseful) break;
    bytes += chunk.length;
    yield bytes;
  }
  if (problem === undefined && isUseful) await ended(parser);
  if (problem !== undefined) taker.broken(lines.current(), reasonOf(problem));
  else if (!hasHeader) taker.broken(1, 'empty: not even a header');
  parser.destroy();
  yield bytes;
}

function ended(parser: ReturnType<typeof parse>): Promise<void> {
  return new Promise((resolve) => {
    parser.once('end', resolve).once('error', () => resolve());
    parser.end();
  });
}

/** Errors of the parser quote the file; ours do not. */
function reasonOf(error: CsvError): string {
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return `a row of more than ${MAX_ROW_BYTES} bytes, or a lost quote`;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote that is never closed';
  if (error.code === 'INVALID_OPENING_QUOTE' || error.code === 'CSV_INVALID_CLOSING_QUOTE')
    return 'a quote in the wrong place: quote the whole field and double each quote in it';
  return 'not CSV';
}

/** First line of each row. The parser's own count takes a quoted CRLF for two lines. */
function lineCounter(): { next(fields: readonly string[], info: Info): number; current(): number } {
  let nextLine = 1;
  let counted = 0;
  let empty = 0;
  return {
    next(fields, info) {
      const line = nextLine + info.empty_lines - empty;
      const isPlain = info.lines - counted <= 1 + info.empty_lines - empty;
      counted = info.lines;
      empty = info.empty_lines;
      nextLine = line + 1 + (isPlain ? 0 : lineEndsIn(fields));
      return line;
    },
    current: () => nextLine,
  };
}

function lineEndsIn(fields: readonly string[]): number {
  return fields.reduce((sum, field) => sum + field.split('\n').length - 1, 0);
}
