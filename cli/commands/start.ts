import type { Command } from 'commander';
import { authenticationBypass } from '../../mcp-gateway/bypass.ts';
import {
  type Config,
  type Environment,
  loadConfig,
  loadSettings,
  settingsIn,
} from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { identify, isAlive, parentOf } from '../../platform/processes.ts';
import { createProgress, type Progress } from '../../platform/progress.ts';
import { readRun, removeRun, takeHome, writeRun } from '../../platform/run-file.ts';
import { openState, stateEnvironment } from '../../platform/state.ts';
import { informCarrier, startCarrier } from '../carrier-simulator.ts';
import {
  choosePort,
  prepareData,
  type Start,
  startPostgres,
  startTemporal,
  webAddress,
} from '../embedded-stack.ts';
import { startParts } from '../parts.ts';
import { explain } from '../explain.ts';
import { firstPolicies } from '../first-policies.ts';
import { startPayments } from '../payment-simulator.ts';
import { type Supervisor, supervise, Stopped } from '../supervisor.ts';

type Options = { readonly json?: true };

export function register(program: Command): void {
  program
    .command('start')
    .description('Start everything on this machine: Temporal, PostgreSQL, mock shops, gateway and worker.')
    .option('--json', 'print what runs where as one line of JSON on stdout; progress goes to stderr')
    .addHelpText(
      'after',
      '\nDevelopment only. PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, POSTGRES_PORT and COUNTERSIGN_HOME choose where;\n' +
        'TEMPORAL_ADDRESS, DATABASE_URL and REDIS_URL use servers that run already. Ctrl-C stops what was started.',
    )
    .action(runStart);
}

async function runStart(options: Options): Promise<void> {
  const progress = createProgress(options.json === true ? process.stderr : process.stdout);
  const supervisor = supervise(progress.line);
  endWithNpm(supervisor);
  const starting = start(progress, supervisor, options);
  const outcome = await Promise.race([starting.then(() => 'ready' as const, failed), supervisor.asked]);
  if (outcome === 'ready') progress.line(`\nStopping (${await supervisor.asked}) …`);
  else if (typeof outcome === 'string') await interrupted(starting, progress, outcome);
  const problems = await supervisor.end();
  if (typeof outcome !== 'string' && !(outcome.error instanceof Stopped)) {
    process.stderr.write(`${explain(outcome.error)}\n`);
    process.exit(1);
  }
  if (problems.length === 0) progress.line('Stopped.');
  // Connections of libraries must not keep alive what has been stopped.
  process.exit(problems.length === 0 ? 0 : 1);
}

/**
 * A signal sent to `npm start` reaches npm, or the shell it puts in between, and not always us. When one of them
 * is gone, nobody is left to stop what runs here.
 */
function endWithNpm(supervisor: Supervisor): void {
  // Nobody may read any more what is said while stopping.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => supervisor.ask('output closed'));
  if (process.env['npm_lifecycle_event'] !== 'start') return;
  const parents = [process.ppid, parentOf(process.ppid)]
    .map((pid) => (pid === undefined || pid <= 1 ? undefined : identify(pid)))
    .filter((parent) => parent !== undefined);
  const timer = setInterval(() => {
    if (!parents.every(isAlive)) supervisor.ask('npm has ended');
  }, 500);
  timer.unref();
}

type Failure = { readonly error: unknown };
const failed = (error: unknown): Failure => ({ error });

/** The step that is running is let to its end, so that what it starts is known and can be stopped. */
async function interrupted(starting: Promise<void>, progress: Progress, signal: string): Promise<void> {
  progress.line(`\nStopping (${signal}) …`);
  const patience = new Promise<void>((resolve) => setTimeout(resolve, 15_000).unref());
  await Promise.race([starting.catch(() => undefined), patience]);
}

async function start(progress: Progress, supervisor: Supervisor, options: Options): Promise<void> {
  const env: Environment = { COUNTERSIGN_PROFILE: 'development', ...settingsIn(process.env) };
  const first = loadSettings(env);
  if (first.profile === 'production') {
    throw new Error(
      '`start` is for development. In production run `countersign gateway` and `countersign worker`.',
    );
  }
  const state = openState(first.home);
  const left = takeHome(state.home);
  await supervisor.onStop('the home', () => Promise.resolve(removeRun(state.home)));
  const known = { ...stateEnvironment(state), ...env };
  const shared: Start = { settings: loadSettings(known), state, progress, supervisor, left };

  const temporal = await startTemporal(shared);
  supervisor.check();
  const databaseUrl = await startPostgres(shared);
  supervisor.check();
  const port = await choosePort(shared);
  const { simulator, environment: carrier } = await startCarrier(shared);
  const servers = {
    TEMPORAL_ADDRESS: temporal.address,
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    ...(await startPayments(shared, port)),
    ...carrier,
  };
  const prepared = loadConfig(known, servers);
  await prepareData(shared, prepared);
  supervisor.check();
  const found = { ...servers, ...(simulator && (await informCarrier(simulator, shared, prepared))) };
  const config = loadConfig(known, found);

  const log = createLog({ level: config.logLevel, file: `${state.home}/countersign.log` });
  await progress.step('Gateway and worker', async (step) => {
    await startParts({ config, log, supervisor, note: step.note });
    step.note(`http://127.0.0.1:${port}`);
  });
  supervisor.check();
  await progress.step('Policies', (step) => firstPolicies(config, supervisor, step.note));
  supervisor.check();
  const urls = urlsOf(config, temporal.uiUrl, simulator?.url);
  const run = readRun(state.home);
  if (run !== undefined)
    writeRun(state.home, { ...run, urls, environment: settingsIn({ ...env, ...found }) });
  announce(progress, options, config, urls);
}

function urlsOf(
  config: Config,
  uiUrl: string | undefined,
  carrier: string | undefined,
): Record<string, string> {
  const web = webAddress(config);
  return {
    mcp: `${web}/mcp`,
    console: `${web}/`,
    ...(uiUrl === undefined
      ? {}
      : { 'temporal ui': `${uiUrl}/namespaces/${config.temporal.namespace}/workflows` }),
    ...(carrier === undefined ? {} : { carrier: `${carrier}/_control` }),
  };
}

function announce(progress: Progress, options: Options, config: Config, urls: Record<string, string>): void {
  const { namespace, address } = config.temporal;
  const warning = authenticationBypass(config.identity)?.warning;
  const home = process.env['COUNTERSIGN_HOME'];
  const prefix = home === undefined || home === '' ? '' : `COUNTERSIGN_HOME=${home} `;
  progress.line(
    [
      '',
      `MCP          ${urls['mcp']}`,
      `Console      ${urls['console']}`,
      `Temporal UI  ${urls['temporal ui'] ?? `none at hand; the server is ${address}`}`,
      `Carrier      ${urls['carrier'] ?? 'the one of CARRIER_UPS_URL'}`,
      `Namespace    ${namespace}`,
      `Token        ${prefix}npx countersign token --as supply_chain_manager`,
      `Log          ${config.home}/countersign.log`,
      'Development profile: the built-in issuer signs tokens, and decisions are recorded as such.',
      ...(warning === undefined ? [] : ['', `!! ${warning}`]),
      '',
      `countersign ready · ${urls['mcp']} · Ctrl-C stops everything that was started`,
    ].join('\n'),
  );
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ status: 'ready', pid: process.pid, namespace, temporal_address: address, urls, ...(warning === undefined ? {} : { warning }) })}\n`,
    );
  }
}
