import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import canonicalize from 'canonicalize';
import { LRUCache } from 'lru-cache';

/** Base64 keys of 32 bytes. The first of a list makes, all of them are accepted, so that keys can be rotated. */
export type SealKeys = { readonly seal: readonly string[]; readonly personal: readonly string[] };

const PLAN = 'countersign/plan/v1';
const ROWS = 'countersign/rows/v1';
const BALLOT = 'countersign/ballot/v1';
const PERSONAL = 'countersign/personal/v1';
const PSEUDONYM = 'countersign/pseudonym/v1';
const SEALED = 'sealed:v1:';

type Statement = { readonly expiresAtUnix: number };
type Rows<R> = { readonly entries: readonly R[]; readonly seal: string };

/**
 * Signs plans and ballots (HMAC-SHA-256 over RFC 8785 JSON, one derived key per purpose) and encrypts personal
 * fields (AES-256-GCM, one derived key per tenant). The shapes are those of `Seals` in the domain.
 *
 * @throws {Error} a key is missing or is not 32 bytes.
 */
export function createSeals<S extends Statement = never, R = never>(
  keys: SealKeys,
  now: () => number = Date.now,
) {
  const sealKeys = decode('SEAL_KEY', keys.seal);
  const personalKeys = decode('PERSONAL_DATA_KEY', keys.personal);
  const derive = keyDeriver();
  const macs = (purpose: string, value: unknown) => sealKeys.map((key) => mac(derive(key, purpose), value));
  const newest = (purpose: string, value: unknown) => mac(derive(first(sealKeys), purpose), value);
  const isMade = (purpose: string, value: unknown, seal: string) => {
    try {
      return matches(macs(purpose, value), seal);
    } catch {
      // It has no canonical form (a lone surrogate), so nobody here can have sealed it.
      return false;
    }
  };

  return {
    sealPlan: <P>(plan: object): P =>
      // The cast adds back the one field that the parameter's type leaves out.
      ({ ...plan, seal: newest(PLAN, plan).toString('base64url') }) as P,

    isSealed: (plan: unknown): boolean => {
      if (typeof plan !== 'object' || plan === null || !('seal' in plan)) return false;
      const { seal, ...rest } = plan;
      return typeof seal === 'string' && isMade(PLAN, rest, seal);
    },

    sealRows: (entries: readonly R[]): Rows<R> => ({
      entries,
      seal: newest(ROWS, entries).toString('base64url'),
    }),

    sealedRows: (owed: unknown): readonly R[] | undefined => {
      if (typeof owed !== 'object' || owed === null || !('seal' in owed) || !('entries' in owed))
        return undefined;
      const { seal, entries } = owed;
      if (typeof seal !== 'string' || !isMade(ROWS, entries, seal)) return undefined;
      // The cast holds because only sealRows can have signed them.
      return entries as readonly R[];
    },

    proveBallot: (statement: S): string => {
      const body = Buffer.from(canonical(statement)).toString('base64url');
      return `${body}.${newest(BALLOT, body).toString('base64url')}`;
    },

    checkBallotProof: (proof: string): S | undefined => {
      const [body, signature, ...more] = proof.split('.');
      if (body === undefined || signature === undefined || more.length > 0) return undefined;
      if (!isMade(BALLOT, body, signature)) return undefined;
      // The cast holds because only proveBallot can have signed it.
      const statement = JSON.parse(Buffer.from(body, 'base64url').toString()) as S;
      return statement.expiresAtUnix * 1_000 > now() ? statement : undefined;
    },

    isSealedText: (text: string): boolean => text.startsWith(SEALED),

    sealPersonal: (tenant: string, value: string): string =>
      encrypt(derive(first(personalKeys), PERSONAL, tenant), value),

    // Keyed: a plain hash of a login could be found by trying logins.
    pseudonym: (tenant: string, subject: string): string =>
      mac(derive(first(personalKeys), PSEUDONYM, tenant), subject)
        .toString('hex')
        .slice(0, 32),

    openPersonal: (tenant: string, sealed: string): string => {
      for (const key of personalKeys) {
        const opened = decrypt(derive(key, PERSONAL, tenant), sealed);
        if (opened !== undefined) return opened;
      }
      throw new Error('A personal field was not sealed for this tenant, or its key is gone.');
    },
  };
}

function decode(name: string, keys: readonly string[]): Buffer[] {
  const decoded = keys.map((key) => Buffer.from(key, 'base64'));
  if (decoded.length === 0 || decoded.some((key) => key.length !== 32)) {
    throw new Error(
      `${name} needs 32 bytes in base64: node -e "console.log(crypto.randomBytes(32).toString('base64'))"`,
    );
  }
  return decoded;
}

function first(keys: readonly Buffer[]): Buffer {
  const [key] = keys;
  if (!key) throw new Error('No key.');
  return key;
}

/** HKDF-SHA-256, one key for each purpose and tenant. Kept, since every call needs a few; bounded, since tenants are many. */
function keyDeriver() {
  const kept = new LRUCache<string, Buffer>({ max: 1_000 });
  return (key: Buffer, purpose: string, tenant = ''): Buffer => {
    const name = JSON.stringify([key.toString('base64'), purpose, tenant]);
    const known = kept.get(name);
    if (known) return known;
    const derived = Buffer.from(hkdfSync('sha256', key, tenant, purpose, 32));
    kept.set(name, derived);
    return derived;
  };
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('Nothing to sign.');
  return text;
}

function mac(key: Buffer, value: unknown): Buffer {
  return createHmac('sha256', key).update(canonical(value)).digest();
}

function matches(expected: readonly Buffer[], given: string): boolean {
  const bytes = Buffer.from(given, 'base64url');
  return expected.some((one) => one.length === bytes.length && timingSafeEqual(one, bytes));
}

function encrypt(key: Buffer, value: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return SEALED + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

function decrypt(key: Buffer, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed.slice(SEALED.length), 'base64url');
  if (!sealed.startsWith(SEALED) || bytes.length < 28) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    // Another key or another tenant: the tag does not fit.
    return undefined;
  }
}
