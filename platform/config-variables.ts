import { z } from 'zod';
import {
  awsRegion,
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
  webhookSecrets,
} from './config-values.ts';
import { POLICY_VARIABLES } from './policy-settings.ts';
import { RETRIEVAL_VARIABLES } from './retrieval-settings.ts';

const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** Every variable that is a setting, and what it may be. */
export const VARIABLES = z.object({
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
  EVENT_STREAM_REGION: awsRegion.optional(),
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

export type Variables = z.output<typeof VARIABLES>;
