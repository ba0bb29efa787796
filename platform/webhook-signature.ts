import { createHmac, timingSafeEqual } from 'node:crypto';

/** What goes before the digest in the signature's header (EasyPost's form). */
export const SIGNATURE_PREFIX = 'hmac-sha256-hex=';
/** Where a signed instant stands: Unix seconds. */
export const TIMESTAMP_HEADER = 'X-Countersign-Timestamp';

/** How far a signed instant may be from now, either way. */
const WINDOW_SECONDS = 300;

export type SignedDelivery = {
  /** As it came, byte for byte: a final newline or another order of fields is another text. */
  readonly body: Uint8Array;
  /** The signature's header. */
  readonly signature: string | undefined;
  /** The time stamp's header; when there is one, it is part of what was signed. */
  readonly timestamp?: string | undefined;
};

/** `stale`: signed by us or our partner, and too long ago (or ahead) to be acted on. */
export type SignatureVerdict = 'valid' | 'wrong' | 'stale';

/**
 * HMAC-SHA-256 in hex over the raw body, or over `<timestamp>.<body>`. The secret is normalised to NFKD, so that one
 * typed with a composed é and one with a combining accent are the same.
 */
export function signWebhook(body: Uint8Array, secret: string, timestamp?: string): string {
  return SIGNATURE_PREFIX + digest(body, secret, timestamp).toString('hex');
}

/**
 * Whether any of the secrets (several while one is being replaced) made the signature. Every secret is tried, and
 * compared in constant time, so the time that it takes tells nothing of which one fits, or how nearly.
 */
export function verifyWebhook(
  { body, signature, timestamp }: SignedDelivery,
  secrets: readonly string[],
  { nowMs, windowSeconds = WINDOW_SECONDS }: { readonly nowMs: number; readonly windowSeconds?: number },
): SignatureVerdict {
  const given = digestIn(signature);
  const fits = secrets.map((secret) => timingSafeEqual(digest(body, secret, timestamp), given ?? NOTHING));
  if (given === undefined || !fits.includes(true)) return 'wrong';
  return timestamp === undefined || isWithin(timestamp, nowMs, windowSeconds) ? 'valid' : 'stale';
}

const NOTHING = Buffer.alloc(32);

function digest(body: Uint8Array, secret: string, timestamp: string | undefined): Buffer {
  const hmac = createHmac('sha256', Buffer.from(secret.normalize('NFKD'), 'utf8'));
  if (timestamp !== undefined) hmac.update(`${timestamp}.`);
  return hmac.update(body).digest();
}

/** Undefined for everything but the prefix and 64 hex digits, in either case. */
function digestIn(header: string | undefined): Buffer | undefined {
  const hex = /^hmac-sha256-hex=([0-9a-f]{64})$/i.exec(header ?? '')?.[1];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

function isWithin(timestamp: string, nowMs: number, windowSeconds: number): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(nowMs / 1000 - Number(timestamp)) <= windowSeconds;
}
