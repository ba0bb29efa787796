import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { finished } from 'node:stream/promises';
import { IMPORT_TABLES, type ImportTable } from '../../adapters/postgres/import/columns.ts';
import {
  ImportImpossible,
  ImportUnknown,
  type ImportReport,
  type TableReport,
  importShop,
} from '../../adapters/postgres/import/import-shop.ts';
import { csvFolder } from '../../adapters/postgres/import/read-csv.ts';
import { sqliteShop } from '../../adapters/postgres/import/read-sqlite.ts';
import type { Refusals } from '../../adapters/postgres/import/refusals.ts';
import { type SourceFile, UnreadableSource } from '../../adapters/postgres/import/source.ts';
import { isUnavailable } from '../../adapters/postgres/pools.ts';
import { codeOf } from '../../adapters/postgres/roles.ts';
import { createProgress } from '../../platform/progress.ts';
import { ConfigError } from '../../platform/config.ts';
import { loadCommandSettings } from '../../platform/state.ts';

type Options = {
  readonly shop: string;
  readonly name?: string;
  readonly currency?: string;
  readonly report?: string;
  readonly dryRun?: true;
  readonly json?: true;
};

/** Rows were refused. */
const REFUSED = 1;
/** Nothing could be tried: wrong arguments, unreadable source, no database. */
const IMPOSSIBLE = 2;
const INTERRUPTED = 130;
/** Refused and kept rows on the screen; a file of nothing but errors should not scroll for minutes. */
const SHOWN = 50;

export function register(program: Command): void {
  program
    .command('import')
    .description('Load a shop from a folder of CSV files or an SQLite file: all of it, or nothing.')
    .argument('<source>', 'folder of CSV files (docs/import.md), or one SQLite file')
    .requiredOption('--shop <id>', 'shop to load into; made when it does not exist')
    .option('--name <name>', 'name of a new shop (default: its id)')
    .option('--currency <code>', 'ISO 4217 currency of a new shop (default: USD)')
    .option('--dry-run', 'do everything and keep nothing')
    .option('--report <file>', 'write all refused rows to this CSV file')
    .option('--json', 'print the row counts per table as JSON')
    .action(run);
}

async function run(source: string, options: Options): Promise<void> {
  const stopListening = tellOfInterruption();
  try {
    const report = await importFrom(source, options);
    if (options.report !== undefined) await writeRefusals(options.report, report.refused);
    if (options.json === true) process.stdout.write(`${JSON.stringify(asJson(report), null, 2)}\n`);
    tell(report, options);
    if (!report.accepted) process.exitCode = REFUSED;
  } catch (error) {
    process.exitCode = IMPOSSIBLE;
    if (error instanceof ImportUnknown) {
      process.stderr.write(`${error.message}\n`);
      return;
    }
    const message = explain(error);
    if (message === undefined) throw error;
    process.stderr.write(`${message}\nNothing was loaded.\n`);
  } finally {
    stopListening();
  }
}

async function importFrom(source: string, options: Options): Promise<ImportReport> {
  const { database, clockOffsetMs } = loadCommandSettings(process.env);
  if (database.writeUrl === undefined) {
    throw new UnreadableSource(
      'No database: start the stack with `npm start` in this folder, or set DATABASE_URL.',
    );
  }
  const url = database.writeUrl;
  const files = await open(source);
  const request = {
    ...options,
    files,
    dryRun: options.dryRun === true,
    now: new Date(Date.now() + clockOffsetMs),
  };
  return createProgress(process.stderr).step(`Importing shop ${printable(options.shop)}`, (step) =>
    importShop(url, request, {
      phase: (title) => step.note(title),
      share: (done, total) => step.at(done, total),
    }),
  );
}

async function open(source: string): Promise<readonly SourceFile[]> {
  const about = await stat(source).catch(() => undefined);
  return about?.isFile() === true ? sqliteShop(source) : csvFolder(source);
}

const printable = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64);

/** No such table, column or function. */
const OLD_SCHEMA: ReadonlySet<string> = new Set(['42P01', '42703', '42883']);

