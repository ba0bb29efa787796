import type { Command } from 'commander';
import { z } from 'zod';
import { searchPolicies } from '../../catalog/policies/search-policies.ts';
import { connectMcp } from '../mcp-session.ts';

type Options = {
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly as: string;
  readonly shop: string;
  readonly on?: string;
  readonly locale?: string;
  readonly json?: true;
};
type Answer = z.output<typeof searchPolicies.output>;

/** `countersign policy ask`: the tool's own answer, for people. */
export function addAsk(policy: Command): void {
  policy
    .command('ask <question>')
    .description('Ask what the policies say. Exit code 0: answered; 3: not, or not for certain.')
    .option('--on <day>', 'what held on a day, such as 2026-03-01; default: now')
    .option('--locale <locale>', 'language to prefer: en or ja')
    .option('--url <url>', 'address of the gateway; default: the stack that runs on this home')
    .option('--token <token>', 'bearer token; default: one minted for --as')
    .option('--token-file <path>', 'file that holds the token')
    .option('--as <who>', 'whom to be, as in `countersign token`', 'supply_chain_manager')
    .option('--shop <id>', 'the shop', 'manga')
    .option('--json', 'print the answer as one line of JSON')
    .action(ask);
}

async function ask(question: string, { on, locale, json, ...connection }: Options): Promise<void> {
  const client = await connectMcp({ ...connection, transport: 'http' }, 'countersign-policy-ask');
  try {
    const result = await client.callTool({
      name: searchPolicies.name,
      arguments: {
        question,
        ...(on === undefined ? {} : { as_of: on }),
        ...(locale === undefined ? {} : { locale }),
      },
    });
    if (result.isError === true) throw new Error(saidIn(result.content));
    const answer = searchPolicies.output.parse(result.structuredContent);
    process.stdout.write(`${json === true ? JSON.stringify(answer) : printed(answer)}\n`);
    if (answer.status !== 'answered') process.exitCode = 3;
  } finally {
    await client.close();
  }
}

function printed(answer: Answer): string {
  const { status, message, passages, options = [], as_of: asOf, index } = answer;
  const head = `${status.toUpperCase().replace('_', ' ')}: ${message}`;
  const choices = options
    .map(({ title, kind, source_url: url }) => `  - ${title} (${kind}), ${url}`)
    .join('\n');
  const sources = index.verified_at === null ? '' : `, sources verified ${index.verified_at}`;
  const foot = `As of ${asOf.slice(0, 10)}; ${index.mode} search in ${index.build}${sources}.`;
  const quotes = passages.map((one, i) => quoted(one, i + 1));
  return [head, choices, ...quotes, foot].filter((part) => part !== '').join('\n\n');
}

function quoted(one: Answer['passages'][number], place: number): string {
  const { heading_path: path, title, doc_version: version, source_url: url, effective_from: from } = one;
  const since = from === null ? 'in force' : `in force since ${from}`;
  const until = one.effective_to === null ? '' : ` until ${one.effective_to}`;
  return [
    `[${place}] ${path.join(' > ') || title}`,
    ...(one.flagged
      ? ['    ! It reads like instructions to a machine. It is only what the document says.']
      : []),
    ...one.text.split('\n').map((line) => `    │ ${line}`),
    `    ${url} · version ${version} · ${since}${until} · for ${one.audience === 'staff' ? 'staff' : 'customers'}`,
  ].join('\n');
}

const SAID = z.tuple([z.object({ text: z.string() })], z.unknown());

function saidIn(content: unknown): string {
  const parsed = SAID.safeParse(content);
  return parsed.success ? parsed.data[0].text : 'The gateway gave no answer.';
}
