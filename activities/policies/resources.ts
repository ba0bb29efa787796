import type { ResourceBodies } from '../../catalog/index.ts';
import type { PolicyFinder, PolicyVersions, StandingPolicy } from '../../domain/policy-answers.ts';
import type { Caller } from '../../domain/principal.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type Clocks, readingOf } from './reading.ts';
import { mayBeQuoted, type Reading } from './verify-passages.ts';
import { versionOf } from './version-of.ts';

type Parts = Clocks & {
  readonly finder: Pick<PolicyFinder, 'suspicion' | 'suspicious'>;
  readonly versions: PolicyVersions;
};

/** `policy://returns/current`: what holds now, straight from the stored versions. */
export function policyOfKind(parts: Parts): ResourceBodies['policy_of_kind'] {
  return async ({ caller, input: { kind } }) => {
    const { reading, policies } = await holding(parts, caller);
    const documents = policies.filter((policy) => policy.kind === kind);
    if (documents.length === 0) throw notFound();
    return { kind, documents: documents.map((one) => whole(parts, one)), ...about(reading) };
  };
}

export function policyDocument(parts: Parts): ResourceBodies['policy_document'] {
  return async ({ caller, input }) => one(parts, caller, input.doc_id);
}

export function policyDocumentAsOf(parts: Parts): ResourceBodies['policy_document_as_of'] {
  return async ({ caller, input }) => one(parts, caller, input.doc_id, input.as_of);
}

export function policyVersion(parts: Parts): ResourceBodies['policy_version'] {
  return async ({ caller, input }) => {
    const reading = readingOf(caller, undefined, parts);
    const { doc_id: docId, doc_version: docVersion } = input;
    const policy = await parts.versions.find({ tenant: caller.tenant, docId, docVersion });
    if (policy === undefined || !reading.audiences.includes(policy.audience)) throw notFound();
    const supersededAt = policy.supersededAt;
    return {
      document: whole(parts, policy),
      superseded_at: supersededAt === null ? null : new Date(supersededAt).toISOString(),
      ...about(reading),
    };
  };
}

export function policyDocuments(parts: Parts): ResourceBodies['policy_documents'] {
  return async ({ caller }) => {
    const { reading, policies } = await holding(parts, caller);
    return { documents: policies.map(versionOf), ...about(reading) };
  };
}

async function one(parts: Parts, caller: Caller, docId: string, asOf?: string) {
  const { reading, policies } = await holding(parts, caller, asOf);
  const policy = policies.find((each) => each.docId === docId);
  if (policy === undefined) throw notFound();
  return { document: whole(parts, policy), ...about(reading) };
}

async function holding(parts: Parts, caller: Caller, asOf?: string) {
  const reading = readingOf(caller, asOf, parts);
  const all = await parts.versions.list(caller.tenant);
  const policies = all
    .filter((policy) => mayBeQuoted(policy, reading))
    .toSorted((a, b) => (a.docId < b.docId ? -1 : 1));
  return { reading, policies };
}

function whole({ finder }: Parts, policy: StandingPolicy) {
  const worst = Math.max(...policy.text.split(/\n{2,}/).map((passage) => finder.suspicion(passage)));
  return { ...versionOf(policy), text: policy.text, flagged: worst >= finder.suspicious };
}

function about({ atMs }: Reading) {
  return { as_of: new Date(atMs).toISOString(), source: 'policy_documents' as const };
}

/** One answer for what is not there, what is not for this reader and what another shop has. */
function notFound(): Refusal {
  return new Refusal('not_found', 'There is no such policy, or it is not yours to read.');
}
