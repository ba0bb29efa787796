import { createHash } from 'node:crypto';
import type {
  GoldenResult,
  PolicyRegistry,
  Publication,
  PublicationState,
} from '../../domain/policy-registry.ts';
import { inTransaction, type Pools, type Sql } from './pools.ts';

type Publications = Pick<PolicyRegistry, 'digest' | 'publications' | 'begin' | 'refuse'>;

/** Publications span all shops: only the system role sees them. */
export function createPublications(system: Pools['system']): Publications {
  return {
    digest: () => digestAt(system),
    publications: async () => {
      const { rows } = await system.query<Row>(`select ${COLUMNS} from policy_publications order by number`);
      return rows.map(publicationOf);
    },
    begin: (plan) =>
      inTransaction(system, async (sql) => {
        await sql.query(`select pg_advisory_xact_lock(hashtextextended('policy publications', 0))`);
        return begin(sql, plan);
      }),
    refuse: async (number, golden) => {
      await system.query(
        `update policy_publications set state = 'refused', golden = $2 where number = $1 and state in ('building', 'checked')`,
        [number, JSON.stringify(golden)],
      );
    },
  };
}

/** The shops that have something in the publication. */
export async function publishedTenants(system: Sql, number: number): Promise<readonly string[]> {
  const { rows } = await system.query<{ shop_id: string }>(
    'select distinct shop_id from policy_publication_versions where publication = $1 order by shop_id',
    [number],
  );
  return rows.map(({ shop_id }) => shop_id);
}

async function begin(sql: Sql, plan: Parameters<PolicyRegistry['begin']>[0]): Promise<Publication> {
  const digest = plan.from === undefined ? await digestAt(sql) : await digestOf(sql, plan.from);
  const { rows: begun } = await sql.query<Row>(
    `select ${COLUMNS} from policy_publications
      where state in ('building', 'checked') and digest = $1 and embedder = $2 order by number desc limit 1`,
    [digest, plan.embedder],
  );
  if (begun[0]) return publicationOf(begun[0]);
  const { rows: last } = await sql.query<{ number: number }>(
    'select coalesce(max(number), 0)::int as number from policy_publications',
  );
  const number = Math.max((last[0]?.number ?? 0) + 1, plan.atLeast);
  await sql.query(
    `update policy_publications set state = 'abandoned' where state in ('building', 'checked')`,
  );
  const { build, record } = plan.names(number);
  const { rows } = await sql.query<Row>(
    `insert into policy_publications (number, state, build, record, digest, embedder, began_at)
          values ($1, 'building', $2, $3, $4, $5, $6) returning ${COLUMNS}`,
    [number, build, record, digest, plan.embedder, plan.at],
  );
  await sql.query(
    `insert into policy_publication_versions (shop_id, publication, doc_id, seq)
     ${plan.from === undefined ? AT_SOURCE : OF_PUBLICATION}`,
    plan.from === undefined ? [number] : [number, plan.from],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('A publication was not written.');
  return publicationOf(row);
}

const AT_SOURCE = 'select shop_id, $1::bigint, doc_id, seq from policy_versions where at_source';
const OF_PUBLICATION = `select shop_id, $1::bigint, doc_id, seq from policy_publication_versions where publication = $2`;

async function digestAt(sql: Sql): Promise<string> {
  return hashed(
    await sql.query<Named>(
      `select shop_id, doc_id, seq, content_hash from policy_versions where at_source order by shop_id, doc_id, seq`,
    ),
  );
}

async function digestOf(sql: Sql, number: number): Promise<string> {
  return hashed(
    await sql.query<Named>(
      `select v.shop_id, v.doc_id, v.seq, v.content_hash
         from policy_publication_versions p
         join policy_versions v on v.shop_id = p.shop_id and v.doc_id = p.doc_id and v.seq = p.seq
        where p.publication = $1 order by v.shop_id, v.doc_id, v.seq`,
      [number],
    ),
  );
}

type Named = {
  readonly shop_id: string;
  readonly doc_id: string;
  readonly seq: number;
  readonly content_hash: string;
};

function hashed({ rows }: { readonly rows: readonly Named[] }): string {
  const names = rows.map(({ shop_id, doc_id, seq, content_hash }) => [shop_id, doc_id, seq, content_hash]);
  return createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 12);
}

/** Only the live one is compared with, and there is no end to how many there were. */
const COLUMNS = `number, state, build, record, digest, embedder, began_at, live_at, ended_at,
                 case when state = 'live' then golden else '[]' end as golden`;

type Row = {
  readonly number: string;
  readonly state: PublicationState;
  readonly build: string;
  readonly record: string;
  readonly digest: string;
  readonly embedder: string;
  readonly golden: readonly GoldenResult[];
  readonly began_at: Date;
  readonly live_at: Date | null;
  readonly ended_at: Date | null;
};

function publicationOf({ number, began_at, live_at, ended_at, ...row }: Row): Publication {
  return {
    ...row,
    number: Number(number),
    beganAt: began_at.toISOString(),
    liveAt: live_at?.toISOString() ?? null,
    endedAt: ended_at?.toISOString() ?? null,
  };
}
