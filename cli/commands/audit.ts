import { type Command, InvalidArgumentError, Option } from 'commander';
import { createAuditLog } from '../../adapters/postgres/audit-log.ts';
import { type AuditEntry, type AuditFilter, type Outcome, OUTCOMES } from '../../domain/audit.ts';
import { withDatabase } from '../database.ts';
import { printable } from '../printable.ts';

type Options = {
  readonly shop: string;
  readonly call?: string;
  readonly tool?: string;
  readonly subject?: string;
  readonly outcome?: Outcome;
  readonly final?: true;
  readonly before?: number;
  readonly limit: number;
  readonly json?: true;
};

type Row = AuditEntry & { readonly position: number };

export function register(program: Command): void {
  program
    .command('audit')
    .description('The record: every call, ballot and outcome.')
    .command('list')
    .description('Print rows of one shop, newest first.')
    .option('--shop <id>', 'whose; _unverified for callers without a valid token', 'manga')
    .option('--call <id>', 'of one call or action')
    .option('--tool <name>')
    .option('--subject <login>')
    .addOption(new Option('--outcome <outcome>').choices(OUTCOMES))
    .option('--final', 'only how calls ended')
    .option('--before <position>', 'rows before this one', whole)
    .option('--limit <n>', 'at most this many', whole, 50)
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      '\nReads the database directly; over HTTP it is GET /v1/audit with the scope audit:read.',
    )
    .action(list);
}

async function list({ shop, json, ...options }: Options): Promise<void> {
  await withDatabase('audit', async (pools) => {
    const rows = await createAuditLog(pools).list(shop, filterOf(options));
    const print = json === true ? asJson : asLine;
    process.stdout.write(rows.map((row) => `${print(row)}\n`).join(''));
  });
}

function filterOf(options: Omit<Options, 'shop' | 'json'>): AuditFilter {
  const { call, tool, subject, outcome, final, before, limit } = options;
  return {
    limit,
    ...(call === undefined ? {} : { callId: call }),
    ...(tool === undefined ? {} : { tool }),
    ...(subject === undefined ? {} : { subject }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(before === undefined ? {} : { before }),
    ...(final === undefined ? {} : { finalOnly: true }),
  };
}

/** Wire fields are snake case, here as over HTTP. */
function asJson(row: Row): string {
  const fields = Object.entries(row).map(([name, value]: [string, unknown]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ]);
  return JSON.stringify(Object.fromEntries(fields));
}

function asLine(row: Row): string {
  const { position, at, outcome, event, final, tool, subject, actor, reason, callId } = row;
  const who = actor === undefined ? subject : `${actor} for ${subject}`;
  const parts = [
    position,
    at,
    outcome.padEnd(9),
    final ? event : `(${event})`,
    tool,
    who,
    callId,
    reason ?? '',
  ];
  return printable(parts.join('  ')).trimEnd();
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('A whole number above 0 is needed.');
  return Math.min(value, 1_000_000_000);
}
