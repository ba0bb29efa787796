import type { VersionKey } from './policies.ts';

/** A version as it was put down, in the place that it has in its document. */
export type ChainLink = {
  readonly docId: string;
  /** Grows by one with each new version of the document; never given again. */
  readonly seq: number;
  /** ISO 8601 date or instant. */
  readonly effectiveFrom: string | null;
  /** As its own text says; null: until further notice. */
  readonly ownEnd: string | null;
  /** ISO 8601: since when it has been replaced; null: it was not yet. */
  readonly supersededAt: string | null;
};

/** Where a version stands among the others that are published with it. */
export type Standing = {
  readonly docId: string;
  readonly seq: number;
  /** The first instant at which it no longer holds: its own end, or its successor's beginning, whichever is earlier. */
  readonly effectiveTo: string | null;
  /** Null: it answers, now or from its day on. */
  readonly supersededAt: string | null;
};

/** When a publication happens, by both clocks. ISO 8601. */
export type Moment = {
  /** Real time: what is replaced is replaced from here on. */
  readonly at: string;
  /** Business time: decides which successor holds already. */
  readonly today: string;
};

/**
 * How the versions of one document stand once exactly these are published. A version is superseded when a successor
 * holds; one whose successor's day is still to come goes on answering until then.
 */
export function standingsOf(chain: readonly ChainLink[], { at, today }: Moment): readonly Standing[] {
  const ordered = chain.toSorted((a, b) => a.seq - b.seq);
  return ordered.map(({ docId, seq, ownEnd, supersededAt }, place) => {
    const successors = ordered.slice(place + 1);
    const [next] = successors;
    const isReplaced = successors.some(({ effectiveFrom }) => begins(effectiveFrom) <= Date.parse(today));
    return {
      docId,
      seq,
      effectiveTo: next === undefined ? ownEnd : earlier(ownEnd, next.effectiveFrom),
      supersededAt: isReplaced ? (supersededAt ?? at) : null,
    };
  });
}

function earlier(own: string | null, next: string | null): string | null {
  if (own === null || next === null) return own ?? next;
  return Date.parse(own) <= Date.parse(next) ? own : next;
}

function begins(day: string | null): number {
  return day === null ? -Infinity : Date.parse(day);
}

/** `<sequence>-<hash>`; nothing else is a version. */
export function docVersionOf(seq: number, contentHash: string): VersionKey['docVersion'] {
  return `${seq}-${contentHash}`;
}
