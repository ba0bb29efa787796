import { EmbedderError, PolicyIndexError, type PolicyIndex } from '../../domain/policies.ts';
import type { PolicyOutcome, PolicyRun, Publication } from '../../domain/policy-registry.ts';
import type { Corpus } from '../../domain/policy-source.ts';
import { chunkerFingerprint } from '../chunk.ts';
import { readCorpus } from '../read-corpus.ts';
import type { IngestDeps } from './deps.ts';

/** What a run has to do: a publication to make, or nothing, and why. */
export type Planned = { readonly publication: number | null; readonly outcome: PolicyOutcome | null };

/**
 * Reads the source, puts down what it holds, and decides whether that needs new builds. Everything it does may be
 * repeated: the same source gives the same publication.
 */
export async function planPolicies(deps: IngestDeps, run: PolicyRun): Promise<Planned> {
  if (run.publication !== null) return { publication: run.publication, outcome: null };
  const publications = await deps.registry.publications();
  const live = publications.find(({ state }) => state === 'live');
  return run.kind === 'rollback'
    ? back(deps, run, publications, live)
    : forward(deps, run, publications, live);
}

async function forward(
  deps: IngestDeps,
  run: PolicyRun,
  publications: readonly Publication[],
  live: Publication | undefined,
): Promise<Planned> {
  const { registry } = deps;
  const { at } = deps.moment();
  const [corpus, shops] = [await readCorpus(deps.source), await registry.shops()];
  const report: string[] = problemsOf(corpus, shops);
  if (!corpus.chains.some(({ tenant }) => shops.includes(tenant))) return nothing(deps, run, report, live);
  for (const tenant of shops) {
    const { added, gone } = await registry.stage(tenant, corpus, at);
    if (added + gone > 0) report.push(`${tenant}: new versions: ${added}, documents gone: ${gone}`);
  }
  await deps.runs.note(run.id, { report });
  const digest = await registry.digest();
  const isSame = live?.digest === digest && run.kind !== 'rebuild';
  if (isSame && (await isSound(deps, live)))
    return { publication: null, outcome: { status: 'unchanged', detail: [] } };
  const held = run.kind === 'sync' && !isSame ? heldBack(publications, live, digest) : undefined;
  if (held) return { publication: null, outcome: held };
  return { publication: await begin(deps, run, publications), outcome: null };
}

/** Nobody withdraws all policies at once; a folder that is not mounted looks just like that. */
async function nothing(
  deps: IngestDeps,
  run: PolicyRun,
  report: readonly string[],
  live: Publication | undefined,
): Promise<Planned> {
  await deps.runs.note(run.id, { report });
  const outcome: PolicyOutcome =
    live === undefined
      ? { status: 'unchanged', detail: ['the source holds no policies'] }
      : { status: 'refused', detail: ['the source holds no policies at all: is it the right one?'] };
  return { publication: null, outcome };
}

/** What was refused or taken back stays so until somebody asks for it, or the source says something else. */
function heldBack(
  publications: readonly Publication[],
  live: Publication | undefined,
  digest: string,
): PolicyOutcome | undefined {
  const later = publications.filter(
    ({ number, endedAt }) => number > (live?.number ?? 0) || endedAt === live?.liveAt,
  );
  const same = later.filter((one) => one.digest === digest);
  const refused = same.find(({ state }) => state === 'refused');
  if (refused) return { status: 'refused', detail: [`publication ${refused.number} was refused before`] };
  const withdrawn = same.find(({ state }) => state === 'withdrawn');
  if (withdrawn) return { status: 'held', detail: [`publication ${withdrawn.number} was withdrawn`] };
  return undefined;
}

async function back(
  deps: IngestDeps,
  run: PolicyRun,
  publications: readonly Publication[],
  live: Publication | undefined,
): Promise<Planned> {
  const target =
    run.target === null
      ? publications.findLast(({ state, number }) => state === 'replaced' && number < (live?.number ?? 0))
      : publications.find(({ number }) => number === run.target);
  if (target === undefined || target.liveAt === null)
    return { publication: null, outcome: failed('There is no such publication to go back to.') };
  if (target.number === live?.number)
    return { publication: null, outcome: { status: 'unchanged', detail: [`${target.number} is live`] } };
  return { publication: await begin(deps, run, publications, target), outcome: null };
}

async function begin(
  deps: IngestDeps,
  run: PolicyRun,
  publications: readonly Publication[],
  from?: Publication,
): Promise<number> {
  const { registry, index, embedders } = deps;
  const known = new Set(publications.flatMap(({ build, record }) => [build, record]));
  const builds = await index.builds();
  // A build of that name may be another installation's, or of a database that is no more.
  const taken = builds.filter(({ name }) => !known.has(name)).map(({ name }) => numberIn(name));
  const isReady = from !== undefined && (await isSound(deps, from));
  const { number } = await registry.begin({
    ...(from === undefined ? {} : { from: from.number }),
    embedder: embedders.description,
    at: deps.moment().at,
    atLeast: Math.max(0, ...taken) + 1,
    // Builds that are still there need not be made again.
    names: (next) => (isReady ? { build: from.build, record: from.record } : namesOf(next)),
  });
  await deps.runs.note(run.id, { publication: number });
  return number;
}

function namesOf(number: number) {
  const digits = String(number).padStart(6, '0');
  return { build: `policy-v${digits}`, record: `policy-record-v${digits}` };
}

function numberIn(name: string): number {
  return Number(/^policy-(?:record-)?v(\d{1,9})$/.exec(name)?.[1] ?? 0);
}

/** Its builds are there, and questions embedded today fit them. */
export async function isSound(deps: IngestDeps, { build, record }: Publication): Promise<boolean> {
  return (await isUsable(deps, build)) && (await isUsable(deps, record));
}

async function isUsable({ index, embedders }: IngestDeps, name: string): Promise<boolean> {
  const info = await infoOf(index, name);
  if (info?.state !== 'sealed' || info.fingerprint.chunker !== chunkerFingerprint(embedders.tokenizer))
    return false;
  try {
    await embedders.reading(info.fingerprint, () => index.model(name));
    return true;
  } catch (error) {
    // An embedder that is away for a while is no reason to embed everything anew.
    if (error instanceof EmbedderError) return true;
    if (error instanceof PolicyIndexError && error.problem !== 'unreachable') return false;
    throw error;
  }
}

async function infoOf(index: PolicyIndex, name: string) {
  try {
    return await index.info(name);
  } catch (error) {
    if (error instanceof PolicyIndexError && error.problem !== 'unreachable') return undefined;
    throw error;
  }
}

/** Names of files and rules; never what a document says. */
function problemsOf({ chains, problems }: Corpus, shops: readonly string[]): string[] {
  const foreign = chains.filter(({ tenant }) => !shops.includes(tenant));
  return [
    ...problems.map(({ key, code, message }) => `${key}: ${code}: ${message}`),
    ...foreign.map(({ key, tenant }) => `${key}: no_shop: there is no shop ${tenant}`),
  ];
}

function failed(why: string): PolicyOutcome {
  return { status: 'failed', detail: [why] };
}
