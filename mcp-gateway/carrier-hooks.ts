import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Request, type Response, Router } from 'express';
import { bareNumber, type CarrierMailbox } from '../domain/carrier-push.ts';
import { Refusal } from '../domain/refusal.ts';
import { type SignatureVerdict, TIMESTAMP_HEADER, verifyWebhook } from '../platform/webhook-signature.ts';
import type { GatewayRecord } from './gateway-record.ts';
import { requestIdOf } from './http-errors.ts';

/** Secrets by carrier and shop. More than one while a secret is being replaced. */
export type CarrierSecrets = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export type CarrierHookDeps = {
  readonly record: GatewayRecord;
  readonly mailbox: CarrierMailbox;
  readonly secrets: CarrierSecrets;
  readonly now?: () => Date;
};

const LARGEST_PUSH = '1mb';
const SIGNATURE_HEADER = 'X-Hmac-Signature';
/** Track Alert does not sign: UPS sends the secret that it was given. */
const SENDS_CREDENTIAL: ReadonlySet<string> = new Set(['ups']);

/**
 * Where carriers say what happened to a parcel. The door looks at the signature, keeps what came, and answers; it is
 * read afterwards. The shop is the one whose secret made the signature, whatever the body says.
 */
export function carrierHooks(deps: CarrierHookDeps): Router {
  const router = Router();
  const raw = express.raw({ type: () => true, limit: LARGEST_PUSH, inflate: false });
  router.post('/carriers/:carrier', raw, async (request, response) => {
    const { carrier } = request.params;
    const tenant = await sender(carrier, request, response);
    const kept = await keep({ tenant, carrier, ...contentOf(rawBody(request)) });
    // Track Alert knows one answer that is good.
    const isFirst = kept === 'accepted' && request.get(SIGNATURE_HEADER) !== undefined;
    response.status(isFirst ? 202 : 200).json({ status: 'accepted' });
  });
  return router;

  /** @throws {Refusal} not_found, unauthenticated (recorded) */
  async function sender(carrier: string, request: Request, response: Response): Promise<string> {
    const byShop = Object.hasOwn(deps.secrets, carrier) ? deps.secrets[carrier] : undefined;
    if (byShop === undefined) throw new Refusal('not_found', 'No carrier of this name calls here.');
    const nowMs = (deps.now?.() ?? new Date()).getTime();
    // Every shop's, also after one has fitted: the time tells nobody whose secret it was.
    const verdicts = Object.entries(byShop).map(([shop, secrets]) => ({
      shop,
      verdict: verdictOn(carrier, request, secrets, nowMs),
    }));
    const signer = verdicts.find(({ verdict }) => verdict === 'valid');
    if (signer !== undefined) return signer.shop;
    await deps.record.write({
      event: 'denied',
      outcome: 'denied',
      final: true,
      transport: 'webhook',
      tool: 'carrier_webhook',
      reason: verdicts.some(({ verdict }) => verdict === 'stale') ? 'signature_stale' : 'signature_wrong',
      requestId: requestIdOf(response),
    });
    throw new Refusal('unauthenticated', 'The signature is not good, or is too old.');
  }

  /** @throws {Refusal} unavailable: not kept, so the carrier must send it again */
  async function keep(delivery: Parameters<CarrierMailbox['keep']>[0]) {
    try {
      return await deps.mailbox.keep(delivery);
    } catch (error) {
      throw Object.assign(new Refusal('unavailable', 'This could not be kept. Send it again.'), {
        cause: error,
      });
    }
  }
}

function verdictOn(
  carrier: string,
  request: Request,
  secrets: readonly string[],
  nowMs: number,
): SignatureVerdict {
  const signature = request.get(SIGNATURE_HEADER);
  if (signature === undefined && SENDS_CREDENTIAL.has(carrier)) {
    return hasCredential(request, secrets) ? 'valid' : 'wrong';
  }
  const timestamp = request.get(TIMESTAMP_HEADER);
  return verifyWebhook({ body: rawBody(request), signature, timestamp }, secrets, { nowMs });
}

/** `credential: <secret>` (Track Alert v1) or `Authorization: Bearer <secret>` (v2). */
function hasCredential(request: Request, secrets: readonly string[]): boolean {
  const bearer = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  const given = hashOf(request.get('credential') ?? bearer ?? '');
  return secrets.map((secret) => timingSafeEqual(hashOf(secret), given)).includes(true);
}

/** Of one length, so that comparing tells nothing of the secret's. */
function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret.normalize('NFKD'), 'utf8').digest();
}

function rawBody({ body }: Request): Buffer {
  const raw: unknown = body;
  return Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
}

/** @throws {Refusal} invalid_arguments: no JSON object in UTF-8 */
function contentOf(raw: Buffer): { eventId: string; body: string; trackingNumber: string | null } {
  const body = textIn(raw);
  const json = body === undefined ? undefined : objectIn(body);
  if (body === undefined || json === undefined)
    throw new Refusal('invalid_arguments', 'The body is not a JSON object in UTF-8.');
  const { id } = json;
  const isId = typeof id === 'string' && /^[!-~]{1,200}$/.test(id);
  return {
    eventId: isId ? `id:${id}` : `sha256:${createHash('sha256').update(raw).digest('hex')}`,
    body,
    trackingNumber: numberIn(json),
  };
}

function textIn(raw: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

type JsonMap = Readonly<Record<string, unknown>>;

function objectIn(body: string): JsonMap | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return isMap(json) ? json : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where the forms that we know have it. */
function numberIn({ trackingNumber, result }: JsonMap): string | null {
  const number = isMap(result) ? result['tracking_code'] : trackingNumber;
  const bare = typeof number === 'string' ? bareNumber(number) : '';
  return bare.length >= 1 && bare.length <= 64 ? bare : null;
}
