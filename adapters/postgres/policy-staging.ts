import type { Staged } from '../../domain/policy-registry.ts';
import type { Corpus, PolicyChain, PublishedVersion } from '../../domain/policy-source.ts';
import type { Sql } from './pools.ts';

/** Puts down what the source holds of one shop, within a transaction of that shop. */
export async function stagePolicies(sql: Sql, tenant: string, corpus: Corpus, at: string): Promise<Staged> {
  // Two readings of one shop, one after the other.
  await sql.query(`select pg_advisory_xact_lock(hashtextextended('policies:' || $1, 0))`, [tenant]);
  const chains = corpus.chains.filter((one) => one.tenant === tenant);
  let added = 0;
  let verified = 0;
  for (const chain of chains) {
    const staged = await stageChain(sql, tenant, chain, at);
    added += staged.added;
    await standAt(sql, chain.docId, staged.seqs);
    if (chain.isBroken) continue;
    verified += 1;
    await sql.query(
      `update policy_versions set verified_at = greatest(verified_at, $3) where doc_id = $1 and seq = any($2)`,
      [chain.docId, staged.seqs, at],
    );
  }
  // A file with a problem has not been deleted: what it said before stays, and grows stale.
  const { rows } = await sql.query(
    `with gone as (
       update policy_versions v set at_source = false from policy_documents d
        where d.doc_id = v.doc_id and v.at_source and d.doc_id <> all($1) and d.source_key <> all($2)
       returning v.doc_id)
     select distinct doc_id from gone`,
    [chains.map(({ docId }) => docId), corpus.problems.map(({ key }) => key)],
  );
  return { added, gone: rows.length, verified };
}

type Known = { readonly seq: number; readonly content_hash: string };

async function stageChain(sql: Sql, tenant: string, chain: PolicyChain, at: string) {
  await sql.query(
    `insert into policy_documents (shop_id, doc_id, source_key) values ($1, $2, $3)
         on conflict (shop_id, doc_id) do update set source_key = excluded.source_key
                                             where policy_documents.source_key <> excluded.source_key`,
    [tenant, chain.docId, chain.key],
  );
  const { rows: known } = await sql.query<Known>(
    'select seq, content_hash from policy_versions where doc_id = $1 order by seq',
    [chain.docId],
  );
  const seqs: number[] = [];
  let next = (known.at(-1)?.seq ?? 0) + 1;
  let added = 0;
  for (const [place, seq] of placesOf(chain, known).entries()) {
    seqs.push(seq ?? next);
    const version = chain.versions[place];
    if (seq !== undefined || version === undefined) continue;
    await insertVersion(sql, tenant, version, next, at);
    next += 1;
    added += 1;
  }
  return { added, seqs };
}

/**
 * The sequence of each version of the chain that is known. A version's successor has a higher sequence, always: from
 * the first on that is not known, all are new.
 */
function placesOf(
  { versions, isBroken }: PolicyChain,
  known: readonly Known[],
): readonly (number | undefined)[] {
  const hashes = versions.map(hashOf);
  const newestFirst = matched(hashes.toReversed(), known.toReversed()).toReversed();
  const places = newestFirst.includes(undefined) ? matched(hashes, known) : newestFirst;
  // What stands now stands above all that ever stood, also a text that came back.
  const isBack = !isBroken && places.at(-1) !== known.at(-1)?.seq;
  return isBack ? [...places.slice(0, -1), undefined] : places;
}

/** Each in turn, in the order of `known`; after the first that is not found, none is. */
function matched(hashes: readonly string[], known: readonly Known[]): readonly (number | undefined)[] {
  let from = 0;
  return hashes.map((hash) => {
    const found = known.findIndex(({ content_hash: own }, place) => place >= from && own === hash);
    from = found === -1 ? Infinity : found + 1;
    return known[found]?.seq;
  });
}

async function standAt(sql: Sql, docId: string, seqs: readonly number[]): Promise<void> {
  await sql.query(
    `update policy_versions set at_source = (seq = any($2))
      where doc_id = $1 and at_source <> (seq = any($2))`,
    [docId, seqs],
  );
}

async function insertVersion(
  sql: Sql,
  tenant: string,
  { document, ownEnd, questions }: PublishedVersion,
  seq: number,
  at: string,
): Promise<void> {
  const { docId, title, sourceUrl, kind, audience, language, effectiveFrom, text } = document;
  await sql.query(
    `insert into policy_versions (shop_id, doc_id, seq, content_hash, title, source_url, kind, audience, language,
                                  effective_from, own_end, questions, body, verified_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      tenant,
      docId,
      seq,
      hashOf({ document }),
      title,
      sourceUrl,
      kind,
      audience,
      language,
      effectiveFrom,
      ownEnd,
      JSON.stringify(questions),
      text,
      at,
    ],
  );
}

function hashOf({ document: { docVersion } }: Pick<PublishedVersion, 'document'>): string {
  return docVersion.slice(docVersion.indexOf('-') + 1);
}
