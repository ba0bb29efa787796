import type { Principal } from '../domain/principal.ts';
import type { Scope } from '../domain/roles.ts';

/**
 * Whether the caller may use what asks for one of `scopes`. A `:self` scope admits only a caller that is known
 * as a customer: without the customer there is no "own", and bodies limit by it.
 */
export function mayUse(
  { scopes: wanted }: { readonly scopes: readonly Scope[] },
  caller: Pick<Principal, 'scopes' | 'customerId'>,
): boolean {
  return wanted.some(
    (scope) => caller.scopes.includes(scope) && (!scope.endsWith(':self') || caller.customerId !== undefined),
  );
}
