import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { judge, DEVELOPMENT_ISSUER } from './config-rules.ts';
import { base64Key, type WebhookSecrets } from './config-values.ts';
import { type Variables, VARIABLES } from './config-variables.ts';
import { type PolicySettings, policySettingsOf } from './policy-settings.ts';
import { retrievalOf, type RetrievalSettings } from './retrieval-settings.ts';

export { DEVELOPMENT_ISSUER };

/** Environment variables: what a process is given, or what lies over it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Profile = 'production' | 'development';

/** Something in the environment is missing or wrong. The message names the variable and what is allowed. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(
      ['Countersign cannot start with this configuration:', ...problems.map((line) => `  - ${line}`)].join(
        '\n',
      ),
    );
    this.name = 'ConfigError';
  }
}

/** What the environment says, before it is known where Temporal and Postgres are. */
export type Settings = {
  readonly profile: Profile;
  /** Absolute path of the state directory. */
  readonly home: string;
  readonly host: string;
  readonly ports: {
    readonly gateway: number;
    readonly temporal: number;
    readonly temporalUi: number;
    readonly postgres: number;
  };
  readonly temporal: {
    readonly address: string | undefined;
    readonly namespace: string;
    /** First part of every task queue's name; see `queueName`. */
    readonly queuePrefix: string;
    readonly tls: TemporalTls | undefined;
    readonly apiKey: string | undefined;
    readonly cliPath: string | undefined;
  };
  readonly database: {
    readonly writeUrl: string | undefined;
    readonly readUrl: string | undefined;
    readonly systemUrl: string | undefined;
    readonly migrationUrl: string | undefined;
    readonly readPoolSize: number;
    readonly writePoolSize: number;
  };
  readonly redisUrl: string | undefined;
  /** Carries invalidations between stores of single processes, and keeps nothing. */
  readonly invalidationRedisUrl: string | undefined;
  readonly opensearchUrl: string | undefined;
  readonly policies: PolicySettings;
  /** How policy documents are found. */
  readonly retrieval: RetrievalSettings;
  readonly identity: {
    readonly issuer: string | undefined;
    readonly jwksUrl: string | undefined;
    readonly audiences: { readonly mcp: string; readonly api: string };
    /** The built-in issuer is believed. Never in production. */
    readonly development: boolean;
    /** Private Ed25519 key of the built-in issuer, as JWK. Development only. */
    readonly signingKey: string | undefined;
    /** Whom a request without a token, from this machine, acts as. Development on loopback only. */
    readonly bypass: { readonly role: string; readonly shop: string } | undefined;
  };
  readonly web: {
    readonly allowedHosts: readonly string[];
    readonly allowedOrigins: readonly string[];
    /** Peers, as CIDR blocks, whose `authoriserHeader` and `X-Forwarded-*` are believed. Empty: nobody's. */
    readonly trustedProxies: readonly string[];
    /** Header in which a trusted proxy passes on the caller's token. It is verified like any other. */
    readonly authoriserHeader: string;
    readonly sessionIdleSeconds: number;
    readonly drainSeconds: number;
  };
  /** Added to real time to get business time (`APP_NOW`). */
  readonly clockOffsetMs: number;
  readonly logLevel: Variables['LOG_LEVEL'];
  /** Shortens the approval period. Development only. */
  readonly approvalSeconds: number | undefined;
  /** Where events go besides the log in Postgres. */
  readonly events: EventStream;
  /** How long the log keeps what every consumer has passed; 0: for ever. */
  readonly eventRetentionDays: number;
  /** Carriers without an entry have no interface; their parcels are known by number only. */
  readonly carriers: {
    readonly ups: (CarrierAccess & { readonly account: string | undefined }) | undefined;
    readonly fedex: CarrierAccess | undefined;
    /** Who ships, as labels and intercepts name them. */
    readonly shipper: { readonly name: string; readonly phone: string };
    /** No call of a carrier takes longer, retries included. */
    readonly deadlineMs: number;
    /** A read that takes longer is asked a second time beside the first. Undefined: never. */
    readonly hedgeAfterMs: number | undefined;
    readonly requestsPerSecond: number;
  };
  /** What carriers sign what they push with, by carrier and shop. */
  readonly carrierWebhookSecrets: WebhookSecrets;
  readonly payments: {
    /** How long a placed order waits for its payment. */
    readonly dueSeconds: number;
    /** The card processor; undefined: cards are declined. */
    readonly provider: { readonly url: string; readonly key: string } | undefined;
    /** What the processor signs its callbacks with; undefined: callbacks are refused. */
    readonly webhookSecret: string | undefined;
  };
  readonly secrets: { readonly sealKey: Buffer | undefined; readonly personalDataKey: Buffer | undefined };
};

