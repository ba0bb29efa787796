import type { Client } from '@temporalio/client';
import { createActionDesk } from '../adapters/postgres/action-desk.ts';
import { createAuditLog } from '../adapters/postgres/audit-log.ts';
import { eventLag } from '../adapters/postgres/event-log.ts';
import { createGrants } from '../adapters/postgres/grants.ts';
import { createOrderInbox } from '../adapters/postgres/order-inbox.ts';
import { createPaymentLedger } from '../adapters/postgres/payment-ledger.ts';
import { policyHealth } from '../adapters/postgres/policy-health.ts';
import { type Pools, openPools } from '../adapters/postgres/pools.ts';
import { createCarrierMailbox } from '../adapters/postgres/webhook-receipts.ts';
import { openRedisCache } from '../adapters/redis/redis-cache.ts';
import { connectClient, connectWorker } from '../adapters/temporal/connect.ts';
import { internalTools, promptsOf, resourcesOf, specs, toolsOf } from '../catalog/index.ts';
import type { AuditReader } from '../domain/audit.ts';
import type { JsonObject } from '../domain/json.ts';
import type { OrderInbox } from '../domain/order-events.ts';
import type { BallotStatement } from '../domain/seals.ts';
import { type Config, DEVELOPMENT_ISSUER } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { type Rendezvous, createRendezvous } from '../platform/rendezvous.ts';
import { createSeals } from '../platform/seals.ts';
import { openPolicyServer } from '../policy-index/opensearch.ts';
import { type Beside, startReadWorker } from '../workers/main.ts';
import { setUpRuntime } from '../workers/runtime.ts';
import { adaptiveLimit } from './adaptive-limit.ts';
import { authenticationBypass } from './bypass.ts';
import { fairQueue } from './fair-queue.ts';
import { type Core, gatewayCore } from './gateway-core.ts';
import type { Check, HealthDeps } from './health.ts';
import { type TrustedIssuer, type Verifier, developmentIssuer, remoteIssuer, verifier } from './identity.ts';
import type { HttpDeps } from './http.ts';
import { type Listening, listen } from './listen.ts';
import { type Metrics, createMetrics } from './metrics.ts';
import type { Host } from './serving.ts';
import { type SessionTable, sessionTable } from './sessions.ts';
import { temporalRuns } from './temporal-runs.ts';

/** What a transport is served from, wired to the real servers. */
export type Wired = {
  readonly core: Core;
  readonly verifier: Verifier;
  readonly auditReader: AuditReader;
  readonly sessions: SessionTable;
  readonly metrics: Metrics;
  readonly checks: Readonly<Record<string, Check>>;
  readonly policies: NonNullable<HealthDeps['policies']>;
  readonly payments: NonNullable<HttpDeps['payments']>;
  readonly inbox: OrderInbox;
  readonly carriers: NonNullable<HttpDeps['carriers']>;
  close(): Promise<void>;
};

/** Reads in flight per gateway: fewer while starts are slow, which take a few milliseconds on a server that keeps up. */
const IN_FLIGHT = { least: 2, most: 32, slowMs: 200 };
/** What waits behind them, and for how long, before the answer is `busy`. */
const QUEUE = { waiting: 2000, waitMs: 20_000 };
/** A dispatcher that stands in for another one needs seconds. */
const EVENTS_WAIT_SECONDS = 60;
/** The gateway writes claims and its own audit rows; business data is read by the worker's pools. */
const POOLS = { writePoolSize: 10, readPoolSize: 2 };

/**
 * Serves MCP and the HTTP API, with a worker for reads on the gateway's own connection to Temporal, so that a
 * read starts in this very process. `host` adds handlers to each session (tests, embedding programs).
 */
