import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { connectMcp, type McpOptions } from '../mcp-session.ts';

type Options = McpOptions & { readonly json?: true };

type Arguments = Readonly<Record<string, unknown>>;

/** What one probe does with a connected client, and what it prints of it. */
type Probe = (client: Client) => Promise<Readonly<Record<string, unknown>>>;

const WAREHOUSE = 'inventory://warehouse/WH-2/stock';

export function register(program: Command): void {
  const probe = withOptions(program.command('probe'))
    .description(
      'Be an MCP client: initialize, list, read, prompt and call, over HTTP or stdio. Exit code 0 when it worked.',
    )
    .action((_options, command: Command) => run(command.optsWithGlobals(), look));
  withOptions(probe.command('list'))
    .description('list tools, resources, templates and prompts')
    .action((_options, command: Command) => run(command.optsWithGlobals(), list));
  withOptions(probe.command('read <uri>'))
    .description('read a resource')
    .action((uri: string, _options, command: Command) => run(command.optsWithGlobals(), read(uri)));
  withOptions(probe.command('prompt <name>').argument('[json]', 'its arguments', object, {}))
    .description('get a prompt')
    .action((name: string, args: Arguments, _options, command: Command) =>
      run(command.optsWithGlobals(), prompt(name, args)),
    );
  withOptions(probe.command('call <tool>').argument('[json]', 'its arguments', object, {}))
    .description('call a tool')
    .action((name: string, args: Arguments, _options, command: Command) =>
      run(command.optsWithGlobals(), call(name, args)),
    );
}

function withOptions(command: Command): Command {
  return command
    .addOption(new Option('--transport <kind>', 'how to connect').choices(['http', 'stdio']).default('http'))
    .option('--url <url>', 'address of the gateway; default: the stack that runs on this home')
    .option('--server <name>', 'one domain server')
    .option('--token <token>', 'bearer token; default: one minted for --as')
    .option('--token-file <path>', 'file that holds the token')
    .option('--as <who>', 'whom to be, as in `countersign token`', 'supply_chain_manager')
    .option('--shop <id>', 'the shop', 'manga')
    .option('--json', 'print one line of JSON');
}

async function run(options: Options, probe: Probe): Promise<void> {
  const client = await connectMcp(options, 'countersign-probe');
  try {
    const found = await probe(client);
    process.stdout.write(`${options.json === true ? JSON.stringify(found) : lines(found)}\n`);
    // A refusal is an answer; scripts that expect success must still be able to tell.
    if (found['is_error'] === true) process.exitCode = 2;
  } finally {
    await client.close();
  }
}

const look: Probe = async (client) => {
  const { tools } = await client.listTools();
  const { contents } = await client.readResource({ uri: WAREHOUSE });
  return {
    server: client.getServerVersion()?.name,
    tools: tools.map(({ name }) => name),
    stock: textsOf(contents)[0],
  };
};

const list: Probe = async (client) => {
  const [{ tools }, { resources }, { resourceTemplates }, { prompts }] = await Promise.all([
    client.listTools(),
    client.listResources(),
    client.listResourceTemplates(),
    client.listPrompts(),
  ]);
  return {
    server: client.getServerVersion()?.name,
    tools: tools.map(({ name }) => name),
    resources: resources.map(({ uri }) => uri),
    templates: resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    prompts: prompts.map(({ name }) => name),
  };
};

function read(uri: string): Probe {
  return async (client) => ({ contents: textsOf((await client.readResource({ uri })).contents) });
}

function prompt(name: string, given: Arguments): Probe {
  return async (client) => {
    const args = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
    const { messages } = await client.getPrompt({ name, arguments: args });
    return { messages: textsOf(messages.map(({ content }) => content)) };
  };
}

function call(name: string, args: Arguments): Probe {
  return async (client) => {
    const result = await client.callTool({ name, arguments: { ...args } });
    const [said] = textsOf(result.content);
    const structured = result.structuredContent === undefined ? {} : { structured: result.structuredContent };
    return { said, ...structured, ...(result.isError === true ? { is_error: true } : {}) };
  };
}

const TEXTS = z.array(z.object({ text: z.string().default('') }));

function textsOf(blocks: unknown): readonly string[] {
  const parsed = TEXTS.safeParse(blocks);
  return parsed.success ? parsed.data.map(({ text }) => text) : [];
}

function lines(found: Readonly<Record<string, unknown>>): string {
  return Object.entries(found)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${shown(value)}`)
    .join('\n');
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function object(text: string): Arguments {
  const parsed = z.record(z.string(), z.unknown()).safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It needs a JSON object, such as \'{"manga_id":"BER42"}\'.');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
