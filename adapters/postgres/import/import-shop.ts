import { performance } from 'node:perf_hooks';
import { Client } from 'pg';
import { decimalsOf } from '../../../domain/money.ts';
import { isUnavailable } from '../pools.ts';
import { ROLE_OF } from '../roles.ts';
import { checkStages } from './checks.ts';
import { FILE_SPECS, type ImportTable } from './columns.ts';
import { readersFor } from './fields.ts';
import { type Compared, compareStages } from './compare.ts';
import { countShop, insertStages, prepareStages } from './load.ts';
import { Refusals } from './refusals.ts';
import type { SourceFile } from './source.ts';
import { createStages, stageFile } from './staging.ts';

export type ImportRequest = {
  readonly shop: string;
  /** For a shop that does not exist yet; default: its id. */
  readonly name?: string;
  /** ISO 4217. Default: the shop's own, US dollars for a new shop. */
  readonly currency?: string;
  readonly files: readonly SourceFile[];
  /** Business time of this import: stands in for the dates that the source does not know. */
  readonly now: Date;
  /** Does everything and commits nothing. */
  readonly dryRun: boolean;
};

export type TableReport = {
  /** Good rows of the file. */
  readonly rows: number;
  readonly inserted: number;
  /** Already there, and the same. */
  readonly unchanged: number;
  /** Already there, and otherwise: the shop's own stays. */
  readonly kept: number;
};

export type ImportReport = {
  readonly shop: string;
  readonly currency: string;
  readonly created: boolean;
  readonly dryRun: boolean;
  /** False when a row was refused: nothing was loaded then. */
  readonly accepted: boolean;
  readonly tables: Readonly<Record<ImportTable, TableReport>>;
  /** What the shop holds after the import (for a dry run: would hold); absent when rows were refused. */
  readonly holds?: Readonly<Record<ImportTable, number>>;
  readonly refused: Refusals;
  /** File and line of each kept row. */
  readonly kept: readonly { readonly file: string; readonly line: number }[];
  readonly seconds: number;
};

/** Told what happens, as it happens. */
export type ImportWatch = {
  phase(title: string): void;
  /** How much of the whole import is done. */
  share(done: number, total: number): void;
};

/** Writing a table takes about twice as long as reading its file. */
const WRITING = 2;

/** The shop or its currency does not allow this import. Nothing was changed. */
export class ImportImpossible extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportImpossible';
  }
}

/** The connection broke while the commit was under way: all is loaded, or nothing. The same import again tells. */
export class ImportUnknown extends Error {
  constructor(options: ErrorOptions) {
    super(
      'The connection broke while committing, so all is loaded or nothing. Run the same import again.',
      options,
    );
    this.name = 'ImportUnknown';
  }
}

/** Any number unlike other advisory locks of the product. */
const LOCK = 743_301_772_213;

const SESSION = [
  `role=${ROLE_OF.write}`,
  'timezone=UTC',
  // Staged rows stay in memory up to this; the default spills a big shop to disk page by page.
  'temp_buffers=128MB',
  'work_mem=128MB',
  'jit=off',
  // A killed importer's statement ends within a second and lets go of its locks.
  'client_connection_check_interval=1s',
];

/**
 * Loads a shop in one transaction, or nothing of it. Rows that are there already stay as they are, so a repeat
 * changes nothing. Imports wait for one another.
 *
 * @throws {ImportUnknown} the answer to the commit was lost.
 * @throws {ImportImpossible} bad shop id or currency, or another currency than the shop's.
 */
export async function importShop(
  url: string,
  request: ImportRequest,
  watch: ImportWatch,
): Promise<ImportReport> {
  assertPossible(request);
  const client = new Client({
    connectionString: url,
    application_name: 'countersign import',
    options: SESSION.map((setting) => `-c ${setting}`).join(' '),
  });
  // A lost connection also rejects the statement under way, which is where it is told.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await inOneTransaction(client, request, watch);
  } finally {
    // Without a commit before it, this rolls back.
    await client.end();
  }
}

async function inOneTransaction(
  client: Client,
  request: ImportRequest,
  watch: ImportWatch,
): Promise<ImportReport> {
  const began = performance.now();
  await client.query('begin');
  await client.query("select set_config('countersign.shop_id', $1, true)", [request.shop]);
  await takeTurn(client, watch);
  const { currency, created } = await findOrCreateShop(client, request);
  const refused = new Refusals();
  const rows = await stage(client, request, currency, refused, watch);

  watch.phase('Checking');
  await prepareStages(client);
  const names = new Map(request.files.map(({ spec, name }) => [spec.table, name]));
  await checkStages(client, Object.values(FILE_SPECS), names, refused);
  const report = { shop: request.shop, currency, created, dryRun: request.dryRun, refused };
  const seconds = () => (performance.now() - began) / 1000;
  if (refused.count > 0) {
    return { ...report, accepted: false, tables: tableReports(rows), kept: [], seconds: seconds() };
  }

  const compared = await compareStages(client);
  const context = { shop: request.shop, currency, now: request.now.toISOString() };
  const inserted = await insertStages(
    client,
    context,
    request.files.map(({ spec }) => spec.table),
    {
      before: (table) => watch.phase(`Writing ${table.replace('_', ' ')}`),
      after: writtenShare(request.files, watch),
    },
  );
  const holds = await countShop(client);
  watch.phase(request.dryRun ? 'Taking it back' : 'Committing');
  await (request.dryRun ? client.query('rollback') : commit(client));
  return {
    ...report,
    accepted: true,
    tables: tableReports(rows, compared, inserted),
    holds,
    kept: [...compared].flatMap(([table, { kept }]) =>
      kept.map((line) => ({ file: names.get(table) ?? table, line })),
    ),
    seconds: seconds(),
  };
}

