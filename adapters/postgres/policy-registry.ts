import type { Audience, VersionKey } from '../../domain/policies.ts';
import type { StandingPolicy } from '../../domain/policy-answers.ts';
import type { PlannedPolicy, PolicyRegistry } from '../../domain/policy-registry.ts';
import { docVersionOf, type Moment, type Standing, standingsOf } from '../../domain/policy-standing.ts';
import { inTenant, inTransaction, type Pools, type Sql } from './pools.ts';
import { createPublications, publishedTenants } from './policy-publications.ts';
import { stagePolicies } from './policy-staging.ts';
import { publishWithin } from './outbox.ts';
import { readInTenant } from './read-in-tenant.ts';
import { shopIds } from './shops.ts';

/** The registry in Postgres. Texts are read and written within their shop; publications span all of them. */
export function createPolicyRegistry(pools: Pick<Pools, 'write' | 'system'>): PolicyRegistry {
  const { write, system } = pools;
  return {
    ...createPublications(system),
    find: ({ tenant, docId, docVersion }) =>
      readInTenant(write, tenant, async (sql) => {
        const { rows } = await sql.query<Row>({
          name: 'policy_version',
          text: `select ${COLUMNS}, effective_to, superseded_at from policy_versions
                  where doc_id = $1 and seq = $2 and content_hash = $3 and released_at is not null`,
          values: [docId, ...partsOf(docVersion)],
        });
        return rows[0] && policyOf(rows[0]);
      }),
    list: (tenant) =>
      readInTenant(write, tenant, async (sql) => {
        const { rows } = await sql.query<Row>({
          name: 'policies',
          text: `select ${COLUMNS}, effective_to, superseded_at from policy_versions
                  where is_listed order by doc_id, seq`,
        });
        return rows.map(policyOf);
      }),
    withdrawn: (tenant) =>
      readInTenant(write, tenant, async (sql) => {
        const { rows } = await sql.query<Row>(
          `select ${COLUMNS}, effective_to, superseded_at from policy_versions
            where not is_listed and superseded_at is not null order by doc_id, seq`,
        );
        return rows.map(policyOf);
      }),
    shops: () => shopIds(pools),
    stage: (tenant, corpus, at) => inTenant(write, tenant, (sql) => stagePolicies(sql, tenant, corpus, at)),
    versionsOf: async (number, moment) => {
      const tenants = await publishedTenants(system, number);
      const all = await Promise.all(
        tenants.map((tenant) => inTenant(write, tenant, (sql) => planned(sql, number, moment))),
      );
      return all.flat();
    },
    release: async (number, golden, at) => {
      for (const tenant of await publishedTenants(system, number))
        await inTenant(write, tenant, (sql) => release(sql, number, at));
      await system.query(
        `update policy_publications set state = 'checked', golden = $2 where number = $1 and state = 'building'`,
        [number, JSON.stringify(golden)],
      );
    },
    publish: async (number, moment, back) => {
      await assertChecked(system, number);
      for (const id of await shopIds(pools))
        await inTenant(write, id, (sql) => publish(sql, id, number, moment));
      await goLive(system, number, moment.at, back);
    },
    superseded: async () => {
      const { rows } = await system.query<Row & { readonly superseded_at: Date }>(
        `select shop_id, doc_id, seq, content_hash, superseded_at from policy_versions
          where superseded_at is not null and removed_at is null order by superseded_at, shop_id, doc_id, seq`,
      );
      return rows.map((row) => ({ ...keyOf(row), supersededAt: row.superseded_at.toISOString() }));
    },
    removed: async (versions, at) => {
      for (const tenant of new Set(versions.map((one) => one.tenant)))
        await inTenant(write, tenant, (sql) =>
          markRemoved(
            sql,
            versions.filter((one) => one.tenant === tenant),
            at,
          ),
        );
    },
  };
}

async function planned(sql: Sql, number: number, moment: Moment): Promise<readonly PlannedPolicy[]> {
  const { rows } = await sql.query<Row>(
    `select ${COLUMNS}, effective_to, superseded_at from policy_versions
      where (doc_id, seq) in (select doc_id, seq from policy_publication_versions where publication = $1)
      order by doc_id, seq`,
    [number],
  );
  const standing = new Map(standings(rows, moment).map((one) => [nameOf(one.docId, one.seq), one]));
  return rows.map((row) => {
    const { effectiveTo = null, supersededAt = null } = standing.get(nameOf(row.doc_id, row.seq)) ?? {};
    return { ...policyOf(row), effectiveTo, supersededAt, questions: row.questions };
  });
}

function standings(rows: readonly Row[], moment: Moment): readonly Standing[] {
  const chains = new Map<string, Row[]>();
  for (const row of rows) chains.set(row.doc_id, [...(chains.get(row.doc_id) ?? []), row]);
  return [...chains.values()].flatMap((chain) =>
    standingsOf(
      chain.map((row) => ({
        docId: row.doc_id,
        seq: row.seq,
        effectiveFrom: row.effective_from,
        ownEnd: row.own_end,
        supersededAt: row.superseded_at?.toISOString() ?? null,
      })),
      moment,
    ),
  );
}

