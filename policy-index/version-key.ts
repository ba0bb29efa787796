import type { VersionKey } from '../domain/policies.ts';

/** One text per version: parts are encoded, so that no part can forge a separator. */
export function versionKey({ tenant, docId, docVersion }: VersionKey): string {
  return JSON.stringify([tenant, docId, docVersion]);
}
