import { Command } from 'commander';

/** Adds one command, or a family of them, to the program. */
type Register = (program: Command) => void;

/** Loaded only when asked for: `countersign token` must not wait for the worker's modules. */
const COMMANDS: Readonly<Record<string, () => Promise<{ register: Register }>>> = {
  start: () => import('./commands/start.ts'),
  gateway: () => import('./commands/gateway.ts'),
  worker: () => import('./commands/worker.ts'),
  stdio: () => import('./commands/stdio.ts'),
  token: () => import('./commands/token.ts'),
  probe: () => import('./commands/probe.ts'),
  import: () => import('./commands/import.ts'),
  approve: () => import('./commands/approve.ts'),
  reject: () => import('./commands/approve.ts'),
  code: () => import('./commands/approve.ts'),
  audit: () => import('./commands/audit.ts'),
  grant: () => import('./commands/grant.ts'),
  db: () => import('./commands/db.ts'),
  reset: () => import('./commands/reset.ts'),
  bench: () => import('./commands/bench.ts'),
};

const program = new Command('countersign')
  .description('An MCP gateway for commerce operations: durable tool calls, countersigned side effects.')
  .version('0.1.0')
  .showHelpAfterError('(add --help for what this command takes)');

const asked = process.argv[2];
const wanted = asked !== undefined && asked in COMMANDS ? [asked] : Object.keys(COMMANDS);
const modules = new Set(await Promise.all(wanted.map((name) => COMMANDS[name]?.())));
for (const module of modules) module?.register(program);

await program.parseAsync();
