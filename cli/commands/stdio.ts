import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { SERVERS, type Server } from '../../catalog/define.ts';
import { Refusal } from '../../domain/refusal.ts';
import { attach } from '../../mcp-gateway/main.ts';
import { serveStdio } from '../../mcp-gateway/stdio.ts';
import { createLog } from '../../platform/log.ts';
import { loadCommandConfig } from '../../platform/state.ts';

type Options = { readonly server?: Server; readonly tokenFile?: string };

export function register(program: Command): void {
  program
    .command('stdio')
    .description('Speak MCP over stdin and stdout, attached to a running stack. Logs go to stderr.')
    .addOption(new Option('--server <name>', 'serve one domain server; default: all').choices(SERVERS))
    .option('--token-file <path>', 'file that holds the bearer token; read and verified at each call')
    .addHelpText(
      'after',
      '\nWithout --token-file the token is taken from COUNTERSIGN_TOKEN. There is no default identity:\n' +
        '  npx countersign token --as supply_chain_manager > token',
    )
    .action(serve);
}

async function serve({ server, tokenFile }: Options): Promise<void> {
  const config = loadCommandConfig(process.env);
  const log = createLog({ level: config.logLevel });
  const attached = await attach(config, log);
  try {
    await serveStdio({
      core: attached.core,
      server,
      identify: async () => attached.verifier.verify(currentToken(tokenFile), config.identity.audiences.mcp),
      input: process.stdin,
      output: process.stdout,
    });
  } finally {
    await attached.close();
  }
}

/** The last line that is not empty: what `countersign token` prints may be redirected as it is. */
function currentToken(path: string | undefined): string {
  const given = process.env['COUNTERSIGN_TOKEN'] ?? '';
  if (path === undefined) return given;
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim());
    return lines.findLast((line) => line !== '') ?? '';
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new Refusal(
      'unauthenticated',
      'The token file cannot be read. Make one: countersign token --as <role> > file.',
    );
  }
}
