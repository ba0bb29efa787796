import type { Command } from 'commander';
import { z } from 'zod';
import { liveRun } from '../../platform/run-file.ts';
import { loadCommandSettings } from '../../platform/state.ts';
import { type ApiOptions, openApi, withApiOptions } from '../api-client.ts';
import { printable } from '../printable.ts';

type Options = ApiOptions & { readonly comment?: string; readonly json?: true; readonly reject?: true };
type Decision = 'approve' | 'reject';

const ACTION = z.object({
  action_id: z.string(),
  title: z.string(),
  asks: z.string(),
  status: z.string(),
  requested_by: z.string(),
  expires_at: z.string(),
  digest: z.string(),
  policy_clause: z
    .object({
      quote: z.string(),
      heading_path: z.array(z.string()),
      doc_version: z.string(),
      source_url: z.string(),
    })
    .nullable(),
});
const DECIDED = z.object({
  action_id: z.string(),
  decision: z.string(),
  standing: z.string(),
  /** The same vote had been counted before. */
  repeated: z.boolean().optional(),
});
const CODE = z.object({
  workflow_id: z.string(),
  signal: z.string(),
  input: z.object({
    decision: z.string(),
    approver: z.string(),
    comment: z.string(),
    code: z.string(),
  }),
  expires_at: z.string(),
});

/** Ways for people to decide. Each needs the approver's own token: nobody approves by having a shell. */
export function register(program: Command): void {
  decisionCommand(program, 'approve', 'Approve a pending action, as yourself.');
  decisionCommand(program, 'reject', 'Reject a pending action, as yourself.');
  withApiOptions(program.command('code <action-id>'))
    .description('Print the JSON, with its one-time code, that casts your vote through Temporal.')
    .option('--reject', 'a code for a no; default: for a yes')
    .option('--json', 'print only the JSON to paste')
    .addHelpText('after', '\nThe code is good for ten minutes, for one use, one decision and one action.')
    .action(printCode);
}

function decisionCommand(program: Command, decision: Decision, description: string): void {
  withApiOptions(program.command(`${decision} <action-id>`))
    .description(description)
    .option('--comment <text>', 'why; kept with the vote')
    .option('--json', 'print one line of JSON')
    .action((id: string, options: Options) => decide(decision, id, options));
}

async function decide(decision: Decision, id: string, options: Options): Promise<void> {
  const api = await openApi(options);
  const path = `/v1/approvals/${encodeURIComponent(id)}`;
  const action = await api.get(path, ACTION);
  const { comment, json } = options;
  const decided = await api.post(
    `${path}/decision`,
    // What is printed here is what is decided: another request under the same id would not count.
    { decision, seen: action.digest, ...(comment === undefined ? {} : { comment }) },
    DECIDED,
  );
  const word = `${decision === 'approve' ? 'Approved' : 'Rejected'}${decided.repeated === true ? ' before' : ''}`;
  const more = decided.standing === 'open' ? ' More votes are needed.' : '';
  process.stdout.write(
    json === true
      ? `${JSON.stringify(decided)}\n`
      : `${word}: ${printable(action.asks)} (asked by ${printable(action.requested_by)})${more}\n${clauseOf(action)}`,
  );
}

/** What the policy says, under what was decided, with where it stands. */
function clauseOf({ policy_clause: clause }: z.output<typeof ACTION>): string {
  if (clause === null) return 'No clause of the policies was found for it.\n';
  const lines = clause.quote.split('\n').map((line) => `  │ ${printable(line)}`);
  const where = printable(clause.heading_path.join(' > '));
  return `${['The policy says:', ...lines].join('\n')}\n  ${where}, version ${clause.doc_version}, ${printable(clause.source_url)}\n`;
}

async function printCode(id: string, options: Options): Promise<void> {
  const api = await openApi(options);
  const decision: Decision = options.reject === true ? 'reject' : 'approve';
  const code = await api.post(`/v1/approvals/${encodeURIComponent(id)}/code`, { decision }, CODE);
  const input = JSON.stringify(code.input);
  if (options.json === true) return void process.stdout.write(`${input}\n`);
  process.stdout.write(
    [
      `Signal ${code.signal} of workflow ${code.workflow_id}, good until ${code.expires_at}. Paste in the Temporal UI:`,
      '',
      input,
      '',
      'or run:',
      '',
      signalCommand(code.workflow_id, code.signal, input),
      '',
    ].join('\n'),
  );
}

function signalCommand(workflowId: string, signal: string, input: string): string {
  const { temporal, home } = loadCommandSettings(process.env);
  const run = liveRun(home)?.environment ?? {};
  const address = temporal.address ?? run['TEMPORAL_ADDRESS'];
  const namespace = run['TEMPORAL_NAMESPACE'] ?? temporal.namespace;
  const where = [
    ...(address === undefined ? [] : [`--address ${quoted(address)}`]),
    `--namespace ${quoted(namespace)}`,
  ];
  return `temporal workflow signal ${where.join(' ')} --workflow-id ${quoted(workflowId)} --name ${signal} --input ${quoted(input)}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
