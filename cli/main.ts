import { Command } from 'commander';
import { explain } from './explain.ts';

/** A command file adds its command, or a family of them, to the program. */
type Load = () => Promise<{ register: (program: Command) => void }>;

/** Loaded only when asked for: `countersign token` must not wait for the worker's modules. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: Load }>> = {
  start: {
    summary: 'start everything on this machine: Temporal, Postgres, gateway, worker',
    load: () => import('./commands/start.ts'),
  },
  gateway: {
    summary: 'run the gateway alone, against servers named in the environment',
    load: () => import('./commands/gateway.ts'),
  },
  worker: {
    summary: 'run the worker alone, against servers named in the environment',
    load: () => import('./commands/worker.ts'),
  },
  stdio: {
    summary: 'speak MCP over stdin and stdout, attached to a running stack',
    load: () => import('./commands/stdio.ts'),
  },
  token: { summary: 'mint a development token', load: () => import('./commands/token.ts') },
  probe: {
    summary: 'list, read, prompt and call as an MCP client',
    load: () => import('./commands/probe.ts'),
  },
  approve: { summary: 'approve a pending action', load: () => import('./commands/approve.ts') },
  reject: { summary: 'reject a pending action', load: () => import('./commands/approve.ts') },
  code: {
    summary: 'print the JSON, with its one-time code, to paste into the Temporal UI',
    load: () => import('./commands/approve.ts'),
  },
  audit: { summary: 'read the audit record', load: () => import('./commands/audit.ts') },
  events: {
    summary: 'read what was published, and count the hot items',
    load: () => import('./commands/events.ts'),
  },
  grant: { summary: 'show and change who may do what', load: () => import('./commands/grant.ts') },
  import: {
    summary: 'load a shop from CSV files or a SQLite file',
    load: () => import('./commands/import.ts'),
  },
  db: {
    summary: 'migrate, seed, check, back up and restore the database',
    load: () => import('./commands/db.ts'),
  },
  model: {
    summary: 'fetch the local model that reads policies and questions',
    load: () => import('./commands/model.ts'),
  },
  policy: {
    summary: 'ask what the policies say, and publish them',
    load: () => import('./commands/policy.ts'),
  },
  'carrier-simulator': {
    summary: 'run the simulated carrier alone',
    load: () => import('./commands/carrier-simulator.ts'),
  },
  reset: { summary: 'empty the state directory', load: () => import('./commands/reset.ts') },
  bench: { summary: 'measure, each figure beside its floor', load: () => import('./commands/bench.ts') },
};

const program = new Command('countersign')
  .description('An MCP gateway for commerce operations: durable tool calls, countersigned side effects.')
  .version('0.1.0')
  .showHelpAfterError('(add --help for what this command takes)');

const [, , first, second] = process.argv;
const asked = COMMANDS[(first === 'help' ? second : first) ?? ''];
if (asked) (await asked.load()).register(program);
else for (const [name, { summary }] of Object.entries(COMMANDS)) program.command(name).description(summary);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