export async function startGateway(
  config: Config,
  log: Logger,
  { host, ...beside }: { readonly host?: Host } & Pick<Beside, 'sharedStore' | 'policies'> = {},
): Promise<Listening> {
  setUpRuntime(log);
  const link = await connectWorker(config.temporal);
  const closing: (() => Promise<void>)[] = [() => link.connection.close()];
  try {
    const answers = createRendezvous<JsonObject>();
    const wired = await wire(config, log, link.client, answers);
    closing.unshift(() => wired.close());
    const worker = await startReadWorker(config, log, link, {
      metrics: wired.metrics.cache,
      carrierMetrics: wired.metrics.carriers,
      onAnswer: answers.give,
      ...beside,
    });
    closing.unshift(() => worker.stop());
    const listening = await listen({ ...wired, settings: config, host });
    return {
      url: listening.url,
      async stop() {
        await listening.stop();
        await closeAll(closing);
      },
    };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

/** The same without HTTP and without a worker: for stdio, which attaches to a stack that runs. */
export async function attach(config: Config, log: Logger): Promise<Wired> {
  const client = await connectClient(config.temporal);
  try {
    const wired = await wire(config, log, client);
    return {
      ...wired,
      async close() {
        await wired.close();
        await client.connection.close();
      },
    };
  } catch (error) {
    await client.connection.close();
    throw error;
  }
}

/** `answers`: of a worker in this process, on the connection of `client`; reads start eagerly then. */
async function wire(
  config: Config,
  log: Logger,
  client: Client,
  answers?: Rendezvous<JsonObject>,
): Promise<Wired> {
  const pools = await openPools({
    ...POOLS,
    writeUrl: config.database.writeUrl,
    readUrl: config.database.readUrl,
    systemUrl: config.database.systemUrl,
    applicationName: 'countersign gateway',
    superuserLogin: config.profile === 'development' ? 'allowed' : 'refused',
    onIdleError: (kind, error) => log.warn({ err: error, pool: kind }, 'database connection lost'),
  });
  await makeKnown(config, pools);
  const others = await watched(config, log);
  const audit = createAuditLog(pools);
  const limit = adaptiveLimit(IN_FLIGHT);
  const queue = fairQueue({ ...QUEUE, slots: limit.now });
  const sessions = sessionTable(config.web.sessionIdleSeconds);
  const metrics = createMetrics({ queue, sessions: () => sessions.size, events: () => eventLag(pools) });
  const seals = createSeals<BallotStatement>({
    seal: [base64(config.secrets.sealKey)],
    personal: [base64(config.secrets.personalDataKey)],
  });
  const core = gatewayCore({
    catalog: {
      toolsOf,
      resourcesOf,
      promptsOf,
      internal: new Map(internalTools.map((tool) => [tool.name, tool])),
    },
    runs: temporalRuns({
      client,
      queuePrefix: config.temporal.queuePrefix,
      queue,
      onStart: limit.took,
      eager: answers !== undefined,
      isSlow,
      seals,
      ...(answers ? { answers } : {}),
    }),
    desk: createActionDesk(pools),
    audit,
    seals,
    metrics,
    log,
    approvalSeconds: config.approvalSeconds,
  });
  return {
    core,
    verifier: verifier(trustedIssuers(config)),
    auditReader: audit,
    sessions,
    metrics,
    payments: paymentDoor(config, pools),
    inbox: createOrderInbox(pools),
    carriers: { mailbox: createCarrierMailbox(pools), secrets: config.carrierWebhookSecrets },
    policies: () => policyHealth(pools),
    checks: { ...databaseChecks(pools), ...eventCheck(pools), ...temporalCheck(client), ...others.checks },
    async close() {
      await Promise.all([pools.close(), others.close()]);
    },
  };
}

function paymentDoor({ payments }: Config, pools: Pools): NonNullable<HttpDeps['payments']> {
  const { webhookSecret } = payments;
  return {
    ledger: createPaymentLedger(pools),
    secrets: webhookSecret === undefined ? {} : { card: [webhookSecret] },
  };
}

/** A request that is let in without a token may ask for actions, and whoever asks must be somebody. */
async function makeKnown({ identity }: Config, pools: Pools): Promise<void> {
  const bypass = authenticationBypass(identity);
  if (bypass === undefined) return;
  const { shop, role } = bypass;
  try {
    await createGrants(pools).ensure(shop, DEVELOPMENT_ISSUER, role, [role]);
  } catch (error) {
    throw new Error(
      `COUNTERSIGN_AUTHENTICATION_BYPASS: ${role} of shop ${shop} cannot be made known. Is there such a shop?`,
      { cause: error },
    );
  }
}

function isSlow(name: string): boolean {
  const spec = specs.get(name);
  return spec !== undefined && 'queue' in spec && spec.queue === 'slow-reads';
}

function base64(key: Buffer): string {
  return key.toString('base64');
}

function trustedIssuers({ identity }: Config): readonly TrustedIssuer[] {
  const { issuer, jwksUrl, development, signingKey } = identity;
  return [
    ...(jwksUrl === undefined || issuer === DEVELOPMENT_ISSUER ? [] : [remoteIssuer(issuer, jwksUrl)]),
    ...(development && signingKey !== undefined ? [developmentIssuer(DEVELOPMENT_ISSUER, signingKey)] : []),
  ];
}

function temporalCheck(client: Client): Readonly<Record<string, Check>> {
  return {
    temporal: () =>
      client.connection.withDeadline(Date.now() + 1000, () =>
        client.connection.workflowService.getSystemInfo({}),
      ),
  };
}

function databaseChecks({ write, read }: Pools): Readonly<Record<string, Check>> {
  return { postgres_write: () => write.query('select 1'), postgres_read: () => read.query('select 1') };
}

/** Events wait in the outbox for a worker's dispatcher. */
function eventCheck(pools: Pools): Readonly<Record<string, Check>> {
  return {
    events: async () => {
      const { oldestQueuedSeconds } = await eventLag(pools);
      if (oldestQueuedSeconds > EVENTS_WAIT_SECONDS) throw new Error('Nobody publishes events.');
    },
  };
}

/** What the gateway itself does not need, and /health tells about, because reads are slower or poorer without it. */
async function watched({ redisUrl, opensearchUrl }: Config, log: Logger) {
  const redis =
    redisUrl === undefined
      ? undefined
      : await openRedisCache({ url: redisUrl, onError: (error) => log.debug({ err: error }, 'redis') });
  const policies = opensearchUrl === undefined ? undefined : openPolicyServer(opensearchUrl);
  const checks: Record<string, Check> = {};
  if (redis !== undefined) checks['redis'] = () => redis.ping();
  if (policies !== undefined) checks['policy_index'] = () => policies.check();
  return {
    checks,
    async close() {
      await Promise.all([redis?.close(), policies?.close()]);
    },
  };
}

async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closing) await close();
}
