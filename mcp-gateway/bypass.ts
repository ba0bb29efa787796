import type { IncomingMessage } from 'node:http';
import type { Principal } from '../domain/principal.ts';
import { ROLES, type Role, isRole, scopesOf } from '../domain/roles.ts';
import { DEVELOPMENT_ISSUER, type Settings } from '../platform/config.ts';
import { isLoopback } from './web-guard.ts';

/** A development login that requests without a token act as. */
export type Bypass = {
  readonly shop: string;
  readonly role: Role;
  /** For people: what is switched on, and what it means. */
  readonly warning: string;
  /** The login, when this request may act as it; undefined sends it on to ask for a token. */
  admit(request: IncomingMessage): Principal | undefined;
};

/** How such a request comes in, as every row of the record says. */
export function cameBy(transport: string, { bypassed }: Pick<Principal, 'bypassed'>): string {
  return bypassed === true ? `${transport}, authentication bypassed` : transport;
}

const MOMENT_SECONDS = 60;
/** Any of these means that somebody else's request was passed on to us by a program on this machine. */
const PASSED_ON = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * The configured bypass (COUNTERSIGN_AUTHENTICATION_BYPASS), which `Settings` allow in the development profile on
 * loopback only; undefined when there is none.
 *
 * @throws {Error} when the role is none, naming those that there are
 */
export function authenticationBypass({ bypass, audiences }: Settings['identity']): Bypass | undefined {
  if (bypass === undefined) return undefined;
  const { role, shop } = bypass;
  // A customer is somebody in particular, and a role says not whom.
  if (!isRole(role) || role === 'customer') {
    const allowed = ROLES.filter((one) => one !== 'customer').join(', ');
    throw new Error(`COUNTERSIGN_AUTHENTICATION_BYPASS: there is no such role; allowed: ${allowed}`);
  }
  const login = {
    issuer: DEVELOPMENT_ISSUER,
    tenant: shop,
    subject: role,
    client: 'authentication-bypass',
    roles: [role],
    // Whoever is at the keyboard has proved nothing: such a request asks, and never decides.
    scopes: scopesOf([role]).filter((scope) => scope !== 'approvals:decide'),
    interactive: false,
    assurance: 'development',
    audiences: [audiences.mcp, audiences.api],
    bypassed: true,
  } as const;
  return {
    shop,
    role,
    warning:
      `AUTHENTICATION IS BYPASSED: whoever reaches this port from this machine acts as ${role} of shop ${shop} ` +
      'without a token. Unset COUNTERSIGN_AUTHENTICATION_BYPASS to end that.',
    admit: (request) =>
      isDirect(request)
        ? { ...login, expiresAtUnix: Math.floor(Date.now() / 1000) + MOMENT_SECONDS }
        : undefined,
  };
}

/** From this machine, by nobody's hand but the caller's own, and without any token, good or bad. */
function isDirect({ socket, headers }: IncomingMessage): boolean {
  return (
    headers.authorization === undefined &&
    isLoopback(socket.remoteAddress ?? '') &&
    PASSED_ON.every((name) => headers[name] === undefined)
  );
}
