/** Who may read a policy. A customer never sees what is written for staff. */
export const AUDIENCES = ['customer', 'staff'] as const;
export type Audience = (typeof AUDIENCES)[number];

/** One version of one policy: what a source holds, with its front matter taken off. */
export type PolicyDocument = {
  readonly tenant: string;
  /** Unique per tenant, the same for every version. */
  readonly docId: string;
  /** `<sequence>-<first 12 hex digits of the SHA-256 of its bytes, with front matter>`; the sequence only grows. */
  readonly docVersion: string;
  readonly title: string;
  readonly sourceUrl: string;
  /** `returns`, `cancellations`, `shipping` …: the word in `policy://<kind>/current`. */
  readonly kind: string;
  readonly audience: Audience;
  /** BCP 47, primary subtag: `en`, `ja`. */
  readonly language: string;
  /** ISO 8601 date or instant, the first at which it holds; null: since ever. */
  readonly effectiveFrom: string | null;
  /** ISO 8601 date or instant, the first at which it no longer holds; null: until further notice. */
  readonly effectiveTo: string | null;
  /** Markdown. Every span of every chunk counts from here, in UTF-16 code units. */
  readonly text: string;
};

/** A stretch of a document that answers as one piece: `text` is exactly `document.text.slice(start, end)`. */
export type Chunk = {
  /** Derived from tenant, document, version and place: the same bytes give the same id. */
  readonly id: string;
  readonly tenant: string;
  readonly docId: string;
  readonly docVersion: string;
  readonly title: string;
  readonly sourceUrl: string;
  readonly kind: string;
  readonly audience: Audience;
  readonly language: string;
  readonly effectiveFrom: string | null;
  readonly effectiveTo: string | null;
  /** Place among the document's chunks, from 0. */
  readonly ordinal: number;
  readonly start: number;
  readonly end: number;
  /** The headings above it, outermost first. */
  readonly headingPath: readonly string[];
  readonly text: string;
  /** What is analysed and embedded: title and section path, the header of a table continued here, then the text. */
  readonly indexText: string;
};

/** A chunk with its vector, ready for an index. */
export type EmbeddedChunk = { readonly chunk: Chunk; readonly vector: Float32Array };

/** What makes vectors of one index comparable with those of another. */
export type IndexFingerprint = {
  /** `Embedder.fingerprint`. */
  readonly embedder: string;
  readonly dimensions: number;
  /** How documents were cut: version of the rules, ceiling, overlap, tokenizer. */
  readonly chunker: string;
};

export interface Tokenizer {
  /** Names the tokenizer; a part of the chunker's fingerprint. */
  readonly name: string;
  /** The most tokens of one text that are read, special ones taken off; what lies beyond is not embedded. */
  readonly maxTokens: number;
  countTokens(text: string): number;
}

/** Turns texts into unit vectors. The same text gives the same vector. */
export interface Embedder extends Tokenizer {
  /** Model, revision, precision, dimensions and normalisation: equal only where vectors may be compared. */
  readonly fingerprint: string;
  readonly dimensions: number;
  /** @throws {EmbedderError} when the model does not answer, or with something else than vectors. */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>;
}

/** The embedder is down, or answers with something that is not a vector of its size. Search goes on without it. */
export class EmbedderError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbedderError';
  }
}

/**
 * Which embedder this installation uses. One that is fitted to its corpus (LSA) is a different one for every build
 * and is kept with it; all others are the same for every build.
 */
export interface EmbedderChoice {
  /** For people: printed at start and shown by `/health`. */
  readonly description: string;
  /** Counts tokens before an embedder exists. */
  readonly tokenizer: Tokenizer;
  /**
   * The embedder for a new build of exactly these texts (`Chunk.indexText`), and what must be kept with the build
   * (`PolicyIndex.keepModel`) for `reading` to give it back.
   */
  building(
    texts: readonly string[],
  ): Promise<{ readonly embedder: Embedder; readonly model: Uint8Array | null }>;
  /**
   * The embedder of a finished build, for questions.
   * @throws {PolicyIndexError} other_embedder, when the build was made with another.
   */
  reading(fingerprint: IndexFingerprint, model: () => Promise<Uint8Array | undefined>): Promise<Embedder>;
}

