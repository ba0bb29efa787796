import type { VersionInfo, VersionKey } from '../../domain/policies.ts';
import { instant } from '../checks.ts';
import { CHANGED, instantOrNever, VERSIONS } from './answers.ts';
import type { Connection } from './connection.ts';
import { NEVER, ofVersions } from './requests.ts';

/** Versions named in one query. */
const VERSIONS_AT_ONCE = 200;

/** Where the versions in a build stand: superseded, seen at their source, deleted. */
export function standingKeeper(
  server: Connection,
  /** The name of the build that the target stands for, with everything in it findable. */
  refreshed: (target: string) => Promise<string>,
) {
  async function change(target: string, versions: readonly VersionKey[], script: object): Promise<void> {
    const name = await refreshed(target);
    for (const some of slices(versions)) {
      await server.build(CHANGED, {
        method: 'POST',
        path: `/${name}/_update_by_query`,
        query: { refresh: 'true' },
        body: { query: ofVersions(some), script },
      });
    }
  }

  async function remove(target: string, versions: readonly VersionKey[]): Promise<number> {
    const name = await refreshed(target);
    let count = 0;
    for (const some of slices(versions)) {
      const answer = await server.build(CHANGED, {
        method: 'POST',
        path: `/${name}/_delete_by_query`,
        query: { refresh: 'true' },
        body: { query: ofVersions(some) },
      });
      count += answer.deleted ?? 0;
    }
    return count;
  }

  async function versions(target: string): Promise<readonly VersionInfo[]> {
    const name = await refreshed(target);
    const found: VersionInfo[] = [];
    let after: Readonly<Record<string, string>> | undefined;
    do {
      const { aggregations } = await server.build(VERSIONS, {
        method: 'POST',
        path: `/${name}/_search`,
        body: versionsBody(after),
      });
      found.push(...aggregations.versions.buckets.map(versionOf));
      after = aggregations.versions.after_key;
    } while (after !== undefined);
    return found;
  }

  return {
    supersede: (target: string, some: readonly VersionKey[], at: string) =>
      change(target, some, supersedeScript(instant(at, 'at'))),
    verify: (target: string, some: readonly VersionKey[], at: string) =>
      change(target, some, verifyScript(instant(at, 'at'))),
    remove,
    versions,
  };
}

function supersedeScript(at: number): object {
  return {
    source: `if (ctx._source.superseded_at < params.never) { ctx.op = 'noop' } else { ctx._source.superseded_at = params.at }`,
    params: { at, never: NEVER },
  };
}

function verifyScript(at: number): object {
  return {
    source: `if (ctx._source.verified_at >= params.at) { ctx.op = 'noop' } else { ctx._source.verified_at = params.at }`,
    params: { at },
  };
}

function versionsBody(after: Readonly<Record<string, string>> | undefined): object {
  const fields = ['tenant', 'doc_id', 'doc_version'];
  const sources = fields.map((field) => ({ [field]: { terms: { field } } }));
  return {
    size: 0,
    aggs: {
      versions: {
        composite: { size: 1000, sources, ...(after === undefined ? {} : { after }) },
        aggs: {
          verified: { max: { field: 'verified_at' } },
          superseded: { min: { field: 'superseded_at' } },
        },
      },
    },
  };
}

type Bucket = ReturnType<typeof VERSIONS.parse>['aggregations']['versions']['buckets'][number];

function versionOf({ key, doc_count: chunks, verified, superseded }: Bucket): VersionInfo {
  return {
    tenant: key.tenant,
    docId: key.doc_id,
    docVersion: key.doc_version,
    chunks,
    verifiedAt: new Date(verified.value).toISOString(),
    supersededAt: instantOrNever(superseded.value),
  };
}

function slices(versions: readonly VersionKey[]): readonly (readonly VersionKey[])[] {
  return Array.from({ length: Math.ceil(versions.length / VERSIONS_AT_ONCE) }, (_, i) =>
    versions.slice(i * VERSIONS_AT_ONCE, (i + 1) * VERSIONS_AT_ONCE),
  );
}
