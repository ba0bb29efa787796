import type { Audience, HitScores, PolicyDocument, VersionKey } from './policies.ts';

/** For how long a policy may be quoted after its source was last seen to hold it. */
export const FRESH_SECONDS = 24 * 60 * 60;

/** A version as it was published, and where it stands. */
export type StandingPolicy = PolicyDocument & {
  /** ISO 8601, real time: when the source was last seen to hold this version. */
  readonly verifiedAt: string;
  /** ISO 8601: when a newer version took its place, or the document was withdrawn; null for the current one. */
  readonly supersededAt: string | null;
};

/** Whether its source was seen to hold it recently enough to quote it as current. @param nowMs milliseconds, real time */
export function isFresh({ verifiedAt }: Pick<StandingPolicy, 'verifiedAt'>, nowMs: number): boolean {
  return nowMs - Date.parse(verifiedAt) <= FRESH_SECONDS * 1000;
}

/** The published versions: the authority on what a policy says, to whom and when. The index only finds them. */
export interface PolicyVersions {
  /** Undefined when this tenant never published it. */
  find(key: VersionKey): Promise<StandingPolicy | undefined>;
  /** Every version of the tenant's documents that are not withdrawn, the superseded ones among them. */
  list(tenant: string): Promise<readonly StandingPolicy[]>;
}

/** The question so that it stands alone; undefined when nobody could say, which is no failure. Never rejects. */
export type Rewrite = (question: string, previous: readonly string[]) => Promise<string | undefined>;

export type PolicyQuestion = {
  readonly text: string;
  readonly tenant: string;
  readonly audiences: readonly Audience[];
  /** Any language when left out. */
  readonly languages?: readonly string[];
  readonly kinds?: readonly string[];
  /** ISO 8601: the instant that is asked about. */
  readonly effectiveAt: string;
  /** Also by versions that are not current any more. */
  readonly inThePast: boolean;
  /** ISO 8601; left out: however long ago the source was seen. */
  readonly verifiedSince?: string;
};

/** What the index believes it has found. Nothing of it is quoted before it was compared with the stored version. */
export type FoundPassage = VersionKey & {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly headingPath: readonly string[];
  readonly scores: HitScores & { readonly rerank: number | null; readonly final: number };
  /** 0 to 1: how much it reads like orders to a machine. */
  readonly suspicion: number;
};

export type PolicyFinding = {
  /** Best first. */
  readonly passages: readonly FoundPassage[];
  readonly build: string;
  readonly embedder: string;
  /** Which side of the search answered: words alone, when the embedder did not. */
  readonly mode: 'hybrid' | 'bm25';
  /** The index was away: a copy of the stored versions was searched, as they were read last. */
  readonly isStale: boolean;
  /** 0 to 1, calibrated: how likely the best passages hold the answer. */
  readonly confidence: number;
  readonly verdict: 'answer' | 'doubt' | 'nothing';
  /** So little is asked that several policies fit equally well. */
  readonly isOpen: boolean;
};

/** Finds passages. @throws {PolicyIndexError} and nothing else, within a few seconds. */
export interface PolicyFinder {
  /** The build that answers at this moment: a part of every cache key. */
  build(): Promise<string>;
  find(question: PolicyQuestion): Promise<PolicyFinding>;
  /** 0 to 1: how much a text reads like orders to a machine. At or above `suspicious` it is flagged. */
  suspicion(text: string): number;
  readonly suspicious: number;
}

/** Holds at the instant (milliseconds), by its own dates. */
export function holdsAt({ effectiveFrom, effectiveTo }: PolicyDocument, atMs: number): boolean {
  return (
    (effectiveFrom === null || Date.parse(effectiveFrom) <= atMs) &&
    (effectiveTo === null || atMs < Date.parse(effectiveTo))
  );
}