/** Undefined for what nobody foresaw. */
function explain(error: unknown): string | undefined {
  if (error instanceof UnreadableSource || error instanceof ImportImpossible || error instanceof ConfigError)
    return error.message;
  const code = codeOf(error) ?? '';
  if (isUnavailable(error))
    return 'The database does not answer. Start the stack with `npm start`, or check DATABASE_URL.';
  if (OLD_SCHEMA.has(code))
    return 'The database has not been migrated to this version. Run `npm run migrate`.';
  return undefined;
}

/** Ctrl-C ends the process; the server sees the connection close and takes everything back. */
function tellOfInterruption(): () => void {
  const onSignal = () => {
    process.stderr.write('\nInterrupted: nothing is loaded unless the commit was already under way.\n');
    process.exit(INTERRUPTED);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  };
}

async function writeRefusals(path: string, { rows }: Refusals): Promise<void> {
  const out = createWriteStream(path);
  out.write('file,line,reason\n');
  for (const { file, line, reason } of rows) out.write(`${file},${line},"${reason.replaceAll('"', '""')}"\n`);
  out.end();
  await finished(out);
}

const perTable = (report: ImportReport, pick: (table: TableReport) => number) =>
  Object.fromEntries(IMPORT_TABLES.map((name) => [name, pick(report.tables[name])]));

/** `tables`: what the shop holds after the import, or, when it was refused, the good rows of the files. */
function asJson(report: ImportReport) {
  return {
    shop: report.shop,
    currency: report.currency,
    created: report.created,
    dry_run: report.dryRun,
    accepted: report.accepted,
    tables: report.holds ?? perTable(report, ({ rows }) => rows),
    inserted: perTable(report, ({ inserted }) => inserted),
    unchanged: perTable(report, ({ unchanged }) => unchanged),
    kept: perTable(report, ({ kept }) => kept),
    refused: report.refused.count,
    refused_rows: report.refused.rows,
    kept_rows: report.kept,
    seconds: Number(report.seconds.toFixed(3)),
  };
}

const LABEL: Readonly<Record<ImportTable, string>> = {
  customers: 'customers',
  variants: 'variants',
  orders: 'orders',
  order_lines: 'order lines',
  payment_methods: 'payment methods',
  payments: 'payments',
  warehouses: 'warehouses',
  inventory: 'positions',
};

function tell(report: ImportReport, { json, report: file }: Options): void {
  const out = json === true ? process.stderr : process.stdout;
  const { refused, kept } = report;
  for (const row of refused.rows.slice(0, SHOWN))
    process.stderr.write(`${row.file}:${row.line}: ${row.reason}\n`);
  if (refused.count > SHOWN) {
    const where = file === undefined ? '--report <file> writes them to a file' : `see ${file}`;
    process.stderr.write(`… and ${refused.count - SHOWN} more (${where})\n`);
  }
  if (!report.accepted) {
    out.write(`${count(refused.count, 'row')} refused; nothing was loaded into shop ${report.shop}.\n`);
    return;
  }
  if (json !== true) process.stdout.write(table(report));
  for (const row of kept.slice(0, SHOWN))
    process.stderr.write(`${row.file}:${row.line}: the shop has it otherwise; kept as it is\n`);
  if (kept.length > SHOWN) process.stderr.write(`… and ${kept.length - SHOWN} more\n`);
  out.write(`${closing(report)}\n`);
}

const count = (n: number, thing: string) => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;

function table(report: ImportReport): string {
  const rows = IMPORT_TABLES.filter((name) => report.tables[name].rows > 0).map((name) => {
    const { rows, inserted, unchanged, kept } = report.tables[name];
    const cells = [rows, inserted, unchanged, kept].map((n) => n.toLocaleString('en').padStart(10));
    return `${LABEL[name].padEnd(16)}${cells.join('')}`;
  });
  const head = ['in file', 'new', 'unchanged', 'kept'].map((title) => title.padStart(10)).join('');
  return `${''.padEnd(16)}${head}\n${rows.join('\n')}\n`;
}

function closing({ shop, currency, created, dryRun, seconds }: ImportReport): string {
  const took = `(${currency}, ${seconds.toFixed(1)} s)`;
  if (dryRun) return `Dry run: nothing was loaded into shop ${shop} ${took}.`;
  return created ? `Shop ${shop} made and loaded ${took}.` : `Shop ${shop} loaded ${took}.`;
}
