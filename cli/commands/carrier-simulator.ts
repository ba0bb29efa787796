import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { loadCommandSettings } from '../../platform/state.ts';
import type { Settings } from '../../platform/config.ts';
import { type CarrierSimulator, startCarrierSimulator } from '../../simulator/carriers/server.ts';
import { SIMULATED_ACCOUNT, webhooksOf } from '../carrier-simulator.ts';
import { followParcels } from '../follow-parcels.ts';
import { type Supervisor, supervise } from '../supervisor.ts';

type Options = {
  readonly port: number;
  readonly host: string;
  readonly parcels?: true;
  readonly pushTo?: string;
  readonly json?: true;
};

export function register(program: Command): void {
  program
    .command('carrier-simulator')
    .description('A carrier that speaks UPS’s interface over HTTP, with a clock and faults to switch.')
    .option('--port <n>', 'where it listens; 0: any free port', portOf, 3100)
    .option('--host <address>', 'whoever reaches it can control it', '127.0.0.1')
    .option('--parcels', 'carry the UPS parcels of the configured database that are under way')
    .option(
      '--push-to <url>',
      'push scans to the gateway there, with the secrets of CARRIER_WEBHOOK_SECRETS',
      urlOf,
    )
    .option('--json', 'say that it is ready as one line of JSON')
    .addHelpText('after', SETTINGS)
    .action(run);
}

const SETTINGS =
  '\nIt takes the credentials CARRIER_UPS_CLIENT_ID and CARRIER_UPS_CLIENT_SECRET, or makes some up and prints them.\n' +
  'POST /_control changes how it behaves, GET /_control shows it, GET /health answers while it runs.';

async function run(options: Options): Promise<void> {
  const settings = loadCommandSettings(process.env);
  const clientId = settings.carriers.ups?.clientId ?? madeUp();
  const clientSecret = settings.carriers.ups?.clientSecret ?? madeUp();
  const supervisor = supervise((line) => void process.stderr.write(`${line}\n`));
  const simulator = await startCarrierSimulator({
    ...options,
    clientId,
    clientSecret,
    clock: () => new Date(Date.now() + settings.clockOffsetMs),
  });
  await supervisor.onStop('the carrier', () => simulator.stop());
  if (options.pushTo !== undefined)
    await simulator.control({ webhooks: webhooksOf(settings.carrierWebhookSecrets, options.pushTo) });
  const parcels = options.parcels ? await follow(simulator, settings, supervisor) : 0;
  announce(options, simulator.url, parcels, settings.carriers.ups ? undefined : { clientId, clientSecret });
  await supervisor.asked;
  const problems = await supervisor.end();
  process.exit(problems.length === 0 ? 0 : 1);
}

async function follow(
  simulator: CarrierSimulator,
  { database, profile }: Settings,
  supervisor: Supervisor,
): Promise<number> {
  const { writeUrl, systemUrl = writeUrl } = database;
  if (writeUrl === undefined || systemUrl === undefined)
    throw new Error('--parcels needs a database: start the stack (npm start), or set DATABASE_URL.');
  const following = await followParcels(simulator, { writeUrl, systemUrl, profile }, (line) =>
    process.stderr.write(`${line}\n`),
  );
  await supervisor.onStop('the parcels', () => following.stop());
  return following.registered;
}

type MadeUp = { readonly clientId: string; readonly clientSecret: string };

function announce({ json }: Options, url: string, parcels: number, madeUpOnes: MadeUp | undefined): void {
  const environment = {
    CARRIER_UPS_URL: url,
    CARRIER_UPS_CLIENT_ID: madeUpOnes?.clientId,
    CARRIER_UPS_CLIENT_SECRET: madeUpOnes?.clientSecret,
    CARRIER_UPS_ACCOUNT: SIMULATED_ACCOUNT,
  };
  if (json === true) {
    const facts = { status: 'ready', pid: process.pid, url, parcels, ...(madeUpOnes ? { environment } : {}) };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  const lines = madeUpOnes
    ? Object.entries(environment).map(([name, value]) => `${name}=${String(value)}`)
    : [];
  process.stdout.write(
    [...lines, `countersign carrier simulator ready · ${url} · ${parcels} parcels`, ''].join('\n'),
  );
}

function madeUp(): string {
  return randomBytes(24).toString('base64url');
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('A port is 0 to 65535.');
  return port;
}

function urlOf(text: string): string {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new InvalidArgumentError('An http address is needed.');
  return text;
}
