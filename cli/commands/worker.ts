import { rmSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { type Parts, startWorkerPart } from '../parts.ts';
import { serve } from '../serve.ts';

type Options = { readonly json?: true; readonly aliveFile?: string };

const EVERY_MS = 10_000;

export function register(program: Command): void {
  program
    .command('worker')
    .description('Run workflows and activities, alone, against servers that run already.')
    .option(
      '--alive-file <path>',
      'touch this file every ten seconds, for a container health check',
      notEmpty,
    )
    .option('--json', 'say that it is ready as one line of JSON')
    .addHelpText('after', SETTINGS)
    .action((options: Options) =>
      serve({
        json: options.json === true,
        begin: (parts) => begin(parts, options.aliveFile),
        ready: ({ temporal }) => ({
          line: `countersign worker ready · ${temporal.address}, namespace ${temporal.namespace}`,
          facts: { temporal_address: temporal.address, namespace: temporal.namespace },
        }),
      }),
    );
}

const SETTINGS =
  '\nIt reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, DATABASE_URL, DATABASE_READ_URL, REDIS_URL, SEAL_KEY and\n' +
  'PERSONAL_DATA_KEY; `.env.example` has them all. With COUNTERSIGN_PROFILE=development the keys, and the addresses\n' +
  'of a stack that runs there, come from COUNTERSIGN_HOME.';

async function begin(parts: Parts, aliveFile: string | undefined): Promise<void> {
  await startWorkerPart(parts);
  if (aliveFile === undefined) return;
  const touch = () => writeFileSync(aliveFile, `${process.pid}\n`);
  touch();
  const timer = setInterval(touch, EVERY_MS);
  await parts.supervisor.onStop('the sign of life', async () => {
    clearInterval(timer);
    rmSync(aliveFile, { force: true });
  });
}

function notEmpty(path: string): string {
  if (path === '') throw new InvalidArgumentError('It needs a file name.');
  return path;
}
