import type { PolicyDocument } from './policies.ts';

/** One version of one file at the source, as its listing tells it; nothing was read yet. */
export type StoredVersion = {
  /** `<tenant>/<name>.md`; `<tenant>/versions/<name>/<date>.md` for text that a newer file has replaced. */
  readonly key: string;
  /** The source's own name of these bytes: unique per key, never given to others. */
  readonly versionId: string;
  /** ISO 8601. */
  readonly storedAt: string;
  readonly bytes: number;
  /** The newest of its key. A deleted key has none. */
  readonly isLatest: boolean;
};

/** The source is away, or refuses to answer. What is indexed stays, and grows stale. */
export class PolicySourceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PolicySourceError';
  }
}

/**
 * Where policies are published. It holds bytes and their versions and knows nothing of what they say.
 *
 * @throws {PolicySourceError} from every method; a half-read listing is never given.
 */
export interface PolicySource {
  /** For people: `folder /srv/policies`, `bucket s3://policies`. */
  readonly description: string;
  /** Every version of every key, also of deleted ones: by key, oldest first. */
  versions(): Promise<readonly StoredVersion[]>;
  /** The bytes of one version, whatever came after it; undefined when they are gone. */
  read(version: Pick<StoredVersion, 'key' | 'versionId'>): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** Why a version is not published. */
export const POLICY_PROBLEMS = [
  'too_large',
  'not_text', // binary, or not UTF-8
  'tangled', // nested or bracketed so deeply that reading it would take for ever
  'front_matter', // missing, not YAML, a field missing, unknown or out of range
  'empty', // nothing that a reader would see
  'other_tenant', // the front matter names another tenant than the folder
  'duplicate_id', // another file of the tenant had the id first
  'other_id', // an older version names another document than its folder
  'dates_contradict', // ends before it begins, or overlaps its successor
  'goes_back', // holds from an earlier day than the version before it
  'gone', // listed, and then not there
] as const;
export type PolicyProblemCode = (typeof POLICY_PROBLEMS)[number];

/** Made of constants and checked fields; never of what the document says. */
export type PolicyProblem = {
  readonly key: string;
  readonly versionId: string;
  readonly code: PolicyProblemCode;
  readonly message: string;
};

/** A version that may be published, and where its bytes can be read again. */
export type PublishedVersion = {
  readonly document: PolicyDocument;
  /** `effective_to` as the version itself says it; `document.effectiveTo` counts its successor in. */
  readonly ownEnd: string | null;
  /** Questions that its publisher says it answers. */
  readonly questions: readonly string[];
  readonly key: string;
  readonly versionId: string;
};

/** All that one document said, says, and will say. */
export type PolicyChain = {
  /** Its own file. A document whose file has a problem is broken; one whose file is not there at all is deleted. */
  readonly key: string;
  readonly tenant: string;
  readonly docId: string;
  /** Oldest first; each ends no later than the next begins, and the dates say which one holds. Never empty. */
  readonly versions: readonly [PublishedVersion, ...PublishedVersion[]];
  /** The newest bytes have a problem: the last version here was not seen to hold any more. */
  readonly isBroken: boolean;
};

export type Corpus = {
  /** By tenant and id. A document without one is deleted, unless a problem names its file. */
  readonly chains: readonly PolicyChain[];
  /** One for each version that is not published. */
  readonly problems: readonly PolicyProblem[];
};
