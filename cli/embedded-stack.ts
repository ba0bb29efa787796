import { ensureDatabase, startEmbeddedPostgres } from '../adapters/embedded/postgres.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { seed } from '../adapters/postgres/seed/seed.ts';
import { prepareTemporal } from '../adapters/temporal/namespace.ts';
import { findOrStartTemporal } from '../adapters/temporal/server.ts';
import type { Config, Settings } from '../platform/config.ts';
import { freePort } from '../platform/ports.ts';
import type { Progress } from '../platform/progress.ts';
import { readRun, type RunFile, type StartedServer, writeRun } from '../platform/run-file.ts';
import type { State } from '../platform/state.ts';
import type { Supervisor } from './supervisor.ts';

/** What the steps of a start share. */
export type Start = {
  readonly settings: Settings;
  readonly state: State;
  readonly progress: Progress;
  readonly supervisor: Supervisor;
  /** The run before, if it was killed. */
  readonly left: RunFile | undefined;
};

const DATABASE = 'countersign';

/** Finds or starts Temporal, and answers with the variables that say where it is. */
export function startTemporal(start: Start): Promise<{ readonly address: string; readonly uiUrl?: string }> {
  const { settings, state, progress, supervisor, left } = start;
  return progress.step('Temporal', async (step) => {
    const server = await findOrStartTemporal({
      address: settings.temporal.address,
      cliPath: settings.temporal.cliPath,
      home: state.home,
      downloads: `${state.home}/temporal`,
      port: settings.ports.temporal,
      uiPort: settings.ports.temporalUi,
      left: left?.started['temporal'],
      searchPath: process.env['PATH'] ?? '',
      say: progress.line,
      ...step,
      spawned: (process) => remember(state, 'temporal', process),
    });
    await supervisor.onStop('Temporal', async () => {
      await server.stop();
      forget(state, 'temporal');
    });
    const mine = server.started === undefined ? 'found, not ours: it stays up' : 'ours';
    step.note(`${server.address}, ${mine}`);
    await prepareTemporal({ ...settings.temporal, address: server.address });
    return { address: server.address, ...(server.uiUrl === undefined ? {} : { uiUrl: server.uiUrl }) };
  });
}

/** Starts the embedded PostgreSQL unless one is given, and answers with its address. */
export function startPostgres(start: Start): Promise<string> {
  const { settings, state, progress, supervisor } = start;
  return progress.step('PostgreSQL', async (step) => {
    if (settings.database.writeUrl !== undefined) {
      step.note('the one of DATABASE_URL');
      return settings.database.writeUrl;
    }
    const server = await startEmbeddedPostgres({
      state,
      port: settings.ports.postgres,
      say: progress.line,
      note: step.note,
    });
    remember(state, 'postgres', { ...server.process, address: `127.0.0.1:${server.port}` });
    await supervisor.onStop('PostgreSQL', async () => {
      await server.stop();
      forget(state, 'postgres');
    });
    await ensureDatabase(server, DATABASE);
    step.note(`127.0.0.1:${server.port}${server.adopted ? ', taken over from a killed start' : ''}`);
    return server.url(DATABASE);
  });
}

/** Brings the schema up to date and lays out the mock shops that are missing. */
export async function prepareData({ progress, supervisor }: Start, config: Config): Promise<void> {
  await progress.step('Schema', async (step) => {
    const applied = await migrate(config.database.migrationUrl, { log: step.note });
    step.note(applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`);
  });
  supervisor.check();
  await progress.step('Mock shops', async (step) => {
    const now = new Date(Date.now() + config.clockOffsetMs);
    const { writeUrl, systemUrl } = config.database;
    const { shops, anchor } = await seed(
      { writeUrl, systemUrl, superuserLogin: 'allowed' },
      { now, log: step.note },
    );
    step.note(`${shops.length === 0 ? 'there already' : `seeded ${shops.join(', ')}`}, anchor ${anchor}`);
  });
}

/** The gateway's port, or a free one when it is taken. */
export async function choosePort({ settings, progress }: Start): Promise<number> {
  const { gateway } = settings.ports;
  const port = await freePort(gateway, settings.host);
  if (port !== gateway && gateway !== 0) {
    progress.line(`Port ${gateway} is taken: the gateway listens on ${port} (PORT chooses another).`);
  }
  return port;
}

/** Where the gateway will serve. */
export function webAddress({ host, ports }: Pick<Config, 'host' | 'ports'>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${ports.gateway}`;
}

/** Written down as soon as it exists: a start that is killed a moment later leaves no stranger behind. */
function remember({ home }: State, name: string, server: StartedServer): void {
  const run = readRun(home);
  if (run !== undefined) writeRun(home, { ...run, started: { ...run.started, [name]: server } });
}

function forget({ home }: State, name: string): void {
  const run = readRun(home);
  if (run === undefined) return;
  const { [name]: _gone, ...started } = run.started;
  writeRun(home, { ...run, started });
}
