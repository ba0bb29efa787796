import { randomUUID } from 'node:crypto';
import { SignJWT, importJWK } from 'jose';
import { type Role, type Scope, isRole, scopesOf } from '../domain/roles.ts';

/** Whom a development token is for: `warehouse_lead`, `customer:C-1`, `agent:supply_chain_manager`. */
export type TokenFor = {
  readonly as: string;
  readonly shop: string;
  readonly subject?: string;
  readonly ttlSeconds: number;
};

export type Issuer = {
  readonly issuer: string;
  /** Private Ed25519 key as JWK text. */
  readonly signingKey: string;
  readonly audiences: { readonly mcp: string; readonly api: string };
};

export type Minted = {
  readonly token: string;
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly actor: string | undefined;
};

type Bearer = {
  readonly subject: string;
  readonly role: Role;
  readonly customerId?: string;
  /** The agent, when one acts for the subject. */
  readonly actor?: string;
};

/**
 * Signs a token of the built-in issuer. A person's token is good for `/mcp` and the HTTP API; an agent's for
 * `/mcp` only, and never carries the scopes to decide and to buy.
 *
 * @throws {Error} naming the roles, when `as` is none of the three forms
 */
export async function mintToken(wanted: TokenFor, by: Issuer): Promise<Minted> {
  const bearer = bearerOf(wanted);
  const key = await importJWK(JSON.parse(by.signingKey), 'EdDSA');
  const token = await new SignJWT({
    shop: wanted.shop,
    roles: [bearer.role],
    scope: scopesFor(bearer).join(' '),
    ...(bearer.customerId === undefined ? {} : { customer_id: bearer.customerId }),
    ...(bearer.actor === undefined ? { amr: ['user'] } : { act: { sub: bearer.actor } }),
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .setIssuer(by.issuer)
    .setSubject(bearer.subject)
    .setAudience(bearer.actor === undefined ? [by.audiences.mcp, by.audiences.api] : [by.audiences.mcp])
    .setIssuedAt()
    .setJti(randomUUID())
    .setExpirationTime(`${wanted.ttlSeconds}s`)
    .sign(key);
  return { token, subject: bearer.subject, roles: [bearer.role], actor: bearer.actor };
}

function bearerOf({ as, subject }: TokenFor): Bearer {
  const [kind = '', ...rest] = as.split(':');
  const name = rest.join(':');
  if (kind === 'customer' && name !== '') {
    return { subject: subject ?? name, role: 'customer', customerId: name };
  }
  if (kind === 'agent' && isRole(name) && name !== 'customer') {
    return { subject: subject ?? name, role: name, actor: `agent-of-${subject ?? name}` };
  }
  if (kind === 'agent' && name.startsWith('customer:') && name !== 'customer:') {
    const customerId = name.slice('customer:'.length);
    const owner = subject ?? customerId;
    return { subject: owner, role: 'customer', customerId, actor: `agent-of-${owner}` };
  }
  if (rest.length === 0 && isRole(as) && as !== 'customer') return { subject: subject ?? as, role: as };
  throw new Error(
    `Nobody is called ${JSON.stringify(as)}. Allowed: a role (supply_chain_manager, warehouse_lead, ` +
      'returns_specialist, finance, analyst, prototype, admin), customer:<id>, agent:<role>, agent:customer:<id>.',
  );
}

/** What only people may do, whomever an agent acts for: decide, and buy. */
const PEOPLE_ONLY: ReadonlySet<Scope> = new Set(['approvals:decide', 'orders:place:self']);

function scopesFor({ role, actor }: Bearer): readonly Scope[] {
  const scopes = scopesOf([role]);
  return actor === undefined ? scopes : scopes.filter((scope) => !PEOPLE_ONLY.has(scope));
}
