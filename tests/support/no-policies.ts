import { PolicyIndexError } from '../../domain/policies.ts';
import type { PolicyFinder, PolicyVersions } from '../../domain/policy-answers.ts';

/** Where no policies are published: every question is refused as one that cannot be looked up. */
export function noPolicies(): { readonly finder: PolicyFinder; readonly versions: PolicyVersions } {
  const none = () => Promise.reject(new PolicyIndexError('no_build', 'No policies are published here.'));
  return {
    finder: { build: none, find: none, suspicion: () => 0, suspicious: 1 },
    versions: { find: async () => undefined, list: async () => [] },
  };
}