export type Passage = { readonly id: string; readonly text: string };

/** Looks at question and passage together. Higher is better; scores compare within one call only. */
export interface Reranker {
  readonly name: string;
  /** How much of the final score is its own, 0 to 1; the rest is the fused score of the retrieval. */
  readonly weight: number;
  rerank(question: string, passages: readonly Passage[], signal?: AbortSignal): Promise<readonly number[]>;
  /** Does beforehand what can be done without a question; without it the first question about a passage waits. */
  prepare?(passages: readonly Passage[], signal?: AbortSignal): Promise<void>;
}

/** Makes a question that stands alone of one that means nothing without those before it. */
export interface Rewriter {
  readonly name: string;
  /** @param previous what the same person asked before, oldest first */
  rewrite(question: string, previous: readonly string[], signal?: AbortSignal): Promise<string>;
}

export const SEARCH_MODES = ['bm25', 'knn', 'hybrid'] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

export const FUSIONS = ['minmax', 'rrf'] as const;
export type Fusion = (typeof FUSIONS)[number];

/** Everything here is judged inside the query, so that filtered chunks never take a place among the best. */
export type PolicyFilter = {
  readonly tenant: string;
  readonly audiences: readonly Audience[];
  /** Any language when left out. */
  readonly languages?: readonly string[];
  /** Any kind when left out. */
  readonly kinds?: readonly string[];
  /** ISO 8601: only what holds at this instant. */
  readonly effectiveAt: string;
  /** ISO 8601: only what its source was seen to hold at this instant or later; any when left out. */
  readonly verifiedSince?: string;
  /**
   * Also versions that a newer one has replaced, for questions about a day in the past. Each document then answers
   * by whichever of its versions held; without it only current versions answer.
   */
  readonly withSuperseded?: boolean;
};

export type PolicyQuery = {
  readonly text: string;
  /** Needed by `knn` and `hybrid`: the question's vector, and who made it. */
  readonly embedding?: { readonly vector: Float32Array; readonly embedder: string };
  readonly mode: SearchMode;
  /** `minmax` when left out: arithmetic mean, 0.5 / 0.5. `rrf` has rank constant 60. */
  readonly fusion?: Fusion;
  readonly filter: PolicyFilter;
  /** How many hits, 1 to 100. */
  readonly k: number;
};

/**
 * Why a hit stands where it stands. Raw BM25 compares within one index only. `null`: not looked for in this mode, or,
 * for BM25, no word in common.
 */
export type HitScores = {
  readonly bm25: number | null;
  /** -1 to 1. */
  readonly cosine: number | null;
  /** What it was ranked by: BM25, cosine or their fusion. */
  readonly score: number;
};

export type PolicyHit = {
  readonly chunk: Chunk;
  readonly scores: HitScores;
  /** ISO 8601: when the source was last seen to hold this version. */
  readonly verifiedAt: string;
  /** ISO 8601, or null for a current version. */
  readonly supersededAt: string | null;
};

export type PolicyHits = {
  /** Best first. */
  readonly hits: readonly PolicyHit[];
  /** The build that answered: all hits of one answer come from one. */
  readonly build: string;
  readonly fingerprint: IndexFingerprint;
};

/** A version of a document within a build. */
export type VersionKey = { readonly tenant: string; readonly docId: string; readonly docVersion: string };

export type BuildInfo = {
  readonly name: string;
  readonly state: 'open' | 'sealed';
  readonly fingerprint: IndexFingerprint;
  readonly chunks: number;
  /** SHA-256 over the sorted ids of its chunks; equal for equal content, in whatever order it came. */
  readonly contentHash: string;
  /** The aliases that point to it. */
  readonly aliases: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
};

export type VersionInfo = VersionKey & {
  readonly chunks: number;
  readonly verifiedAt: string;
  readonly supersededAt: string | null;
};

