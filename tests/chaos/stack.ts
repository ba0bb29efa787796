import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { seed } from '../../adapters/postgres/seed/seed.ts';
import { connectClient } from '../../adapters/temporal/connect.ts';
import { mintToken } from '../../mcp-gateway/mint-token.ts';
import { DEVELOPMENT_ISSUER, loadConfig } from '../../platform/config.ts';
import { freePort } from '../../platform/ports.ts';
import { openState, stateEnvironment } from '../../platform/state.ts';
import { type Cut, cuttable } from '../gateway/cut.ts';
import { openSession } from '../gateway/wire.ts';
import { type Run, runCli } from '../stack/run-start.ts';
import { type Asker, askerOf } from './ask.ts';
import { eventually } from './eventually.ts';
import {
  type OwnPostgres,
  type OwnRedis,
  type OwnTemporal,
  ownPostgres,
  ownRedis,
  ownTemporal,
} from './servers.ts';

/** A process of the product, run from the command line. */
export type Part = {
  /** Starts it unless it runs, and waits until it serves. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
};

export type Gateway = Part & { readonly url: string };

/** The product as an operator runs it: every process and server its own, to be killed one by one. */
export type Stack = {
  readonly postgres: OwnPostgres;
  readonly temporal: OwnTemporal;
  /** Undefined where there is no redis-server; then each process caches for itself. */
  readonly redis: OwnRedis | undefined;
  readonly gateways: readonly [Gateway, Gateway];
  readonly workers: readonly [Part, Part];
  /** The way of the first worker to Temporal. */
  readonly wire: Cut;
  mint(as: string): Promise<string>;
  /** A session of the manager, who may ask for reorders, at a gateway (default: the first). */
  session(gateway?: Gateway): Promise<Asker>;
  /** What the signal `approval` must carry for the lead's yes to count: a code is in it. */
  yesOf(actionId: string): Promise<Record<string, string>>;
  withTemporal<T>(work: (client: Client) => Promise<T>): Promise<T>;
  health(gateway?: Gateway): Promise<Health>;
  /** Every server, the first gateway and the first worker are up and well. */
  heal(): Promise<void>;
  stop(): Promise<void>;
};

const HEALTH = z.object({
  status: z.string(),
  dependencies: z.record(z.string(), z.object({ status: z.string() })),
});
type Health = z.output<typeof HEALTH>;
const CODE = z.object({ input: z.record(z.string(), z.string()) });

export async function startStack(): Promise<Stack> {
  // Postgres runs as a user of its own when we are root; nobody else needs to enter.
  const folder = mkdtempSync(join(tmpdir(), 'countersign-chaos-'));
  const [postgres, temporal, redis] = await Promise.all([
    ownPostgres(folder),
    ownTemporal(folder),
    ownRedis(folder),
  ]);
  await migrate(postgres.url);
  await seed({ writeUrl: postgres.url, superuserLogin: 'allowed' }, { now: new Date() });
  const wire = await cuttable('127.0.0.1', Number(temporal.address.split(':')[1]));
  const env = environment(folder, postgres.url, temporal.address, redis?.url);
  const viaWire = { ...env, TEMPORAL_ADDRESS: `127.0.0.1:${wire.port}` };
  const gateways = [await gatewayOf(env), await gatewayOf(env)] as const;
  const workers = [partOf(['worker'], viaWire), partOf(['worker'], env)] as const;
  const { identity, temporal: access } = loadConfig({
    ...stateEnvironment(openState(join(folder, 'home'))),
    ...env,
  });
  const issuer = {
    issuer: DEVELOPMENT_ISSUER,
    signingKey: identity.signingKey ?? '',
    audiences: identity.audiences,
  };
  const mint = async (as: string) => (await mintToken({ as, shop: 'manga', ttlSeconds: 3600 }, issuer)).token;
  const health = async ({ url } = gateways[0]) => HEALTH.parse(await (await fetch(`${url}/health`)).json());
  return {
    postgres,
    temporal,
    redis,
    gateways,
    workers,
    wire,
    mint,
    health,
    session: async ({ url } = gateways[0]) =>
      askerOf(await openSession(url, await mint('supply_chain_manager'))),
    async yesOf(actionId) {
      const headers = {
        authorization: `Bearer ${await mint('warehouse_lead')}`,
        'content-type': 'application/json',
      };
      const body = JSON.stringify({ decision: 'approve' });
      const url = `${gateways[0].url}/v1/approvals/${actionId}/code`;
      return CODE.parse(await (await fetch(url, { method: 'POST', headers, body })).json()).input;
    },
    async withTemporal(work) {
      const client = await connectClient(access);
      try {
        return await work(client);
      } finally {
        await client.connection.close();
      }
    },
    async heal() {
      wire.mend();
      await Promise.all([postgres.start(), temporal.start(), redis?.start()]);
      await workers[0].start();
      await gateways[0].start();
      await eventually('the stack is well', async () => (await health()).status === 'ok', 60);
    },
    async stop() {
      await Promise.all([...gateways, ...workers].map((part) => part.kill()));
      await wire.close();
      await Promise.all([temporal.kill(), redis?.kill()]);
      await postgres.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function environment(folder: string, database: string, temporal: string, redis: string | undefined) {
  return {
    COUNTERSIGN_PROFILE: 'development',
    COUNTERSIGN_HOME: join(folder, 'home'),
    TEMPORAL_ADDRESS: temporal,
    DATABASE_URL: database,
    DATABASE_READ_POOL_SIZE: '8',
    DATABASE_WRITE_POOL_SIZE: '8',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    ...(redis === undefined ? {} : { REDIS_URL: redis }),
  };
}

async function gatewayOf(env: Record<string, string>): Promise<Gateway> {
  const port = String(await freePort(0, '127.0.0.1'));
  return { ...partOf(['gateway'], { ...env, PORT: port }), url: `http://127.0.0.1:${port}` };
}

function partOf(args: readonly string[], env: Record<string, string>): Part {
  let run: Run | undefined;
  return {
    async start() {
      if (run !== undefined) return;
      const started = runCli([...args, '--json'], { env });
      run = started;
      const gone = started.ended.then((status) => {
        throw new Error(`${args.join(' ')} ended with ${status} before it was ready:\n${started.said()}`);
      });
      await Promise.race([
        gone,
        eventually('ready', async () => started.said().includes('"status":"ready"'), 60),
      ]);
    },
    async kill() {
      run?.signal('SIGKILL');
      await run?.ended;
      run = undefined;
    },
  };
}