export type EventStream =
  | { readonly kind: 'postgres' }
  | { readonly kind: 'redis'; readonly url: string; readonly stream: string; readonly maxLength: number }
  | {
      readonly kind: 'kinesis';
      readonly stream: string;
      readonly region: string;
      readonly endpoint: string | undefined;
    };

type CarrierAccess = { readonly url: string; readonly clientId: string; readonly clientSecret: string };

type TemporalTls = {
  readonly serverRootCaPath: string | undefined;
  readonly clientCertPath: string | undefined;
  readonly clientKeyPath: string | undefined;
  readonly serverName: string | undefined;
};

/** Everything a gateway or a worker needs, complete. */
export type Config = Settings & {
  readonly temporal: Settings['temporal'] & { readonly address: string };
  readonly database: Settings['database'] & {
    readonly writeUrl: string;
    readonly readUrl: string;
    readonly systemUrl: string;
    readonly migrationUrl: string;
  };
  readonly identity: Settings['identity'] & { readonly issuer: string };
  readonly secrets: { readonly sealKey: Buffer; readonly personalDataKey: Buffer };
};

/**
 * Reads the environment; `overrides` lie over it. Variables that are set to nothing count as not set.
 *
 * @throws {ConfigError} naming every variable that is wrong and what it may be.
 */
