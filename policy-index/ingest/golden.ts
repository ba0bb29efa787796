import type { Embedder, PolicyFilter } from '../../domain/policies.ts';
import type { GoldenResult, PlannedPolicy, Publication } from '../../domain/policy-registry.ts';
import type { IngestDeps } from './deps.ts';

/** Of nDCG: what a new build may lose on average over the questions that both answer. */
const MOST_LOST = 0.01;
const DEPTH = 10;
const CITED = 5;

/** Asks the build every question that its documents say they answer. */
export async function askGolden(
  deps: IngestDeps,
  { build, number }: Publication,
): Promise<readonly GoldenResult[]> {
  const { index, embedders, registry } = deps;
  const moment = deps.moment();
  const versions = await registry.versionsOf(number, moment);
  const asked = versions.filter(
    ({ supersededAt, questions }) => supersededAt === null && questions.length > 0,
  );
  if (asked.length === 0) return [];
  const { fingerprint } = await index.info(build);
  const embedder = await embedders.reading(fingerprint, () => index.model(build));
  const results: GoldenResult[] = [];
  for (const version of asked)
    for (const question of version.questions)
      results.push(await ask(deps, build, embedder, version, question, moment.today));
  return results;
}

async function ask(
  { index, fusion }: IngestDeps,
  build: string,
  embedder: Embedder,
  version: PlannedPolicy,
  question: string,
  today: string,
): Promise<GoldenResult> {
  const [vector] = await embedder.embed([question]);
  const isKnown = vector?.some((value) => value !== 0) === true;
  const { hits } = await index.search(build, {
    text: question,
    ...(isKnown ? { embedding: { vector, embedder: embedder.fingerprint } } : {}),
    mode: isKnown ? 'hybrid' : 'bm25',
    fusion,
    filter: filterFor(version, today),
    k: DEPTH,
  });
  const { tenant, docId } = version;
  const documents = [...new Set(hits.map(({ chunk }) => chunk.docId))];
  const rank = documents.indexOf(docId) + 1;
  return {
    tenant,
    docId,
    question,
    ndcg: rank === 0 ? 0 : 1 / Math.log2(rank + 1),
    isCited: hits.slice(0, CITED).some(({ chunk }) => chunk.docId === docId),
  };
}

/** As its readers ask: on the first day on which it holds, or today. */
function filterFor(
  { tenant, audience, language, effectiveFrom }: PlannedPolicy,
  today: string,
): PolicyFilter {
  const isToCome = effectiveFrom !== null && Date.parse(effectiveFrom) > Date.parse(today);
  return {
    tenant,
    audiences: audience === 'staff' ? ['customer', 'staff'] : ['customer'],
    languages: [language],
    effectiveAt: isToCome ? effectiveFrom : today,
  };
}

/** Why the new build must not take the place of the old one, if it must not; questions that only one has do not count. */
export function worseThan(
  before: readonly GoldenResult[],
  results: readonly GoldenResult[],
): readonly string[] {
  const known = new Map(before.map((one) => [nameOf(one), one]));
  const pairs = results.flatMap((now) => {
    const was = known.get(nameOf(now));
    return was === undefined ? [] : [{ now, was }];
  });
  const lost = pairs
    .filter(({ now, was }) => was.isCited && !now.isCited)
    .map(
      ({ now }) =>
        `${now.tenant}/${now.docId} no longer answers one of its questions: ${JSON.stringify(now.question)}`,
    );
  const [old, fresh] = [mean(pairs.map(({ was }) => was.ndcg)), mean(pairs.map(({ now }) => now.ndcg))];
  return fresh < old - MOST_LOST
    ? [...lost, `nDCG@10 over ${pairs.length} questions fell from ${old.toFixed(3)} to ${fresh.toFixed(3)}`]
    : lost;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function nameOf({ tenant, docId, question }: GoldenResult): string {
  return JSON.stringify([tenant, docId, question]);
}
