import { PolicyIndexError, type PolicyIndex, type VersionKey } from '../../domain/policies.ts';
import type { PlannedPolicy, PolicyOutcome, PolicyRun, Publication } from '../../domain/policy-registry.ts';
import { POLICY_ALIAS, RECORD_ALIAS, type IngestDeps } from './deps.ts';
import { askGolden, worseThan } from './golden.ts';

/** Questions before it goes live: null, or why it does not. A repeat asks again. */
export async function checkPolicies(
  deps: IngestDeps,
  run: PolicyRun,
  publication: Publication,
): Promise<PolicyOutcome | null> {
  const { registry } = deps;
  const results = await askGolden(deps, publication);
  const live = (await registry.publications()).find(({ state }) => state === 'live');
  const reasons =
    run.kind === 'accept' || run.kind === 'rollback' ? [] : worseThan(live?.golden ?? [], results);
  if (reasons.length > 0) {
    await registry.refuse(publication.number, results);
    return { status: 'refused', detail: reasons };
  }
  await registry.release(publication.number, results, deps.moment().at);
  return null;
}

/**
 * The aliases move, each in one step, and what is replaced is superseded. Asked meanwhile, somebody is answered by the
 * one or the other; from its end on by the new one alone.
 */
export async function publishPolicies(
  deps: IngestDeps,
  run: PolicyRun,
  publication: Publication,
): Promise<void> {
  const { registry, index } = deps;
  const moment = deps.moment();
  if (publication.state !== 'checked' && publication.state !== 'live')
    throw new PolicyIndexError('bad_query', `Publication ${publication.number} was not checked.`);
  await stand(deps, publication.build, await registry.versionsOf(publication.number, moment));
  await point(index, POLICY_ALIAS, publication.build);
  await point(index, RECORD_ALIAS, publication.record);
  await registry.publish(publication.number, moment, run.kind === 'rollback');
}

/**
 * Brings index and registry to what time has made of the live publication: versions whose successor holds by now are
 * superseded, and what was superseded for long enough is deleted. Answers with the milliseconds until the next such
 * change, if there is one to come.
 */
export async function settlePolicies(deps: IngestDeps): Promise<number | null> {
  const { registry, index } = deps;
  const publications = await registry.publications();
  const live = publications.find(({ state }) => state === 'live');
  if (live === undefined) return null;
  const moment = deps.moment();
  const versions = await registry.versionsOf(live.number, moment);
  await stand(deps, live.build, versions);
  // Somebody may have moved them from outside.
  await point(index, POLICY_ALIAS, live.build);
  await point(index, RECORD_ALIAS, live.record);
  await registry.publish(live.number, moment, false);
  const now = Date.parse(moment.at);
  const dues = [
    ...(await deleteSuperseded(deps, live, now)),
    ...(await dropBuilds(deps, publications, live, now)),
    ...toCome(versions, moment.today),
  ];
  return dues.length === 0 ? null : Math.max(Math.min(...dues), 0);
}

async function point(index: PolicyIndex, alias: string, to: string): Promise<void> {
  const [current, ...others] = await index.resolveAlias(alias);
  if (others.length > 0) await index.mendAlias(alias, to);
  else if (current !== to) await index.pointAlias(alias, to, current);
}

/** What the registry says of each version, said to the build. */
async function stand(deps: IngestDeps, build: string, versions: readonly PlannedPolicy[]): Promise<void> {
  const { index } = deps;
  const inBuild = new Map((await index.versions(build)).map((one) => [keyOf(one), one]));
  const present = versions.flatMap((version) => {
    const known = inBuild.get(keyOf(version));
    return known === undefined ? [] : [{ version, known }];
  });
  const seen = present.filter(
    ({ version, known }) => Date.parse(version.verifiedAt) > Date.parse(known.verifiedAt),
  );
  for (const [at, some] of grouped(seen, ({ version }) => version.verifiedAt))
    await index.verify(
      build,
      some.map(({ version }) => version),
      at,
    );
  const replaced = present.filter(
    ({ version, known }) => version.supersededAt !== null && known.supersededAt === null,
  );
  for (const [at, some] of grouped(replaced, ({ version }) => version.supersededAt ?? ''))
    await index.supersede(
      build,
      some.map(({ version }) => version),
      at,
    );
}

/** From the build that answers. Those that it never held are marked, too. */
async function deleteSuperseded(
  { registry, index, supersededMs }: IngestDeps,
  { build }: Publication,
  now: number,
): Promise<readonly number[]> {
  const superseded = await registry.superseded();
  const isDue = ({ supersededAt }: { readonly supersededAt: string }) =>
    Date.parse(supersededAt) + supersededMs <= now;
  const due = superseded.filter(isDue);
  if (due.length > 0) {
    await index.remove(build, due);
    await registry.removed(due, new Date(now).toISOString());
  }
  return superseded
    .filter((one) => !isDue(one))
    .map(({ supersededAt }) => Date.parse(supersededAt) + supersededMs - now);
}

/** Builds of publications that ended long enough ago, or never were live. Builds of nobody we know are left alone. */
async function dropBuilds(
  { index, supersededMs }: IngestDeps,
  publications: readonly Publication[],
  live: Publication,
  now: number,
): Promise<readonly number[]> {
  const present = new Set((await index.builds()).map(({ name }) => name));
  const kept = new Set([live.build, live.record]);
  const waits: number[] = [];
  const isEnded = ({ state }: Publication) => state !== 'live' && state !== 'building' && state !== 'checked';
  for (const one of publications.filter(({ state }) => state === 'building' || state === 'checked'))
    for (const name of [one.build, one.record]) kept.add(name);
  for (const one of publications.filter(isEnded)) {
    const wait = one.endedAt === null ? 0 : Date.parse(one.endedAt) + supersededMs - now;
    const names = [one.build, one.record].filter((name) => present.has(name) && !kept.has(name));
    if (wait > 0 && names.length > 0) {
      waits.push(wait);
      for (const name of names) kept.add(name);
    }
  }
  for (const one of publications.filter(isEnded))
    for (const name of [one.build, one.record])
      if (present.has(name) && !kept.has(name)) await index.drop(name);
  return waits;
}

/** Days on which a version begins to hold that does not hold yet. */
function toCome(versions: readonly PlannedPolicy[], today: string): readonly number[] {
  return versions
    .map(({ effectiveFrom }) => (effectiveFrom === null ? 0 : Date.parse(effectiveFrom) - Date.parse(today)))
    .filter((wait) => wait > 0);
}

function grouped<T>(all: readonly T[], by: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}

function keyOf({ tenant, docId, docVersion }: VersionKey): string {
  return JSON.stringify([tenant, docId, docVersion]);
}
