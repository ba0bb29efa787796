import type { StandingPolicy } from '../../domain/policy-answers.ts';

/** Which version it is, as every answer names it. From the stored version, never from the index. */
export function versionOf(policy: StandingPolicy) {
  return {
    doc_id: policy.docId,
    doc_version: policy.docVersion,
    title: policy.title,
    source_url: policy.sourceUrl,
    kind: policy.kind,
    language: policy.language,
    audience: policy.audience,
    effective_from: policy.effectiveFrom,
    effective_to: policy.effectiveTo,
    verified_at: new Date(policy.verifiedAt).toISOString(),
  };
}