async function commit(client: Client): Promise<void> {
  try {
    await client.query('commit');
  } catch (error) {
    if (isUnavailable(error)) throw new ImportUnknown({ cause: error });
    throw error;
  }
}

function assertPossible({ shop, currency, name }: ImportRequest): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(shop))
    throw new ImportImpossible('A shop id is 1 to 64 letters, digits, - and _.');
  if (name !== undefined && (name.trim() === '' || name.length > 200 || /\p{C}/u.test(name)))
    throw new ImportImpossible("A shop's name is 1 to 200 visible characters.");
  if (currency !== undefined && !Intl.supportedValuesOf('currency').includes(currency))
    throw new ImportImpossible('A currency is an ISO 4217 code in capitals, such as USD.');
  if (currency !== undefined && decimalsOf(currency) > 2)
    throw new ImportImpossible('Amounts are kept with two decimals; this currency has three.');
}

/** Statistics are taken under a lock that lasts until the end, so two imports could only get in each other's way. */
async function takeTurn(client: Client, watch: ImportWatch): Promise<void> {
  const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_xact_lock($1) as ours', [
    LOCK,
  ]);
  if (rows[0]?.ours === true) return;
  watch.phase('Waiting for another import to end');
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
}

async function findOrCreateShop(
  client: Client,
  { shop, name = shop, currency }: ImportRequest,
): Promise<{ readonly currency: string; readonly created: boolean }> {
  const { rows } = await client.query<{ currency: string }>('select currency from shops where id = $1', [
    shop,
  ]);
  const found = rows[0];
  if (found === undefined) {
    const chosen = currency ?? 'USD';
    await client.query('insert into shops (id, name, currency) values ($1, $2, $3)', [shop, name, chosen]);
    return { currency: chosen, created: true };
  }
  if (currency !== undefined && currency !== found.currency)
    throw new ImportImpossible(`This shop's currency is ${found.currency}, and a shop has one currency.`);
  return { currency: found.currency, created: false };
}

async function stage(
  client: Client,
  { files }: ImportRequest,
  currency: string,
  refused: Refusals,
  watch: ImportWatch,
): Promise<ReadonlyMap<ImportTable, number>> {
  await createStages(client, Object.values(FILE_SPECS));
  const readers = readersFor(currency);
  const total = bytesOf(files) * (1 + WRITING);
  const rows = new Map<ImportTable, number>();
  let before = 0;
  for (const file of files) {
    watch.phase(`Reading ${file.name}`);
    const count = await stageFile(client, file, readers, refused, (bytes) =>
      watch.share(before + bytes, total),
    );
    if (count === 0 && file.spec.needed && refused.count === 0)
      refused.add(file.name, 1, 'no row below the header');
    rows.set(file.spec.table, count);
    before += file.bytes;
  }
  return rows;
}

const bytesOf = (files: readonly SourceFile[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);

function writtenShare(
  files: readonly SourceFile[],
  watch: ImportWatch,
): (table: ImportTable, part: number) => void {
  const all = bytesOf(files);
  let done = all;
  return (table, part) => {
    done += part * WRITING * bytesOf(files.filter(({ spec }) => spec.table === table));
    watch.share(done, all * (1 + WRITING));
  };
}

function tableReports(
  rows: ReadonlyMap<ImportTable, number>,
  compared: ReadonlyMap<ImportTable, Compared> = new Map(),
  inserted: ReadonlyMap<ImportTable, number> = new Map(),
): Readonly<Record<ImportTable, TableReport>> {
  const of = (table: ImportTable): TableReport => {
    const known = compared.get(table);
    const kept = known?.kept.length ?? 0;
    return {
      rows: rows.get(table) ?? 0,
      inserted: inserted.get(table) ?? 0,
      unchanged: (known?.known ?? 0) - kept,
      kept,
    };
  };
  return {
    customers: of('customers'),
    variants: of('variants'),
    orders: of('orders'),
    order_lines: of('order_lines'),
    payment_methods: of('payment_methods'),
    payments: of('payments'),
    warehouses: of('warehouses'),
    inventory: of('inventory'),
  };
}