export function loadSettings(env: Environment, overrides: Environment = {}): Settings {
  const given = Object.fromEntries(
    Object.entries({ ...env, ...overrides }).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = VARIABLES.safeParse(given);
  const problems = [...unknownVariables(given), ...(parsed.success ? [] : parsed.error.issues.map(describe))];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const contradictions = judge(parsed.data);
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return settingsOf(parsed.data);
}

/**
 * The settings of a process that serves, with nothing missing.
 *
 * @throws {ConfigError} as `loadSettings`, and for what is missing.
 */
export function loadConfig(env: Environment, overrides: Environment = {}): Config {
  return complete(loadSettings(env, overrides));
}

function complete(settings: Settings): Config {
  const { temporal, database, identity, secrets } = settings;
  const issuer = identity.issuer ?? (identity.development ? DEVELOPMENT_ISSUER : undefined);
  if (
    temporal.address === undefined ||
    database.writeUrl === undefined ||
    issuer === undefined ||
    secrets.sealKey === undefined ||
    secrets.personalDataKey === undefined
  ) {
    throw new ConfigError(missing(settings, issuer));
  }
  return {
    ...settings,
    temporal: { ...temporal, address: temporal.address },
    database: {
      ...database,
      writeUrl: database.writeUrl,
      readUrl: database.readUrl ?? database.writeUrl,
      systemUrl: database.systemUrl ?? database.writeUrl,
      migrationUrl: database.migrationUrl ?? database.writeUrl,
    },
    identity: { ...identity, issuer },
    secrets: { sealKey: secrets.sealKey, personalDataKey: secrets.personalDataKey },
  };
}

function missing({ temporal, database, secrets }: Settings, issuer: string | undefined): readonly string[] {
  const wanted: readonly (readonly [unknown, string])[] = [
    [temporal.address, 'TEMPORAL_ADDRESS is not set; allowed: host:port of a Temporal frontend'],
    [database.writeUrl, 'DATABASE_URL is not set; allowed: postgres://user:password@host:port/database'],
    [issuer, 'OIDC_ISSUER is not set; allowed: the `iss` of your identity provider, with OIDC_JWKS_URL'],
    [secrets.sealKey, `SEAL_KEY (or SEAL_KEY_FILE) is not set; allowed: ${KEY_FORMAT}`],
    [
      secrets.personalDataKey,
      `PERSONAL_DATA_KEY (or PERSONAL_DATA_KEY_FILE) is not set; allowed: ${KEY_FORMAT}`,
    ],
  ];
  return wanted.filter(([value]) => value === undefined).map(([, line]) => line);
}

const KEY_FORMAT = '32 bytes as base64 or hex, the same for every gateway and worker';

/** The variables of `env` that are settings and not empty, and nothing else of a process's environment. */
export function settingsIn(env: Environment): Record<string, string> {
  const filled = Object.entries(env).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  return Object.fromEntries(
    filled.filter(([name]) => name in VARIABLES.shape || name.startsWith('COUNTERSIGN_')),
  );
}

function describe(issue: z.core.$ZodIssue): string {
  // Variables are flat; what follows the name is a place in a list.
  return `${String(issue.path[0])}: ${issue.message}`;
}

/** A misspelt setting must not pass as "default". Other programs' variables are none of our business. */
function unknownVariables(given: Readonly<Record<string, unknown>>): readonly string[] {
  const ours = Object.keys(VARIABLES.shape).filter((name) => name.startsWith('COUNTERSIGN_'));
  return Object.keys(given)
    .filter((name) => name.startsWith('COUNTERSIGN_') && !ours.includes(name) && !FOR_SCRIPTS.has(name))
    .map((name) => `${name} is not a setting; allowed: ${ours.join(', ')}`);
}

/** Read by tests and scripts, not by the product. */
const FOR_SCRIPTS = new Set([
  'COUNTERSIGN_SHARED',
  'COUNTERSIGN_TOKEN',
  'COUNTERSIGN_TOKEN_FILE',
  'COUNTERSIGN_URL',
]);

function settingsOf(v: Variables): Settings {
  return {
    profile: v.COUNTERSIGN_PROFILE,
    home: resolve(v.COUNTERSIGN_HOME),
    host: v.COUNTERSIGN_HOST,
    ports: {
      gateway: v.PORT,
      temporal: v.TEMPORAL_PORT,
      temporalUi: v.TEMPORAL_UI_PORT,
      postgres: v.POSTGRES_PORT,
    },
    temporal: {
      namespace: v.TEMPORAL_NAMESPACE,
      queuePrefix: v.COUNTERSIGN_QUEUE_PREFIX,
      address: v.TEMPORAL_ADDRESS,
      tls: tlsOf(v),
      apiKey: v.TEMPORAL_API_KEY,
      cliPath: v.TEMPORAL_CLI_PATH,
    },
    database: {
      writeUrl: v.DATABASE_URL,
      readUrl: v.DATABASE_READ_URL,
      systemUrl: v.DATABASE_SYSTEM_URL,
      migrationUrl: v.DATABASE_MIGRATION_URL,
      readPoolSize: v.DATABASE_READ_POOL_SIZE,
      writePoolSize: v.DATABASE_WRITE_POOL_SIZE,
    },
    redisUrl: v.REDIS_URL,
    invalidationRedisUrl: v.INVALIDATION_REDIS_URL,
    opensearchUrl: v.OPENSEARCH_URL,
    policies: policySettingsOf(v, resolve(v.COUNTERSIGN_HOME)),
    retrieval: retrievalOf(v, resolve(v.COUNTERSIGN_HOME)),
    identity: {
      audiences: { mcp: v.AUDIENCE_MCP, api: v.AUDIENCE_API },
      development: v.COUNTERSIGN_PROFILE === 'development' && v.COUNTERSIGN_DEVELOPMENT_ISSUER !== false,
      issuer: v.OIDC_ISSUER,
      jwksUrl: v.OIDC_JWKS_URL,
      signingKey: v.COUNTERSIGN_SIGNING_KEY,
      bypass: v.COUNTERSIGN_AUTHENTICATION_BYPASS,
    },
    web: webOf(v),
    clockOffsetMs: v.APP_NOW === undefined ? 0 : new Date(v.APP_NOW).getTime() - Date.now(),
    logLevel: v.LOG_LEVEL,
    approvalSeconds: v.COUNTERSIGN_APPROVAL_SECONDS,
    events: eventsOf(v),
    eventRetentionDays: v.EVENT_RETENTION_DAYS,
    carriers: carriersOf(v),
    carrierWebhookSecrets: v.CARRIER_WEBHOOK_SECRETS,
    payments: paymentsOf(v),
    secrets: {
      sealKey: v.SEAL_KEY ?? keyFrom('SEAL_KEY_FILE', v.SEAL_KEY_FILE),
      personalDataKey: v.PERSONAL_DATA_KEY ?? keyFrom('PERSONAL_DATA_KEY_FILE', v.PERSONAL_DATA_KEY_FILE),
    },
  };
}

function eventsOf(v: Variables): EventStream {
  const { EVENT_STREAM: kind, EVENT_STREAM_NAME: stream, EVENT_STREAM_REGION: region } = v;
  const url = v.EVENT_STREAM_REDIS_URL ?? v.REDIS_URL;
  if (kind === 'redis' && url !== undefined)
    return { kind, url, stream, maxLength: v.EVENT_STREAM_MAX_LENGTH };
  if (kind === 'kinesis' && region !== undefined)
    return { kind, stream, region, endpoint: v.EVENT_STREAM_ENDPOINT };
  return { kind: 'postgres' };
}

function carriersOf(v: Variables): Settings['carriers'] {
  const ups = accessOf(v.CARRIER_UPS_URL, v.CARRIER_UPS_CLIENT_ID, v.CARRIER_UPS_CLIENT_SECRET);
  return {
    ups: ups && { ...ups, account: v.CARRIER_UPS_ACCOUNT },
    fedex: accessOf(v.CARRIER_FEDEX_URL, v.CARRIER_FEDEX_CLIENT_ID, v.CARRIER_FEDEX_CLIENT_SECRET),
    shipper: { name: v.CARRIER_SHIPPER_NAME, phone: v.CARRIER_SHIPPER_PHONE },
    deadlineMs: v.CARRIER_DEADLINE_MS,
    hedgeAfterMs: v.CARRIER_HEDGE_MS,
    requestsPerSecond: v.CARRIER_REQUESTS_PER_SECOND,
  };
}

function accessOf(
  url: string | undefined,
  clientId: string | undefined,
  clientSecret: string | undefined,
): CarrierAccess | undefined {
  return url === undefined || clientId === undefined || clientSecret === undefined
    ? undefined
    : { url, clientId, clientSecret };
}

function paymentsOf(v: Variables): Settings['payments'] {
  const { PAYMENT_PROVIDER_URL: url, PAYMENT_PROVIDER_KEY: key } = v;
  return {
    dueSeconds: v.PAYMENT_DUE_SECONDS,
    provider: url === undefined || key === undefined ? undefined : { url, key },
    webhookSecret: v.PAYMENT_WEBHOOK_SECRET,
  };
}

function webOf(v: Variables): Settings['web'] {
  const names = ['localhost', '127.0.0.1', '[::1]'];
  return {
    allowedHosts: v.ALLOWED_HOSTS ?? names.map((name) => `${name}:${v.PORT}`),
    allowedOrigins: v.ALLOWED_ORIGINS ?? names.map((name) => `http://${name}:${v.PORT}`),
    trustedProxies: v.TRUSTED_PROXIES ?? [],
    authoriserHeader: v.AUTHORISER_HEADER.toLowerCase(),
    sessionIdleSeconds: v.SESSION_IDLE_SECONDS,
    drainSeconds: v.DRAIN_SECONDS,
  };
}

function tlsOf(v: Variables): TemporalTls | undefined {
  const tls = {
    serverRootCaPath: v.TEMPORAL_TLS_SERVER_CA_CERT_PATH,
    clientCertPath: v.TEMPORAL_TLS_CLIENT_CERT_PATH,
    clientKeyPath: v.TEMPORAL_TLS_CLIENT_KEY_PATH,
    serverName: v.TEMPORAL_TLS_SERVER_NAME,
  };
  // An API key travels in a header: it must never leave over a plain connection by accident.
  const wanted =
    v.TEMPORAL_TLS ??
    (v.TEMPORAL_API_KEY !== undefined || Object.values(tls).some((value) => value !== undefined));
  return wanted ? tls : undefined;
}

function keyFrom(variable: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError([`${variable}: ${error instanceof Error ? error.message : 'cannot be read'}`]);
  }
  const key = base64Key.safeParse(text);
  if (!key.success)
    throw new ConfigError([`${variable}: the file holds something else; allowed: ${KEY_FORMAT}`]);
  return key.data;
}
