import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { previewPolicies } from '../../adapters/postgres/policy-preview.ts';
import type { Corpus, PolicySource } from '../../domain/policy-source.ts';
import type { PolicySettings } from '../../platform/policy-settings.ts';
import { readCorpus } from '../../policy-index/read-corpus.ts';
import { bucketSource } from '../../policy-index/sources/bucket.ts';
import { folderSource } from '../../policy-index/sources/folder.ts';
import { type AddedVersion, changesOf, type DocumentChange } from '../policy-changes.ts';
import { printable } from '../printable.ts';
import { type PolicyDesk, plural, shopsOf, withPolicyDesk } from './policy-desk.ts';

type Options = { readonly shop?: string; readonly json?: true };

type Difference = {
  readonly source: string;
  readonly changes: readonly DocumentChange[];
  readonly unchanged: number;
  /** Names of files, and rules. */
  readonly problems: readonly { readonly key: string; readonly code: string; readonly message: string }[];
};

export function addDiff(policy: Command): void {
  policy
    .command('diff')
    .description('What the source holds against what is live. Nothing is published, and nothing is kept.')
    .option('--shop <id>', 'of one shop; default: of all')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      '\nExit code 3: something that the source holds cannot be published; the problems say what.',
    )
    .action(diff);
}

async function diff({ shop, json }: Options): Promise<void> {
  await withPolicyDesk(async (desk) => {
    const shops = await shopsOf(desk, shop);
    const found = await withSource(desk.settings.policies, (source) => compare(desk, source, shops, shop));
    process.stdout.write(json === true ? `${JSON.stringify(toWire(found))}\n` : printed(found));
    if (found.problems.length > 0) process.exitCode = 3;
  });
}

async function compare(
  { pools, registry }: PolicyDesk,
  source: PolicySource,
  shops: readonly string[],
  shop: string | undefined,
): Promise<Difference> {
  const corpus = await readCorpus(source);
  const previews = await Promise.all(
    shops.map((tenant) => previewPolicies(pools, tenant, corpus, new Date().toISOString())),
  );
  const changes = previews.flatMap(changesOf);
  const documents = new Set(previews.flat().map(({ tenant, docId }) => `${tenant}/${docId}`));
  return {
    source: source.description,
    changes,
    unchanged: documents.size - changes.length,
    problems: problemsOf(corpus, await registry.shops()).filter(
      ({ key }) => shop === undefined || key.startsWith(`${shop}/`),
    ),
  };
}

function problemsOf({ problems, chains }: Corpus, shops: readonly string[]): Difference['problems'] {
  const foreign = chains.filter(({ tenant }) => !shops.includes(tenant));
  return [
    ...problems.map(({ key, code, message }) => ({ key, code, message })),
    ...foreign.map(({ key, tenant }) => ({ key, code: 'no_shop', message: `There is no shop ${tenant}.` })),
  ];
}

/**
 * The configured source, to be looked at only. A folder's history is copied first: what an author is still writing must
 * not become a version of the document because somebody looked.
 */
async function withSource<T>(
  { source, historyFolder }: PolicySettings,
  work: (source: PolicySource) => Promise<T>,
): Promise<T> {
  if (source.kind === 'bucket') {
    const opened = bucketSource(source);
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  }
  const copy = await mkdtemp(join(tmpdir(), 'policy-diff-'));
  try {
    await cp(historyFolder, copy, { recursive: true, preserveTimestamps: true }).catch(unlessMissing);
    return await work(folderSource(source.folder, copy));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Nothing was read of the folder yet. */
function unlessMissing(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
  throw error;
}

function printed({ source, changes, unchanged, problems }: Difference): string {
  const count = (change: DocumentChange['change']) => changes.filter((one) => one.change === change).length;
  const totals = `${count('new')} new, ${count('changed')} changed, ${count('gone')} gone, ${unchanged} unchanged`;
  return [
    ...changes.flatMap(linesOf),
    ...problems.map(({ key, code, message }) => `${key}: ${code}: ${message}`),
    `${plural(changes.length + unchanged, 'document')} of ${source}: ${totals}; ${plural(problems.length, 'problem')}.`,
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function linesOf({ tenant, docId, change, added, lost }: DocumentChange): readonly string[] {
  const moved = change === 'changed' && added.length + lost.length === 0;
  return [
    `${tenant}/${docId}  ${change}${moved ? ': the same texts in another order' : ''}`,
    ...added.flatMap((one) => versionLines(one, change)),
    ...(lost.length === 0 ? [] : [`  no longer at the source: ${lost.join(', ')}`]),
    '',
  ];
}

/** A new document is shown by its size; everything in it is new. */
function versionLines(
  { docVersion, effectiveFrom, before, lines }: AddedVersion,
  change: DocumentChange['change'],
): readonly string[] {
  const since = effectiveFrom === null ? '' : `, holds from ${effectiveFrom}`;
  const head = `  ${docVersion}${since}${before === null ? '' : `, after ${before}`}`;
  if (change === 'new' && before === null) return [`${head}: ${plural(lines.length, 'line')}`];
  return [head, ...lines.map((line) => `  ${line}`)];
}

function toWire({ source, changes, unchanged, problems }: Difference) {
  return {
    source,
    documents: changes.map(({ tenant, docId, change, added, lost }) => ({
      shop: tenant,
      doc_id: docId,
      change,
      added: added.map((one) => ({
        doc_version: one.docVersion,
        effective_from: one.effectiveFrom,
        before: one.before,
        lines: one.lines,
      })),
      lost,
    })),
    unchanged,
    problems,
  };
}
