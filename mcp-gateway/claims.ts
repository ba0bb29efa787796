import { z } from 'zod';
import type { Assurance, Principal } from '../domain/principal.ts';
import { isRole, isScope, scopesOf } from '../domain/roles.ts';

/** Ids from a token end up in search attributes, keys and rows: short, and nothing that could be markup. */
const id = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{C}"'`<>\\]+$/u);

/** As the database knows shops; a leading underscore belongs to the platform (`_unverified`). */
const shop = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);

/** The claims Countersign reads (RFC 7519, 8693, 8176, 9068). Everything else in a token is ignored. */
const CLAIMS = z.object({
  iss: z.string(),
  sub: id,
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.int(),
  shop,
  roles: z.array(z.string()).default([]),
  scope: z.union([z.string(), z.array(z.string())]).default(''),
  act: z.object({ sub: id }).optional(),
  customer_id: id.optional(),
  client_id: id.optional(),
  azp: id.optional(),
  amr: z.array(z.string()).default([]),
});

/** RFC 8176: ways to log in that need a human being at the keyboard. A token without one never decides. */
const INTERACTIVE = new Set([
  'face',
  'fpt',
  'hwk',
  'iris',
  'kba',
  'mca',
  'mfa',
  'otp',
  'pin',
  'pwd',
  'retina',
  'sc',
  'sms',
  'swk',
  'tel',
  'user',
  'vbm',
  'wia',
]);

/** What a verified token says, or why it says nothing usable. The reason never repeats a claim's value. */
export function principalFrom(payload: unknown, assurance: Assurance): Principal | string {
  const parsed = CLAIMS.safeParse(payload);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `claim ${issue?.path.join('.') ?? ''} is missing or malformed`;
  }
  const { data: claims } = parsed;
  const roles = claims.roles.filter(isRole);
  // Without the id there would be nothing to limit a customer to, and "their own" would mean everybody's.
  if (roles.includes('customer') && claims.customer_id === undefined) return 'claim customer_id is missing';
  const client = claims.client_id ?? claims.azp;
  // An issuer's slip must not hand a role what it can never have.
  const grantable = new Set(scopesOf(roles));
  return {
    issuer: claims.iss,
    tenant: claims.shop,
    subject: claims.sub,
    ...(claims.act === undefined ? {} : { actor: claims.act.sub }),
    ...(client === undefined ? {} : { client }),
    roles,
    scopes: words(claims.scope)
      .filter((word) => isScope(word))
      .filter((scope) => grantable.has(scope)),
    ...(claims.customer_id === undefined ? {} : { customerId: claims.customer_id }),
    interactive: claims.act === undefined && claims.amr.some((method) => INTERACTIVE.has(method)),
    assurance,
    audiences: words(claims.aud),
    expiresAtUnix: claims.exp,
  };
}

function words(claim: string | readonly string[]): readonly string[] {
  return typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : claim;
}
