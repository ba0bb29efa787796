import { isIP } from 'node:net';
import { z } from 'zod';

/** Zero means any free port. */
export const port = z
  .string()
  .regex(/^\d{1,5}$/, 'allowed: a port number, 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65535, 'allowed: a port number, 0 to 65535');

export const flag = z
  .enum(['true', 'false', '1', '0'], 'allowed: true, false')
  .transform((text) => text === 'true' || text === '1');

export const seconds = z
  .string()
  .regex(/^\d{1,8}$/, 'allowed: a whole number of seconds, at least 1')
  .transform(Number)
  .refine((value) => value >= 1, 'allowed: a whole number of seconds, at least 1');

/** Far more than may come again after a crash. */
export const eventCount = z
  .string()
  .regex(/^\d{1,9}$/, 'allowed: 10000 to 999999999 events')
  .transform(Number)
  .refine((value) => value >= 10_000, 'allowed: 10000 to 999999999 events');

export const milliseconds = z
  .string()
  .regex(/^\d{1,6}$/, 'allowed: milliseconds, 1 to 600000')
  .transform(Number)
  .refine((value) => value >= 1 && value <= 600_000, 'allowed: milliseconds, 1 to 600000');

export const poolSize = z
  .string()
  .regex(/^\d{1,4}$/, 'allowed: 1 to 1000 connections')
  .transform(Number)
  .refine((value) => value >= 1 && value <= 1000, 'allowed: 1 to 1000 connections');

export const postgresUrl = urlOf(['postgres:', 'postgresql:'], 'postgres://user:password@host:port/database');
export const redisUrl = urlOf(['redis:', 'rediss:'], 'redis://host:port or rediss://host:port');
export const awsRegion = z.string().regex(/^[a-z0-9-]{1,64}$/, 'allowed: an AWS region such as eu-central-1');

export const httpUrl = urlOf(['http:', 'https:'], 'an http or https address');

/** The value itself is never repeated in an error: it may hold a password. */
function urlOf(protocols: readonly string[], allowed: string) {
  return z.string().refine((text) => {
    return URL.canParse(text) && protocols.includes(new URL(text).protocol);
  }, `allowed: ${allowed}`);
}

export function list<T extends z.ZodType<string, string>>(item: T) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item));
}

const CIDR = 'allowed: addresses or blocks such as 10.0.0.0/8, separated by commas';

/** An address alone is the block of itself. */
export const cidr = z.string().refine((text) => {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}, CIDR);

/** `role` or `role@shop`: the login that requests without a token act as. */
export const bypass = z
  .string()
  .regex(/^[a-z_]{1,64}(@[A-Za-z0-9][A-Za-z0-9_-]{0,63})?$/, 'allowed: not set, or <role> or <role>@<shop>')
  .transform((text) => {
    const [role = '', shop = 'manga'] = text.split('@');
    return { role, shop };
  });

/** 32 bytes: 64 hex digits or base64 (either alphabet). */
export const base64Key = z.string().transform((text, context) => {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length === 32 && /^[A-Za-z0-9+/_=-]+$/.test(text)) return key;
  context.addIssue({ code: 'custom', message: 'allowed: 32 bytes as base64 or hex' });
  return z.NEVER;
});

/** Secrets by carrier and shop; several of a shop while one is being replaced. */
export type WebhookSecrets = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

const SECRETS =
  'allowed: JSON such as {"ups": {"manga": ["<at least 16 characters>"]}}, no secret in two shops of one carrier';

/** A secret that two shops share would not say whose parcel it is. */
export const webhookSecrets = z.string().transform((text, context): WebhookSecrets => {
  const parsed = BY_CARRIER.safeParse(jsonIn(text));
  const isClear = parsed.success && Object.values(parsed.data).every(isOfOneShop);
  if (parsed.success && isClear) return parsed.data;
  context.addIssue({ code: 'custom', message: SECRETS });
  return z.NEVER;
});

const BY_CARRIER = z.record(
  z.string().regex(/^[a-z0-9_-]{1,40}$/),
  z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), z.array(z.string().min(16)).min(1)),
);

function isOfOneShop(byShop: WebhookSecrets[string]): boolean {
  const all = Object.values(byShop).flatMap((secrets) => [
    ...new Set(secrets.map((one) => one.normalize('NFKD'))),
  ]);
  return new Set(all).size === all.length;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