/** What the shop may be told changes in one transaction, together with the word of it. */
async function publish(sql: Sql, tenant: string, number: number, moment: Moment): Promise<void> {
  const stands = await planned(sql, number, moment);
  const { rowCount: changed } = await sql.query(
    `update policy_versions v
        set is_listed = true, effective_to = live.effective_to, superseded_at = live.superseded_at,
            released_at = coalesce(v.released_at, $5),
            removed_at = case when live.superseded_at is null then null else v.removed_at end
       from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[])
              as live (doc_id, seq, effective_to, superseded_at)
      where v.doc_id = live.doc_id and v.seq = live.seq
        and (not v.is_listed or v.effective_to is distinct from live.effective_to
             or v.superseded_at is distinct from live.superseded_at)`,
    [
      stands.map(({ docId }) => docId),
      stands.map(({ docVersion }) => partsOf(docVersion)[0]),
      stands.map(({ effectiveTo }) => effectiveTo),
      stands.map(({ supersededAt }) => supersededAt),
      moment.at,
    ],
  );
  const { rowCount: gone } = await sql.query(
    `update policy_versions set is_listed = false, superseded_at = coalesce(superseded_at, $2)
      where is_listed
        and (doc_id, seq) not in (select doc_id, seq from policy_publication_versions where publication = $1)`,
    [number, moment.at],
  );
  if ((changed ?? 0) + (gone ?? 0) === 0) return;
  await publishWithin(sql, tenant, [
    {
      eventId: `policies:${number}:${moment.at}`,
      topic: 'policies_changed',
      version: 1,
      key: 'policies',
      payload: { publication: number },
      at: moment.at,
    },
  ]);
}

async function release(sql: Sql, number: number, at: string): Promise<void> {
  await sql.query(
    `update policy_versions set released_at = $2
      where released_at is null
        and (doc_id, seq) in (select doc_id, seq from policy_publication_versions where publication = $1)`,
    [number, at],
  );
}

async function assertChecked(system: Sql, number: number): Promise<void> {
  const { rowCount } = await system.query(
    `select from policy_publications where number = $1 and state in ('checked', 'live')`,
    [number],
  );
  if (rowCount !== 1) throw new Error(`Publication ${number} was not checked, and is not published.`);
}

async function goLive(system: Pools['system'], number: number, at: string, back: boolean): Promise<void> {
  await inTransaction(system, async (sql) => {
    await sql.query(
      `update policy_publications set state = $3, ended_at = $2 where state = 'live' and number <> $1`,
      [number, at, back ? 'withdrawn' : 'replaced'],
    );
    await sql.query(
      `update policy_publications set state = 'live', live_at = $2, ended_at = null
        where number = $1 and state <> 'live'`,
      [number, at],
    );
  });
}

async function markRemoved(sql: Sql, versions: readonly VersionKey[], at: string): Promise<void> {
  await sql.query(
    `update policy_versions v set removed_at = $3
       from unnest($1::text[], $2::int[]) as gone (doc_id, seq)
      where v.doc_id = gone.doc_id and v.seq = gone.seq and v.removed_at is null`,
    [versions.map(({ docId }) => docId), versions.map(({ docVersion }) => partsOf(docVersion)[0]), at],
  );
}

const COLUMNS = `shop_id, doc_id, seq, content_hash, title, source_url, kind, audience, language, effective_from,
                 own_end, questions, body, verified_at`;

type Row = {
  readonly shop_id: string;
  readonly doc_id: string;
  readonly seq: number;
  readonly content_hash: string;
  readonly title: string;
  readonly source_url: string;
  readonly kind: string;
  readonly audience: Audience;
  readonly language: string;
  readonly effective_from: string | null;
  readonly own_end: string | null;
  readonly questions: readonly string[];
  readonly body: string;
  readonly verified_at: Date;
  readonly effective_to: string | null;
  readonly superseded_at: Date | null;
};

function policyOf(row: Row): StandingPolicy {
  return {
    ...keyOf(row),
    title: row.title,
    sourceUrl: row.source_url,
    kind: row.kind,
    audience: row.audience,
    language: row.language,
    effectiveFrom: row.effective_from,
    effectiveTo: row.effective_to,
    text: row.body,
    verifiedAt: row.verified_at.toISOString(),
    supersededAt: row.superseded_at?.toISOString() ?? null,
  };
}

function keyOf({ shop_id, doc_id, seq, content_hash }: Row): VersionKey {
  return { tenant: shop_id, docId: doc_id, docVersion: docVersionOf(seq, content_hash) };
}

/** What is no version of ours has sequence 0, which none has. */
function partsOf(docVersion: string): readonly [seq: number, hash: string] {
  const [, seq = '0', hash = ''] = /^(\d{1,9})-([0-9a-f]{12})$/.exec(docVersion) ?? [];
  return [Number(seq), hash];
}

function nameOf(docId: string, seq: number): string {
  return `${docId} ${seq}`;
}
