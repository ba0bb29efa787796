import type { StoredVersion } from '../domain/policy-source.ts';
import type { ReadDocument } from './read-document.ts';

const LIVE = /^([A-Za-z0-9][A-Za-z0-9_-]{0,63})\/[^/]+\.md$/u;
const ARCHIVED = /^([A-Za-z0-9][A-Za-z0-9_-]{0,63})\/versions\/([a-z0-9][a-z0-9-]{0,63})\/[^/]+\.md$/u;

/** A stored version that was read. */
export type Candidate = {
  readonly stored: StoredVersion;
  readonly document: ReadDocument;
  readonly isArchived: boolean;
};

/** What a key says: whose it is, and for an archived version, of which document. Undefined for no policy at all. */
export function placeOf(
  key: string,
): { readonly tenant: string; readonly archived: string | undefined } | undefined {
  const archived = ARCHIVED.exec(key);
  if (archived?.[1] !== undefined) return { tenant: archived[1], archived: archived[2] };
  const live = LIVE.exec(key);
  return live?.[1] === undefined ? undefined : { tenant: live[1], archived: undefined };
}
