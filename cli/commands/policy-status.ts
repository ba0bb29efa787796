import type { Command } from 'commander';
import { type BuildInfo, PolicyIndexError } from '../../domain/policies.ts';
import { isFresh } from '../../domain/policy-answers.ts';
import type { GoldenResult, PolicyRun, Publication } from '../../domain/policy-registry.ts';
import { openPolicyIndex } from '../../policy-index/open-index.ts';
import { printable } from '../printable.ts';
import { type PolicyDesk, plural, withPolicyDesk } from './policy-desk.ts';
import { runToWire } from './policy-run.ts';

const SHOWN = 8;

type Status = {
  readonly live: Publication | undefined;
  readonly publications: readonly Publication[];
  readonly documents: Documents;
  readonly index: {
    readonly where: string;
    readonly builds: readonly BuildInfo[];
    readonly problem?: string;
  };
  readonly runs: readonly PolicyRun[];
};

type Documents = {
  readonly standing: number;
  readonly stale: number;
  /** When the one that was longest not seen was last seen at its source. */
  readonly oldestVerifiedAt: string | null;
};

export function addStatus(policy: Command): void {
  policy
    .command('status')
    .description('What is live, since when it was confirmed, and how the last runs ended.')
    .option('--json', 'print as JSON')
    .action(status);
}

async function status({ json }: { readonly json?: true }): Promise<void> {
  await withPolicyDesk(async (desk) => {
    const publications = (await desk.registry.publications()).toReversed();
    const found: Status = {
      live: publications.find(({ state }) => state === 'live'),
      publications: publications.slice(0, SHOWN),
      documents: await documentsOf(desk),
      index: await indexOf(desk),
      runs: await desk.runs.latest(SHOWN),
    };
    process.stdout.write(json === true ? `${JSON.stringify(toWire(found))}\n` : printed(found));
  });
}

async function documentsOf({ registry }: PolicyDesk): Promise<Documents> {
  const shops = await registry.shops();
  const listed = (await Promise.all(shops.map((shop) => registry.list(shop)))).flat();
  const standing = listed.filter(({ supersededAt }) => supersededAt === null);
  const [oldest] = standing.map(({ verifiedAt }) => verifiedAt).toSorted();
  return {
    standing: standing.length,
    stale: standing.filter((policy) => !isFresh(policy, Date.now())).length,
    oldestVerifiedAt: oldest ?? null,
  };
}

async function indexOf({ settings }: PolicyDesk): Promise<Status['index']> {
  const { opensearchUrl: url, policies } = settings;
  const index = openPolicyIndex(url, policies.indexFolder);
  // An address may hold a password.
  const where = url === undefined ? `folder ${policies.indexFolder}` : `OpenSearch at ${new URL(url).host}`;
  try {
    return { where, builds: await index.builds() };
  } catch (error) {
    if (!(error instanceof PolicyIndexError)) throw error;
    return { where, builds: [], problem: error.message };
  } finally {
    await index.close();
  }
}

function printed({ live, publications, documents, index, runs }: Status): string {
  return [
    live === undefined
      ? 'Nothing is live: countersign policy ingest'
      : `Live is publication ${live.number} since ${live.liveAt ?? live.beganAt}, embedded by ${live.embedder}.`,
    ...(live === undefined || live.golden.length === 0 ? [] : [goldenLine(live.golden)]),
    documentsLine(documents),
    '',
    `Builds in ${index.where}:`,
    ...(index.problem === undefined ? [] : [`  cannot be read: ${index.problem}`]),
    ...index.builds.map(buildLine),
    '',
    'Publications, the newest first:',
    ...publications.map(publicationLine),
    '',
    'Runs, the newest first:',
    ...runs.flatMap(runLines),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function goldenLine(golden: readonly GoldenResult[]): string {
  const { asked, cited, ndcg } = goldenOf(golden);
  return `Of ${plural(asked, 'question')} that the documents say they answer, ${cited} find them among the first five (nDCG@10 ${ndcg.toFixed(3)}).`;
}

function goldenOf(golden: readonly GoldenResult[]) {
  const sum = golden.reduce((total, { ndcg }) => total + ndcg, 0);
  return {
    asked: golden.length,
    cited: golden.filter(({ isCited }) => isCited).length,
    ndcg: golden.length === 0 ? 0 : sum / golden.length,
  };
}

function documentsLine({ standing, stale, oldestVerifiedAt }: Documents): string {
  if (oldestVerifiedAt === null) return 'No version stands.';
  const late = stale === 0 ? 'none is stale' : `${stale} of them STALE`;
  return `${plural(standing, 'version')} stand, ${late}; each was seen at its source at ${oldestVerifiedAt} or later.`;
}

function buildLine({ name, state, chunks, aliases, fingerprint }: BuildInfo): string {
  const names = aliases.length === 0 ? '' : `  ← ${aliases.join(', ')}`;
  return `  ${name}  ${plural(chunks, 'chunk')}, ${state}, ${fingerprint.embedder}${names}`;
}

function publicationLine({ number, state, build, liveAt, endedAt, beganAt }: Publication): string {
  const when = liveAt === null ? `begun ${beganAt}` : `live since ${liveAt}`;
  return `  ${number}  ${state}, ${when}${endedAt === null ? '' : ` until ${endedAt}`}, ${build}`;
}

function runLines({ id, requestedBy, requestedAt, outcome, progress }: PolicyRun): readonly string[] {
  const stands = outcome === null ? `open${progress === '' ? '' : ` (${progress})`}` : outcome.status;
  return [
    `  ${requestedAt}  ${id}  by ${requestedBy}: ${stands}`,
    ...(outcome?.detail ?? []).map((line) => `    ${line}`),
  ];
}

function toWire({ live, publications, documents, index, runs }: Status) {
  return {
    live: live === undefined ? null : { ...publicationToWire(live), golden: goldenOf(live.golden) },
    versions: {
      standing: documents.standing,
      stale: documents.stale,
      oldest_verified_at: documents.oldestVerifiedAt,
    },
    index: {
      where: index.where,
      ...(index.problem === undefined ? {} : { problem: index.problem }),
      builds: index.builds.map(({ name, state, chunks, aliases, fingerprint, createdAt }) => ({
        name,
        state,
        chunks,
        aliases,
        embedder: fingerprint.embedder,
        created_at: createdAt,
      })),
    },
    publications: publications.map(publicationToWire),
    runs: runs.map(runToWire),
  };
}

function publicationToWire(one: Publication) {
  return {
    number: one.number,
    state: one.state,
    build: one.build,
    record: one.record,
    digest: one.digest,
    embedder: one.embedder,
    began_at: one.beganAt,
    live_at: one.liveAt,
    ended_at: one.endedAt,
  };
}
