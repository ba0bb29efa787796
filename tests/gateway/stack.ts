import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BodyDeps } from '../../activities/index.ts';
import { createGrants } from '../../adapters/postgres/grants.ts';
import { startGateway } from '../../mcp-gateway/main.ts';
import { mintToken } from '../../mcp-gateway/mint-token.ts';
import type { Host } from '../../mcp-gateway/serving.ts';
import { DEVELOPMENT_ISSUER, type Config, loadConfig } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { startWorker } from '../../workers/main.ts';
import { type TestDatabase, seededDatabase } from '../support/database.ts';
import { type TestTemporal, freshNamespace } from '../support/temporal.ts';
import { newSigningKey } from './wire.ts';

/** The product as it runs: gateway, worker, Postgres with the mock shops, Temporal. */
export type Stack = {
  readonly url: string;
  readonly config: Config;
  /** What a process beside it is given, to find it. */
  readonly env: Readonly<Record<string, string>>;
  readonly db: TestDatabase;
  readonly temporal: TestTemporal;
  /** A token whose login the database knows, as `countersign token` makes it. */
  mint(as: string, more?: { readonly shop?: string; readonly subject?: string }): Promise<string>;
  stop(): Promise<void>;
};

export type StackOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly host?: Host;
  /** Port of a wire to Postgres that the product is to use. */
  readonly through?: number;
  /** Without a worker beside the gateway, reads still run: the gateway has its own. */
  readonly withoutWorker?: true;
  /** Published policies; without them there are none. */
  readonly policies?: BodyDeps['policies'];
  /** Where the log goes; standard error when left out. */
  readonly logFile?: string;
};

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const home = mkdtempSync(join(tmpdir(), 'countersign-gateway-'));
  // Only tests about policies pay for an index of them.
  const policies = mkdtempSync(join(tmpdir(), 'countersign-no-policies-'));
  const [db, temporal] = await Promise.all([seededDatabase(), freshNamespace()]);
  const signingKey = newSigningKey();
  const env = {
    COUNTERSIGN_PROFILE: 'development',
    COUNTERSIGN_HOME: home,
    PORT: '0',
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    COUNTERSIGN_QUEUE_PREFIX: temporal.queuePrefix,
    DATABASE_URL: through(db.writeUrl, options.through),
    DATABASE_READ_POOL_SIZE: '10',
    DATABASE_WRITE_POOL_SIZE: '10',
    SEAL_KEY: randomBytes(32).toString('base64'),
    PERSONAL_DATA_KEY: randomBytes(32).toString('base64'),
    COUNTERSIGN_SIGNING_KEY: signingKey,
    POLICY_FOLDER: policies,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    ...options.env,
  };
  const config = loadConfig(env);
  const { logFile } = options;
  const log = createLog({ level: config.logLevel, ...(logFile === undefined ? {} : { file: logFile }) });
  const beside = options.policies === undefined ? {} : { policies: options.policies };
  const worker = options.withoutWorker === true ? undefined : await startWorker(config, log, beside);
  const gateway = await startGateway(config, log, {
    ...beside,
    ...(options.host === undefined ? {} : { host: options.host }),
  });
  const grants = createGrants(db.pools);
  return {
    url: gateway.url,
    config,
    env: { ...env, PORT: new URL(gateway.url).port },
    db,
    temporal,
    async mint(as, { shop = 'manga', ...more } = {}) {
      const { audiences } = config.identity;
      const issuer = { issuer: DEVELOPMENT_ISSUER, signingKey, audiences };
      const { token, subject, roles, actor } = await mintToken(
        { as, shop, ttlSeconds: 600, ...more },
        issuer,
      );
      await grants.ensure(shop, DEVELOPMENT_ISSUER, subject, roles);
      if (actor !== undefined) await grants.ensureAgent(shop, DEVELOPMENT_ISSUER, actor, subject);
      return token;
    },
    async stop() {
      await gateway.stop();
      await worker?.stop();
      await temporal.close();
      await db.drop();
      rmSync(home, { recursive: true, force: true });
      rmSync(policies, { recursive: true, force: true });
    },
  };
}

function through(url: string, port: number | undefined): string {
  const changed = new URL(url);
  if (port !== undefined) changed.port = String(port);
  return changed.href;
}
