import type { Command } from 'commander';
import { holdsAt, isFresh, type StandingPolicy } from '../../domain/policy-answers.ts';
import { printable } from '../printable.ts';
import { businessNowMs, shopsOf, withPolicyDesk } from './policy-desk.ts';

type Options = { readonly shop?: string; readonly all?: true; readonly json?: true };

export function addList(policy: Command): void {
  policy
    .command('list')
    .description('The documents that are published, and which of their versions stand.')
    .option('--shop <id>', 'of one shop; default: of all')
    .option('--all', 'also the versions that were replaced, and documents that were withdrawn')
    .option('--json', 'print as JSON')
    .action(list);
}

type Stands = 'in force' | 'to come' | 'ended' | 'replaced' | 'withdrawn';

async function list({ shop, all, json }: Options): Promise<void> {
  await withPolicyDesk(async (desk) => {
    const shops = await shopsOf(desk, shop);
    const nowMs = businessNowMs(desk);
    const ofShops = async (read: (tenant: string) => Promise<readonly StandingPolicy[]>) =>
      (await Promise.all(shops.map(read))).flat();
    const listed = (await ofShops((one) => desk.registry.list(one))).map((policy) =>
      rowOf(policy, standsOf(policy, nowMs)),
    );
    const rows =
      all === true
        ? [
            ...listed,
            ...(await ofShops((one) => desk.registry.withdrawn(one))).map((policy) =>
              rowOf(policy, 'withdrawn'),
            ),
          ].toSorted(byName)
        : listed.filter(({ stands }) => stands !== 'replaced');
    process.stdout.write(json === true ? `${JSON.stringify(rows.map(toWire))}\n` : printed(rows));
  });
}

type Row = { readonly policy: StandingPolicy; readonly stands: Stands; readonly isStale: boolean };

function rowOf(policy: StandingPolicy, stands: Stands): Row {
  return { policy, stands, isStale: !isFresh(policy, Date.now()) };
}

/** Documents by shop and id; the order of their versions stays. */
function byName({ policy: one }: Row, { policy: other }: Row): number {
  const [a, b] = [`${one.tenant}/${one.docId}`, `${other.tenant}/${other.docId}`];
  return a < b ? -1 : Number(a > b);
}

function standsOf(policy: StandingPolicy, nowMs: number): Stands {
  if (policy.supersededAt !== null) return 'replaced';
  if (holdsAt(policy, nowMs)) return 'in force';
  return policy.effectiveFrom !== null && Date.parse(policy.effectiveFrom) > nowMs ? 'to come' : 'ended';
}

function printed(rows: readonly Row[]): string {
  if (rows.length === 0) return 'Nothing is published: countersign policy ingest\n';
  return rows.map((row, place) => `${headOf(row, rows[place - 1])}${line(row)}`).join('');
}

function headOf({ policy }: Row, before: Row | undefined): string {
  const { tenant, docId, title, audience, language, sourceUrl } = policy;
  if (before?.policy.docId === docId && before.policy.tenant === tenant) return '';
  return `${tenant}/${docId}  ${printable(title)}  ${audience}, ${language}  ${sourceUrl}\n`;
}

function line({ policy, stands, isStale: stale }: Row): string {
  const { docVersion, effectiveFrom, effectiveTo, verifiedAt, supersededAt } = policy;
  const from = effectiveFrom === null ? '' : ` from ${effectiveFrom}`;
  const to = effectiveTo === null ? '' : ` until ${effectiveTo}`;
  if (supersededAt !== null) return `  ${docVersion}  ${stands} ${supersededAt}, held${from}${to}\n`;
  const seen = `${stale ? 'STALE: last ' : ''}seen at its source ${verifiedAt}`;
  return `  ${docVersion}  ${stands}${from}${to}  ${seen}\n`;
}

function toWire({ policy, stands, isStale: stale }: Row) {
  return {
    shop: policy.tenant,
    doc_id: policy.docId,
    doc_version: policy.docVersion,
    title: policy.title,
    source_url: policy.sourceUrl,
    kind: policy.kind,
    audience: policy.audience,
    language: policy.language,
    stands: stands.replace(' ', '_'),
    effective_from: policy.effectiveFrom,
    effective_to: policy.effectiveTo,
    verified_at: policy.verifiedAt,
    stale,
    superseded_at: policy.supersededAt,
  };
}
