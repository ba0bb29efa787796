import type { Request, Response } from 'express';
import type { Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Scope } from '../domain/roles.ts';
import type { Bypass } from './bypass.ts';
import type { GatewayRecord } from './gateway-record.ts';
import { requestIdOf } from './http-errors.ts';
import type { Verifier } from './identity.ts';
import type { TokenSource } from './web-guard.ts';

/** Verifies the caller of one request for one audience. @throws {Refusal} unauthenticated (recorded), unavailable */
export type Authenticate = (request: Request, response: Response) => Promise<Principal>;

type Deps = {
  readonly verifier: Verifier;
  readonly tokenOf: TokenSource;
  readonly record: GatewayRecord;
  readonly audience: string;
  readonly transport: 'http' | 'api';
  readonly bypass?: Bypass | undefined;
};

export function authenticator(deps: Deps): Authenticate {
  const { verifier, tokenOf, record, audience, transport, bypass } = deps;
  return async (request, response) => {
    const admitted = bypass?.admit(request);
    if (admitted !== undefined) return admitted;
    try {
      return await verifier.verify(tokenOf(request), audience);
    } catch (error) {
      if (error instanceof Refusal && error.code === 'unauthenticated') {
        await record.write({
          tool: 'http',
          event: 'denied',
          outcome: 'denied',
          final: true,
          reason: error.code,
          transport,
          requestId: requestIdOf(response),
        });
      }
      throw error;
    }
  };
}

/** @throws {Refusal} insufficient_scope (recorded) */
export async function requireScope(
  record: GatewayRecord,
  principal: Principal,
  scope: Scope,
  response: Response,
): Promise<void> {
  if (principal.scopes.includes(scope)) return;
  const moment = { event: 'denied', outcome: 'denied', final: true, transport: 'api' } as const;
  const requestId = requestIdOf(response);
  await record.write({ ...moment, tool: 'http', reason: 'insufficient_scope', principal, requestId });
  throw new Refusal('insufficient_scope', `Your token lacks the scope ${scope}.`);
}
