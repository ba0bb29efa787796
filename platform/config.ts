import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  base64Key,
  bypass,
  cidr,
  eventCount,
  flag,
  httpUrl,
  list,
  milliseconds,
  poolSize,
  port,
  postgresUrl,
  redisUrl,
  seconds,
  type WebhookSecrets,
  webhookSecrets,
} from './config-values.ts';
import { POLICY_VARIABLES, policyRules, type PolicySettings, policySettingsOf } from './policy-settings.ts';
import {
  RETRIEVAL_VARIABLES,
  retrievalOf,
  retrievalRules,
  type RetrievalSettings,
} from './retrieval-settings.ts';

/** Environment variables: what a process is given, or what lies over it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Profile = 'production' | 'development';

/** The built-in issuer's name. Tokens that carry it are believed in development only. */
export const DEVELOPMENT_ISSUER = 'urn:countersign:development';

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

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const VARIABLES = z.object({
  COUNTERSIGN_PROFILE: z
    .enum(['production', 'development'], 'allowed: production, development')
    .default('production'),
  COUNTERSIGN_HOME: z.string().default('.countersign'),
  COUNTERSIGN_HOST: z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')], 'allowed: an IP address or localhost')
    .default('127.0.0.1'),
  COUNTERSIGN_CONTAINER: flag.default(false),
  COUNTERSIGN_QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, 'allowed: 1 to 60 letters, digits, - and _')
    .default('countersign'),
  PORT: port.default(3000),
  TEMPORAL_PORT: port.default(7233),
  TEMPORAL_UI_PORT: port.default(8233),
  POSTGRES_PORT: port.default(5433),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s:/]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, 'allowed: host:port')
    .optional(),
  TEMPORAL_NAMESPACE: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{1,254}$/, 'allowed: 2 to 255 letters, digits, . - and _')
    .default('default'),
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: z.string().optional(),
  TEMPORAL_TLS_CLIENT_CERT_PATH: z.string().optional(),
  TEMPORAL_TLS_CLIENT_KEY_PATH: z.string().optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_CLI_PATH: z.string().optional(),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_READ_URL: postgresUrl.optional(),
  DATABASE_SYSTEM_URL: postgresUrl.optional(),
  DATABASE_MIGRATION_URL: postgresUrl.optional(),
  DATABASE_READ_POOL_SIZE: poolSize.default(50),
  DATABASE_WRITE_POOL_SIZE: poolSize.default(20),
  REDIS_URL: redisUrl.optional(),
  INVALIDATION_REDIS_URL: redisUrl.optional(),
  OPENSEARCH_URL: httpUrl.optional(),
  OIDC_ISSUER: z.string().min(1).optional(),
  OIDC_JWKS_URL: httpUrl.optional(),
  AUDIENCE_MCP: z.string().min(1).default('countersign:mcp'),
  AUDIENCE_API: z.string().min(1).default('countersign:api'),
  COUNTERSIGN_DEVELOPMENT_ISSUER: flag.optional(),
  COUNTERSIGN_AUTHENTICATION_BYPASS: bypass.optional(),
  COUNTERSIGN_SIGNING_KEY: z.string().optional(),
  ALLOWED_HOSTS: list(
    z
      .string()
      .regex(
        /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/i,
        'allowed: host or host:port, separated by commas',
      ),
  ).optional(),
  ALLOWED_ORIGINS: list(
    z
      .string()
      .regex(/^https?:\/\/[^/\s]+$/, 'allowed: origins such as https://shop.example, separated by commas'),
  ).optional(),
  TRUSTED_PROXIES: list(cidr).optional(),
  AUTHORISER_HEADER: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, 'allowed: a header name')
    .default('x-authoriser-token'),
  LOG_LEVEL: z.enum(LOG_LEVELS, `allowed: ${LOG_LEVELS.join(', ')}`).default('info'),
  SESSION_IDLE_SECONDS: seconds.default(1800),
  DRAIN_SECONDS: seconds.default(10),
  COUNTERSIGN_APPROVAL_SECONDS: seconds.optional(),
  CARRIER_UPS_URL: httpUrl.optional(),
  CARRIER_UPS_CLIENT_ID: z.string().min(1).optional(),
  CARRIER_UPS_CLIENT_SECRET: z.string().min(1).optional(),
  CARRIER_UPS_ACCOUNT: z
    .string()
    .regex(/^[A-Z0-9]{6,10}$/, 'allowed: the six characters of a UPS account')
    .optional(),
  CARRIER_FEDEX_URL: httpUrl.optional(),
  CARRIER_FEDEX_CLIENT_ID: z.string().min(1).optional(),
  CARRIER_FEDEX_CLIENT_SECRET: z.string().min(1).optional(),
  CARRIER_SHIPPER_NAME: z.string().min(1).max(35).default('Countersign'),
  CARRIER_SHIPPER_PHONE: z
    .string()
    .regex(/^\+?[\d -]{5,20}$/, 'allowed: a telephone number with its country code')
    .default('+10000000000'),
  CARRIER_DEADLINE_MS: milliseconds.default(4000),
  CARRIER_HEDGE_MS: milliseconds.optional(),
  CARRIER_REQUESTS_PER_SECOND: poolSize.default(20),
  PAYMENT_DUE_SECONDS: seconds.default(1800),
  PAYMENT_PROVIDER_URL: httpUrl.optional(),
  PAYMENT_PROVIDER_KEY: z.string().min(1).optional(),
  PAYMENT_WEBHOOK_SECRET: z.string().min(16, 'allowed: at least 16 characters').optional(),
  CARRIER_WEBHOOK_SECRETS: webhookSecrets.default({}),
  EVENT_STREAM: z
    .enum(['postgres', 'redis', 'kinesis'], 'allowed: postgres, redis, kinesis')
    .default('postgres'),
  EVENT_STREAM_NAME: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'allowed: 1 to 128 letters, digits, _ . : and -')
    .default('countersign-events'),
  EVENT_STREAM_REDIS_URL: redisUrl.optional(),
  EVENT_STREAM_MAX_LENGTH: eventCount.default(1_000_000),
  EVENT_STREAM_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'allowed: an AWS region such as eu-central-1')
    .optional(),
  EVENT_STREAM_ENDPOINT: httpUrl.optional(),
  EVENT_RETENTION_DAYS: z.coerce
    .number('allowed: a whole number of days, 0 for ever')
    .int('allowed: a whole number of days, 0 for ever')
    .min(0, 'allowed: 0 to 36500')
    .max(36_500, 'allowed: 0 to 36500')
    .default(30),
  ...POLICY_VARIABLES,
  ...RETRIEVAL_VARIABLES,
  APP_NOW: z
    .union(
      [z.iso.datetime({ offset: true }), z.iso.date()],
      'allowed: a date (2026-11-21) or an instant (2026-11-21T09:00:00Z)',
    )
    .optional(),
  SEAL_KEY: base64Key.optional(),
  SEAL_KEY_FILE: z.string().optional(),
  PERSONAL_DATA_KEY: base64Key.optional(),
  PERSONAL_DATA_KEY_FILE: z.string().optional(),
});

