import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { connectClient } from '../../adapters/temporal/connect.ts';
import type { PolicyRun, PolicyRunKind, PolicyRuns } from '../../domain/policy-registry.ts';
import { wakePolicyKeeper } from '../../workers/keep-policies.ts';
import { operator } from '../operator.ts';
import { printable } from '../printable.ts';
import { type PolicyDesk, withPolicyDesk } from './policy-desk.ts';

const LOOK_MS = 300;
/** A worker takes a run up within seconds. */
const PATIENCE_MS = 30_000;

type Options = { readonly wait: boolean; readonly json?: true };
type IngestOptions = Options & { readonly rebuild?: true; readonly accept?: true };

/** What acts. The keeper of policies does it, in a worker; the command asks, and watches. */
export function addRuns(policy: Command): void {
  acting(policy.command('ingest'))
    .description('Read the source of the policies, and publish what is new there.')
    .addOption(new Option('--rebuild', 'make new builds, whatever has changed').conflicts('accept'))
    .option('--accept', 'publish also what the questions of the documents refuse')
    .action((options: IngestOptions) => act(kindOf(options), null, options));
  acting(policy.command('rollback'))
    .description('Go back to what was published before.')
    .option(
      '--to <publication>',
      'its number in `countersign policy status`; default: the one before',
      numbered,
    )
    .action(({ to, ...options }: Options & { readonly to?: number }) => act('rollback', to ?? null, options));
}

function acting(command: Command): Command {
  return command
    .option('--no-wait', 'ask, and do not wait for the end')
    .option('--json', 'print the run as one line of JSON')
    .addHelpText(
      'after',
      '\nExit code 0: published, or nothing to do; 3: refused or held back, what was live goes on; 1: failed.',
    );
}

function kindOf({ rebuild, accept }: IngestOptions): PolicyRunKind {
  if (rebuild === true) return 'rebuild';
  return accept === true ? 'accept' : 'ingest';
}

async function act(kind: PolicyRunKind, target: number | null, { wait, json }: Options): Promise<void> {
  await withPolicyDesk(async (desk) => {
    if (kind === 'rollback') await assertThere(desk, target);
    const asked = await ask(desk, kind, target);
    const run = wait
      ? await followRun(desk.runs, asked.id, progressLine(process.stderr), {
          lookMs: LOOK_MS,
          patienceMs: PATIENCE_MS,
        })
      : asked;
    process.stdout.write(json === true ? `${JSON.stringify(runToWire(run))}\n` : said(run));
    if (run.outcome !== null) process.exitCode = EXIT_CODES[run.outcome.status];
  });
}

async function assertThere({ registry }: PolicyDesk, target: number | null): Promise<void> {
  const publications = await registry.publications();
  const wasLive = publications.filter(({ liveAt }) => liveAt !== null);
  const isThere = target === null ? wasLive.length > 1 : wasLive.some(({ number }) => number === target);
  if (isThere) return;
  throw new Error(
    target === null
      ? 'Nothing was published before, so there is nothing to go back to.'
      : `Publication ${target} was never live: see countersign policy status. Nothing was asked for.`,
  );
}

/** The row says what is to be done; the keeper is only told to look. */
async function ask(
  { settings, runs }: PolicyDesk,
  kind: PolicyRunKind,
  target: number | null,
): Promise<PolicyRun> {
  const { address, queuePrefix, ...access } = settings.temporal;
  if (address === undefined) {
    throw new Error('There is no Temporal: start the stack (npm start), or set TEMPORAL_ADDRESS.');
  }
  const client = await connectClient({ ...access, address });
  try {
    const run = await runs.request({ kind, target, requestedBy: operator() });
    await wakePolicyKeeper({ client, queuePrefix });
    return run;
  } finally {
    await client.connection.close();
  }
}

/** Tells where the run is whenever that changes, until it has ended. */
export async function followRun(
  runs: PolicyRuns,
  id: string,
  tell: { line(text: string): void; end(): void },
  { lookMs, patienceMs }: { readonly lookMs: number; readonly patienceMs: number },
): Promise<PolicyRun> {
  let told = '';
  let moved = performance.now();
  let isWarned = false;
  for (;;) {
    const run = await runs.find(id);
    if (run === undefined) throw new Error(`The run ${id} is not on record any more.`);
    if (run.endedAt !== null) {
      tell.end();
      return run;
    }
    const now = await standing(runs, run);
    if (now !== told) {
      [told, moved] = [now, performance.now()];
      tell.line(now);
    } else if (!isWarned && performance.now() - moved > patienceMs) {
      isWarned = true;
      tell.end();
      tell.line(nobody(id, patienceMs));
    }
    await sleep(lookMs);
  }
}

async function standing(runs: PolicyRuns, run: PolicyRun): Promise<string> {
  const first = await runs.open();
  if (first === undefined || first.id === run.id) return run.progress === '' ? 'asked for' : run.progress;
  return `after ${first.id}${first.progress === '' ? '' : ` (${first.progress})`}`;
}

function nobody(id: string, patienceMs: number): string {
  const seconds = Math.round(patienceMs / 1000);
  return (
    `Nothing has happened for ${seconds} seconds: no worker seems to run. The run ${id} stays asked for; ` +
    'start a worker (npm start, or countersign worker), or leave with Ctrl-C.'
  );
}

/** On a terminal one line that is written anew; elsewhere a line for each. */
function progressLine(stream: NodeJS.WriteStream): { line(text: string): void; end(): void } {
  let isOpen = false;
  return {
    line: (text) => {
      stream.write(stream.isTTY ? `\r▸ ${printable(text)}\u001b[K` : `▸ ${printable(text)}\n`);
      isOpen = stream.isTTY;
    },
    end: () => {
      if (isOpen) stream.write('\n');
      isOpen = false;
    },
  };
}

const EXIT_CODES = { published: 0, unchanged: 0, refused: 3, held: 3, failed: 1 } as const;

const WORDS = {
  published: 'Published',
  unchanged: 'Unchanged: this is live already',
  refused: 'Refused, and what was live goes on',
  held: 'Held back, and what was live goes on',
  failed: 'Failed, and what was live goes on',
} as const;

function said({ id, kind, report, outcome }: PolicyRun): string {
  if (outcome === null) return `Asked for: ${id}. See countersign policy status.\n`;
  const { status, detail } = outcome;
  const reasons = detail.length > 1 || status === 'refused' ? detail.map((one) => `  ${one}`) : [];
  const only = reasons.length === 0 && detail.length === 1 ? `: ${detail[0]}` : '';
  const wayOut =
    status === 'refused' && kind !== 'accept'
      ? ['Publish it all the same: countersign policy ingest --accept']
      : [];
  return [...report, ended(`${WORDS[status]}${only}`), ...reasons, ...wayOut]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function ended(sentence: string): string {
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}

export function runToWire(run: PolicyRun) {
  return {
    id: run.id,
    kind: run.kind,
    target: run.target,
    requested_by: run.requestedBy,
    requested_at: run.requestedAt,
    publication: run.publication,
    progress: run.progress,
    report: run.report,
    status: run.outcome?.status ?? null,
    detail: run.outcome?.detail ?? [],
    ended_at: run.endedAt,
  };
}

function numbered(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('The number of a publication is needed.');
  return Number(text);
}
