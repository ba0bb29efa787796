import type { VersionKey } from './policies.ts';
import type { PolicyVersions, StandingPolicy } from './policy-answers.ts';
import type { Corpus } from './policy-source.ts';
import type { Moment } from './policy-standing.ts';

/** What one reading of the source came to, in one shop. */
export type Staged = {
  /** Versions never seen before. */
  readonly added: number;
  /** Documents that the source holds no more. */
  readonly gone: number;
  /** Documents whose newest version was seen. */
  readonly verified: number;
};

/** A version of a publication, as it stands in it. */
export type PlannedPolicy = StandingPolicy & {
  /** Questions that its publisher says it answers: after a publication they must still find it. */
  readonly questions: readonly string[];
};

export const PUBLICATION_STATES = [
  'building', // its builds are being made
  'checked', // they are sound, and may go live
  'refused', // it failed a check; nothing of it was ever shown
  'live', // it answers
  'replaced', // a newer one took its place
  'withdrawn', // somebody went back from it to an older one
  'abandoned', // never finished
] as const;
export type PublicationState = (typeof PUBLICATION_STATES)[number];

/** How well a build answers the questions of its documents, one line for each. */
export type GoldenResult = {
  readonly tenant: string;
  readonly docId: string;
  readonly question: string;
  /** 0 to 1. */
  readonly ndcg: number;
  /** The document is among the first five. */
  readonly isCited: boolean;
};

/** What stood at the source at one reading, and the two builds that answer with it. */
export type Publication = {
  readonly number: number;
  readonly state: PublicationState;
  /** Answers by what holds now. */
  readonly build: string;
  /** Answers by what held on a day in the past: every version. */
  readonly record: string;
  /** Equal for equal versions of equal documents. */
  readonly digest: string;
  /** Who embedded it, for people. */
  readonly embedder: string;
  /** How the live one does; the next one is compared with it. Empty for all others. */
  readonly golden: readonly GoldenResult[];
  readonly beganAt: string;
  readonly liveAt: string | null;
  /** Since when another is live. */
  readonly endedAt: string | null;
};

/** Keeps every text that was ever published, and says which of them stands. */
export interface PolicyRegistry extends PolicyVersions {
  shops(): Promise<readonly string[]>;
  /** Every version, published once, of the shop's documents that are no longer published. */
  withdrawn(tenant: string): Promise<readonly StandingPolicy[]>;
  /**
   * Puts down what the source holds of the shop. New versions are shown to nobody yet; versions that were seen again
   * are verified at `at`, at once.
   */
  stage(tenant: string, corpus: Corpus, at: string): Promise<Staged>;
  /** The digest of what the source held when it was last read, over all shops. */
  digest(): Promise<string>;
  /** Every version of the publication, as it stands at that moment. */
  versionsOf(number: number, moment: Moment): Promise<readonly PlannedPolicy[]>;

  publications(): Promise<readonly Publication[]>;
  /** A publication of what the source holds, or of what `from` held; one that a crash left in building is gone on with. */
  begin(plan: {
    readonly from?: number;
    readonly embedder: string;
    readonly at: string;
    /** Numbers below it are taken, by builds that nobody here knows of. */
    readonly atLeast: number;
    /** The builds' names, by the publication's number. */
    names(number: number): { readonly build: string; readonly record: string };
  }): Promise<Publication>;
  refuse(number: number, golden: readonly GoldenResult[]): Promise<void>;
  /** Its builds are sound. From here on its versions may be quoted, if an index finds them. */
  release(number: number, golden: readonly GoldenResult[], at: string): Promise<void>;
  /**
   * It is live: what it replaces is superseded at that moment, in one step for each shop, and the shops that it changes
   * are told. `back`: the one before it is withdrawn, not replaced. A repeat changes nothing but what time has changed.
   *
   * @throws {Error} for a publication that was not checked.
   */
  publish(number: number, moment: Moment, back: boolean): Promise<void>;
  /** Superseded versions that are not marked as removed, the longest superseded first. */
  superseded(): Promise<readonly (VersionKey & { readonly supersededAt: string })[]>;
  /** They are out of the index. Their text stays, for the record. */
  removed(versions: readonly VersionKey[], at: string): Promise<void>;
}

/**
 * `sync` looks whether the source has changed; `ingest` does so for somebody who asks, and tries again what was refused
 * or withdrawn; `rebuild` makes new builds whatever has changed; `accept` publishes what the golden questions refuse.
 */
export const POLICY_RUN_KINDS = ['sync', 'ingest', 'rebuild', 'accept', 'rollback'] as const;
export type PolicyRunKind = (typeof POLICY_RUN_KINDS)[number];

/** The steps of a run, in their order. Each takes what it needs from the registry, and may be repeated. */
export const POLICY_STEPS = ['read', 'build', 'check', 'publish'] as const;
export type PolicyStep = (typeof POLICY_STEPS)[number];

/** What a run came to, and why. Made of constants, names and counts; a question of a document is quoted. */
export type PolicyOutcome = {
  readonly status: 'published' | 'unchanged' | 'refused' | 'held' | 'failed';
  readonly detail: readonly string[];
};

export type PolicyRun = {
  readonly id: string;
  readonly kind: PolicyRunKind;
  readonly target: number | null;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly publication: number | null;
  readonly progress: string;
  /** What reading the source came to: new and gone versions, and every problem. */
  readonly report: readonly string[];
  readonly outcome: PolicyOutcome | null;
  readonly endedAt: string | null;
};

/** What is asked of the keeper of policies. */
export interface PolicyRuns {
  request(run: Pick<PolicyRun, 'kind' | 'target' | 'requestedBy'>): Promise<PolicyRun>;
  find(id: string): Promise<PolicyRun | undefined>;
  /** The oldest that has not ended. */
  open(): Promise<PolicyRun | undefined>;
  /** The newest first. */
  latest(limit: number): Promise<readonly PolicyRun[]>;
  /** Notes where an open run is. False: it has ended. */
  note(
    id: string,
    note: {
      readonly progress?: string;
      readonly publication?: number;
      readonly report?: readonly string[];
    },
  ): Promise<boolean>;
  /** A run ends once. */
  end(id: string, outcome: PolicyOutcome): Promise<void>;
  /** Forgets what ended before the newest `keep`. */
  forget(keep: number): Promise<void>;
}

/** How the policies stand, as `/health` tells it. `stale`: a version was not seen at its source for a day. */
export type PolicyHealth =
  | { readonly status: 'none' }
  | {
      readonly status: 'live' | 'stale';
      readonly build: string;
      /** For people. */
      readonly embedder: string;
      /** ISO 8601: when this build went live. */
      readonly indexed_at: string;
      /** ISO 8601: when the source of the version that was not seen for longest was last seen. */
      readonly verified_at: string | null;
      readonly verified_age_s: number | null;
    };
