import type { Command } from 'commander';
import { authenticationBypass } from '../../mcp-gateway/bypass.ts';
import { startGatewayPart } from '../parts.ts';
import { serve } from '../serve.ts';

export function register(program: Command): void {
  program
    .command('gateway')
    .description('Serve MCP and the HTTP API, alone, against servers that run already.')
    .option('--json', 'say that it is ready as one line of JSON')
    .addHelpText('after', SETTINGS)
    .action((options: { readonly json?: true }) =>
      serve({
        json: options.json === true,
        begin: startGatewayPart,
        ready: ({ host, ports, identity }) => {
          const url = `http://${host.includes(':') ? `[${host}]` : host}:${ports.gateway}`;
          const warning = authenticationBypass(identity)?.warning;
          return {
            line: `${warning === undefined ? '' : `!! ${warning}\n`}countersign gateway ready · ${url}/mcp`,
            facts: {
              mcp_url: `${url}/mcp`,
              console_url: `${url}/`,
              ...(warning === undefined ? {} : { warning }),
            },
          };
        },
      }),
    );
}

const SETTINGS =
  '\nIt reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, DATABASE_URL, DATABASE_READ_URL, REDIS_URL, OIDC_ISSUER, OIDC_JWKS_URL,\n' +
  'SEAL_KEY, PERSONAL_DATA_KEY and PORT; `.env.example` has them all. With COUNTERSIGN_PROFILE=development the keys,\n' +
  'and the addresses of a stack that runs there, come from COUNTERSIGN_HOME.';
