import type { EmbedderChoice, Fusion, PolicyIndex } from '../../domain/policies.ts';
import type { PolicyRegistry, PolicyRuns } from '../../domain/policy-registry.ts';
import type { PolicySource } from '../../domain/policy-source.ts';
import type { Moment } from '../../domain/policy-standing.ts';

/** The name that points to the build which answers by what holds now. */
export const POLICY_ALIAS = 'policy';
/** The name that points to the build which answers by what held on a day in the past. */
export const RECORD_ALIAS = 'policy-record';

export type IngestDeps = {
  readonly source: PolicySource;
  readonly registry: PolicyRegistry;
  readonly runs: PolicyRuns;
  readonly index: PolicyIndex;
  readonly embedders: EmbedderChoice;
  readonly fusion: Fusion;
  /** How long superseded versions stay in the index. */
  readonly supersededMs: number;
  /** How often the source is looked at. */
  readonly syncMs: number;
  moment(): Moment;
};