type Variables = z.output<typeof VARIABLES>;

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

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** What no single variable can say: values that do not go together. */
function judge(v: Variables): readonly string[] {
  const rules: readonly (readonly [boolean, string])[] =
    v.COUNTERSIGN_PROFILE === 'production'
      ? [
          [
            v.COUNTERSIGN_DEVELOPMENT_ISSUER === true || v.OIDC_ISSUER === DEVELOPMENT_ISSUER,
            'the development issuer is configured (COUNTERSIGN_DEVELOPMENT_ISSUER, OIDC_ISSUER), and production refuses it; allowed: OIDC_ISSUER and OIDC_JWKS_URL of your identity provider',
          ],
          [
            v.COUNTERSIGN_SIGNING_KEY !== undefined,
            'COUNTERSIGN_SIGNING_KEY belongs to the development issuer, and production refuses it; allowed: not set',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined,
            'COUNTERSIGN_AUTHENTICATION_BYPASS is set, and production refuses it; allowed: not set',
          ],
          [
            v.COUNTERSIGN_APPROVAL_SECONDS !== undefined,
            'COUNTERSIGN_APPROVAL_SECONDS is for tests, and production refuses it; allowed: not set',
          ],
          [
            v.OIDC_ISSUER !== undefined && v.OIDC_JWKS_URL === undefined,
            'OIDC_JWKS_URL is not set; allowed: the https address of the key set of OIDC_ISSUER',
          ],
        ]
      : [
          [
            !LOOPBACK.has(v.COUNTERSIGN_HOST) && !v.COUNTERSIGN_CONTAINER,
            'COUNTERSIGN_HOST must be a loopback address in the development profile; allowed: 127.0.0.1, ::1, localhost (or COUNTERSIGN_CONTAINER=true where the container publishes on loopback only)',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined && !LOOPBACK.has(v.COUNTERSIGN_HOST),
            'COUNTERSIGN_AUTHENTICATION_BYPASS would let a network in without a token; allowed: not set, or COUNTERSIGN_HOST 127.0.0.1, ::1, localhost',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined && (v.TRUSTED_PROXIES ?? []).length > 0,
            'COUNTERSIGN_AUTHENTICATION_BYPASS does not go with TRUSTED_PROXIES: behind a proxy everybody seems to be on this machine; allowed: one of the two',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined && v.COUNTERSIGN_DEVELOPMENT_ISSUER === false,
            'COUNTERSIGN_AUTHENTICATION_BYPASS acts as a login of the development issuer, which is off; allowed: not set, or COUNTERSIGN_DEVELOPMENT_ISSUER=true',
          ],
        ];
  return [
    ...rules,
    ...paymentRules(v),
    ...carrierRules(v),
    ...cacheRules(v),
    ...eventRules(v),
    ...policyRules(v),
    ...retrievalRules(v),
  ]
    .filter(([broken]) => broken)
    .map(([, line]) => line);
}

function paymentRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      (v.PAYMENT_PROVIDER_URL === undefined) !== (v.PAYMENT_PROVIDER_KEY === undefined),
      'PAYMENT_PROVIDER_URL and PAYMENT_PROVIDER_KEY belong together; allowed: both, or neither',
    ],
  ];
}

function carrierRules(v: Variables): readonly (readonly [boolean, string])[] {
  const carriers = [
    ['CARRIER_UPS', v.CARRIER_UPS_URL, v.CARRIER_UPS_CLIENT_ID, v.CARRIER_UPS_CLIENT_SECRET],
    ['CARRIER_FEDEX', v.CARRIER_FEDEX_URL, v.CARRIER_FEDEX_CLIENT_ID, v.CARRIER_FEDEX_CLIENT_SECRET],
  ] as const;
  return carriers.flatMap(([name, url, ...access]): readonly (readonly [boolean, string])[] => [
    [
      new Set([url, ...access].map((value) => value === undefined)).size > 1,
      `${name}_URL, ${name}_CLIENT_ID and ${name}_CLIENT_SECRET belong together; allowed: all, or none`,
    ],
    [
      v.COUNTERSIGN_PROFILE === 'production' && url !== undefined && !isPrivate(url),
      `${name}_URL must be https: the client secret travels over it; allowed: an https address, or loopback`,
    ],
  ]);
}

/** Nobody on the way can read along. */
function isPrivate(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || LOOPBACK.has(hostname) || hostname === '[::1]';
}

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

function cacheRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      v.INVALIDATION_REDIS_URL !== undefined && v.REDIS_URL !== undefined,
      'INVALIDATION_REDIS_URL is for stores of single processes, and REDIS_URL is one store for all of them, which announces invalidations itself; allowed: one of the two, or neither',
    ],
  ];
}

function eventRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      v.EVENT_STREAM === 'redis' && (v.EVENT_STREAM_REDIS_URL ?? v.REDIS_URL) === undefined,
      'EVENT_STREAM=redis needs EVENT_STREAM_REDIS_URL or REDIS_URL; allowed: redis://host:port or rediss://host:port',
    ],
    [
      v.EVENT_STREAM === 'kinesis' && v.EVENT_STREAM_REGION === undefined,
      'EVENT_STREAM=kinesis needs EVENT_STREAM_REGION; allowed: an AWS region such as eu-central-1',
    ],
    [
      v.EVENT_STREAM === 'kinesis' && v.EVENT_STREAM_NAME.includes(':'),
      'EVENT_STREAM_NAME: Kinesis takes no colon; allowed: 1 to 128 letters, digits, _ . and -',
    ],
  ];
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
