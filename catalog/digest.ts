import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** Hex SHA-256 over RFC 8785 JSON: the same for everything that means the same. */
export function hashOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('Only JSON has a hash.');
  return createHash('sha256').update(text).digest('hex');
}

/** What people say yes to, and what is recomputed before it runs. `input` is parsed, with personal fields open. */
export function digestOf(asked: {
  readonly tenant: string;
  readonly tool: string;
  readonly schemaVersion: number;
  readonly input: unknown;
}): string {
  const { tenant, tool, schemaVersion, input } = asked;
  return hashOf({ tenant, tool, schema_version: schemaVersion, input });
}