export const POLICY_INDEX_PROBLEMS = [
  'no_build', // nothing of that name, or an alias that points nowhere
  'alias_broken', // an alias that points to more than one build
  'alias_moved', // the alias does not point where the caller believed
  'other_fingerprint', // the build was made with another embedder, dimension or chunker
  'other_embedder', // the question was embedded by another embedder than the build
  'wrong_dimension', // a vector of another length, or one that is not made of numbers
  'sealed', // nothing can be added any more
  'not_sealed', // a build still open cannot go live
  'in_use', // an alias points to the build
  'corrupt', // what is stored fails its checksum
  'bad_query', // k, dates or a missing vector
  'unreachable', // the server does not answer
] as const;
export type PolicyIndexProblem = (typeof POLICY_INDEX_PROBLEMS)[number];

/** Made of constants, names of builds and fingerprints; never of what a document says. */
export class PolicyIndexError extends Error {
  readonly problem: PolicyIndexProblem;

  constructor(problem: PolicyIndexProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PolicyIndexError';
    this.problem = problem;
  }
}

/**
 * Builds of the policy documents' chunks, and names (aliases) that point to one of them. Every method names what it
 * works on, so that each can be a step of its own, repeated after a crash: what was already done is done.
 *
 * `target` is the name of a build, or of an alias.
 *
 * @throws {PolicyIndexError} from every method.
 */
export interface PolicyIndex {
  readonly engine: 'embedded' | 'opensearch';

  /** Makes an empty build (`policy-v000042`), or finds the one it made before. @throws other_fingerprint */
  openBuild(name: string, fingerprint: IndexFingerprint): Promise<void>;

  /**
   * Adds chunks, or replaces those of the same id. Durable when it resolves.
   * `verifiedAt`: when the source was seen to hold these versions.
   * @throws no_build, sealed, wrong_dimension; nothing of the batch is added then.
   */
  add(name: string, chunks: readonly EmbeddedChunk[], verifiedAt: string): Promise<void>;

  /** Keeps what `EmbedderChoice.building` gave. A repeat replaces it. */
  keepModel(name: string, model: Uint8Array): Promise<void>;
  model(target: string): Promise<Uint8Array | undefined>;

  /** Closes it for `add`; everything added is searchable when it resolves. A repeat gives the same. */
  seal(name: string): Promise<BuildInfo>;

  /** The chunks and where they stand, in the order of their ids; for checks before a swap and for `diff`. */
  chunkIds(target: string): Promise<readonly string[]>;

  /** The unit vectors of those of the chunks that are there: what was embedded once need not be again. */
  vectors(target: string, ids: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;

  search(target: string, query: PolicyQuery): Promise<PolicyHits>;

  /**
   * Moves the alias from `from` (undefined: it must not exist yet) to the build, in one step: every search sees the
   * one or the other. When the alias already points to `to`, nothing happens.
   * @throws alias_moved, no_build, not_sealed
   */
  pointAlias(alias: string, to: string, from: string | undefined): Promise<void>;

  /**
   * Points an alias that was broken from outside to this build alone, in one step.
   * @throws no_build, not_sealed
   */
  mendAlias(alias: string, to: string): Promise<void>;

  /** Where the alias points: none, one, or, when somebody broke it from outside, several. */
  resolveAlias(alias: string): Promise<readonly string[]>;

  /** From now on these versions answer only with `withSuperseded`. A version already superseded keeps its instant. */
  supersede(target: string, versions: readonly VersionKey[], at: string): Promise<void>;

  /** Their sources were seen to hold them at `at`; an earlier instant than the one known changes nothing. */
  verify(target: string, versions: readonly VersionKey[], at: string): Promise<void>;

  /** Takes the versions' chunks out for good, and answers with how many there were. */
  remove(target: string, versions: readonly VersionKey[]): Promise<number>;

  versions(target: string): Promise<readonly VersionInfo[]>;
  info(target: string): Promise<BuildInfo>;
  /** Every build, oldest name first. */
  builds(): Promise<readonly BuildInfo[]>;

  /** Deletes a build that no alias points to; one that is not there is deleted already. @throws in_use */
  drop(name: string): Promise<void>;

  /** Resolves when searches can be answered. @throws unreachable */
  check(): Promise<void>;
  close(): Promise<void>;
}
