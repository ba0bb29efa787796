import type {
  Corpus,
  PolicyChain,
  PolicyProblem,
  PolicySource,
  PublishedVersion,
  StoredVersion,
} from '../domain/policy-source.ts';
import { chainOf } from './chain.ts';
import { placeOf, type Candidate } from './places.ts';
import { DocumentProblem, MOST_BYTES, readDocument } from './read-document.ts';

/**
 * Reads all that a source holds: every document with its versions in order, and one problem for each version that
 * cannot be published. What is wrong with one document is no business of the others.
 *
 * @throws {PolicySourceError} when the source does not answer.
 */
export async function readCorpus(source: PolicySource): Promise<Corpus> {
  const stored = (await source.versions()).filter(({ key }) => placeOf(key) !== undefined);
  const live = new Set(stored.filter(({ isLatest }) => isLatest).map(({ key }) => key));
  const problems: PolicyProblem[] = [];
  const candidates: Candidate[] = [];
  for (const version of stored.filter((one) => isWanted(one, live))) {
    const candidate = await read(source, version);
    if ('code' in candidate) problems.push(candidate);
    else candidates.push(candidate);
  }
  const chains = families(candidates, problems).flatMap((family) => toChain(family, problems));
  return { chains: chains.toSorted((a, b) => compare(nameOf(a), nameOf(b))), problems };
}

/** A version read again from its source, for a quotation to be checked against; undefined when it is gone. */
export async function readPublished(
  source: PolicySource,
  version: Pick<PublishedVersion, 'key' | 'versionId'>,
): Promise<string | undefined> {
  const bytes = await source.read(version);
  if (bytes === undefined) return undefined;
  try {
    return readDocument(bytes).visible.text;
  } catch (error) {
    if (error instanceof DocumentProblem) return undefined;
    throw error;
  }
}

/** All that a live file ever said, and what an archived one says now. */
function isWanted({ key, isLatest }: StoredVersion, live: ReadonlySet<string>): boolean {
  return placeOf(key)?.archived === undefined ? live.has(key) : isLatest;
}

async function read(source: PolicySource, stored: StoredVersion): Promise<Candidate | PolicyProblem> {
  const problem = (code: PolicyProblem['code'], message: string): PolicyProblem => ({
    key: stored.key,
    versionId: stored.versionId,
    code,
    message,
  });
  if (stored.bytes > MOST_BYTES)
    return problem('too_large', `A policy has at most ${MOST_BYTES / 1024} KiB.`);
  const bytes = await source.read(stored);
  if (bytes === undefined) return problem('gone', 'It was listed, and was gone when it was read.');
  try {
    const document = readDocument(bytes);
    const place = placeOf(stored.key);
    if (place?.tenant !== document.front.tenant)
      return problem('other_tenant', 'Its front matter names another tenant than its folder.');
    if (place.archived !== undefined && place.archived !== document.front.id)
      return problem('other_id', 'Its front matter names another document than its folder.');
    return { stored, document, isArchived: place.archived !== undefined };
  } catch (error) {
    if (error instanceof DocumentProblem) return problem(error.code, error.message);
    throw error;
  }
}

type Family = { readonly key: string; readonly members: readonly Candidate[] };

/** Candidates by tenant and id. An id belongs to the live file that had it first. */
function families(candidates: readonly Candidate[], problems: PolicyProblem[]): readonly Family[] {
  const byId = new Map<string, Candidate[]>();
  for (const one of candidates) byId.set(idOf(one), [...(byId.get(idOf(one)) ?? []), one]);
  const saysNow = new Map(candidates.filter(isLive).map((one) => [one.stored.key, idOf(one)]));
  return [...byId].flatMap(([id, all]) => {
    // A file that names another document now has left this one.
    const live = all.filter((one) => isLive(one) && saysNow.get(one.stored.key) === id);
    const key = live.toSorted(byAge)[0]?.stored.key;
    // Deleting the file withdraws the document, whatever is archived of it.
    if (key === undefined) return [];
    problems.push(...live.filter(({ stored }) => stored.key !== key).map(duplicate));
    return [
      {
        key,
        members: [
          ...all.filter(({ isArchived }) => isArchived),
          ...live.filter((one) => one.stored.key === key),
        ],
      },
    ];
  });
}

function toChain({ key, members }: Family, problems: PolicyProblem[]): readonly PolicyChain[] {
  const { versions, found } = chainOf(members);
  problems.push(...found);
  const [first, ...later] = versions;
  if (first === undefined) return [];
  const latest = members.find((one) => isLive(one) && one.stored.isLatest)?.stored.versionId;
  const isBroken =
    latest === undefined || problems.some((one) => one.key === key && one.versionId === latest);
  const { tenant, docId } = first.document;
  return [{ key, tenant, docId, versions: [first, ...later], isBroken }];
}

function duplicate({ stored }: Candidate): PolicyProblem {
  const message = 'Another file of the tenant has this id already.';
  return { key: stored.key, versionId: stored.versionId, code: 'duplicate_id', message };
}

function idOf({ document: { front } }: Candidate): string {
  return `${front.tenant}/${front.id}`;
}

function nameOf({ tenant, docId }: PolicyChain): string {
  return `${tenant}/${docId}`;
}

function isLive({ isArchived }: Candidate): boolean {
  return !isArchived;
}

function byAge({ stored: a }: Candidate, { stored: b }: Candidate): number {
  return compare(a.storedAt, b.storedAt) || compare(a.key, b.key);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
