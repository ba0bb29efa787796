import type { Role, Scope } from './roles.ts';

/** A shop: the tenant. Every row, key, plan and token belongs to exactly one. */
export type ShopId = string;

/** A human being. Several logins (subjects) may be one person; approvals count persons, not subjects. */
export type PersonId = string;

/** How far an identity has been proved. `development` = the built-in issuer, `verified` = an outside issuer. */
export type Assurance = 'development' | 'verified';

/**
 * Who calls, as a verified token says, and nothing else. Never built from arguments, headers or query strings.
 */
export type Principal = {
  readonly issuer: string;
  readonly tenant: ShopId;
  /** The token's subject: the login on whose behalf everything happens. */
  readonly subject: string;
  /** The agent that acts for the subject (RFC 8693 `act`), when one does. */
  readonly actor?: string;
  /** OAuth client id, when the token names one. */
  readonly client?: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  /** Public customer id. Set for customers only: everything they read is limited to their own. */
  readonly customerId?: string;
  /** True for a login a person made at a keyboard, without an agent between. Only such may decide. */
  readonly interactive: boolean;
  readonly assurance: Assurance;
  /** RFC 7519 `aud`. */
  readonly audiences: readonly string[];
  /** Unix seconds. */
  readonly expiresAtUnix: number;
  /** Nobody proved anything: a request without a token, which the development profile may let act as a role. */
  readonly bypassed?: true;
};

/** The part of a principal that travels in a plan. No roles and no scopes: those are read again when they matter. */
export type Caller = {
  readonly tenant: ShopId;
  readonly subject: string;
  readonly issuer: string;
  readonly actor?: string;
  readonly customerId?: string;
  readonly assurance: Assurance;
};

export function callerOf(principal: Principal): Caller {
  return {
    tenant: principal.tenant,
    subject: principal.subject,
    issuer: principal.issuer,
    ...(principal.actor === undefined ? {} : { actor: principal.actor }),
    ...(principal.customerId === undefined ? {} : { customerId: principal.customerId }),
    assurance: principal.assurance,
  };
}
