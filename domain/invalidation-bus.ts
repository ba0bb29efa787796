/** A key that must not be served any more, and for how long its loads prefer the primary. */
export type Invalidation = { readonly key: string; readonly markMs: number };

/** Brings invalidations to every process that keeps entries of its own. Needed only where the cache is not shared. */
export interface InvalidationBus {
  /** Handed over when it resolves; heard by every process that listens then, this one included. */
  publish(invalidation: Invalidation): Promise<void>;
  /**
   * `heard`: somebody voided a key. `missed`: some may have been voided unheard (the connection broke), so nothing
   * that is kept may be served. Called from now on. Resolves when listening, or when that has failed for the first
   * time: then it is tried again for ever.
   */
  listen(listener: {
    readonly heard: (invalidation: Invalidation) => void;
    readonly missed: () => void;
  }): Promise<void>;
  close(): Promise<void>;
}
