import type { PolicyDocument } from '../../domain/policies.ts';
import type { Corpus } from '../../domain/policy-source.ts';
import { docVersionOf } from '../../domain/policy-standing.ts';
import { inTenant, type Pools } from './pools.ts';
import { stagePolicies } from './policy-staging.ts';

/** A version as the registry would hold it after a reading, and whether it is a part of what is live. */
export type PreviewedPolicy = Omit<PolicyDocument, 'effectiveTo'> & {
  /** As its own text says; null: until further notice. */
  readonly ownEnd: string | null;
  readonly questions: readonly string[];
  readonly isAtSource: boolean;
  readonly isLive: boolean;
};

/**
 * What the registry would hold of the shop after a reading of the source: by document, oldest version first. It is put
 * down as a reading puts it down, and taken back.
 */
export function previewPolicies(
  { write }: Pick<Pools, 'write'>,
  tenant: string,
  corpus: Corpus,
  at: string,
): Promise<readonly PreviewedPolicy[]> {
  return inTenant(write, tenant, async (sql) => {
    await sql.query('savepoint preview');
    await stagePolicies(sql, tenant, corpus, at);
    const { rows } = await sql.query<Row>(
      `select shop_id, doc_id, seq, content_hash, title, source_url, kind, audience, language, effective_from,
              own_end, questions, body, at_source, is_listed
         from policy_versions where at_source or is_listed order by doc_id, seq`,
    );
    await sql.query('rollback to savepoint preview');
    return rows.map(previewOf);
  });
}

type Row = {
  readonly shop_id: string;
  readonly doc_id: string;
  readonly seq: number;
  readonly content_hash: string;
  readonly title: string;
  readonly source_url: string;
  readonly kind: string;
  readonly audience: PolicyDocument['audience'];
  readonly language: string;
  readonly effective_from: string | null;
  readonly own_end: string | null;
  readonly questions: readonly string[];
  readonly body: string;
  readonly at_source: boolean;
  readonly is_listed: boolean;
};

function previewOf(row: Row): PreviewedPolicy {
  return {
    tenant: row.shop_id,
    docId: row.doc_id,
    docVersion: docVersionOf(row.seq, row.content_hash),
    title: row.title,
    sourceUrl: row.source_url,
    kind: row.kind,
    audience: row.audience,
    language: row.language,
    effectiveFrom: row.effective_from,
    ownEnd: row.own_end,
    questions: row.questions,
    text: row.body,
    isAtSource: row.at_source,
    isLive: row.is_listed,
  };
}
