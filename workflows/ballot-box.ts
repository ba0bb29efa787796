import type { Ballot, CastBallot, Verdict } from '../domain/approval.ts';

/** More than people cast while one ballot is judged. The bound is on what waits: a flood shuts nobody out for long. */
const MOST_WAITING = 200;
const LIMITS = { decision: 40, approver: 200, comment: 2_000, code: 200, proof: 2_000, seen: 100 } as const;

/** A ballot that has arrived, with its verdict once there is one. */
export type Slot = {
  readonly ballot: Ballot;
  readonly arrivedAt: string;
  /** It came after expiry was declared. */
  readonly isLate: boolean;
  verdict?: Verdict;
};

/** Whatever was sent, as a ballot: a misshapen one becomes one that cannot count, so that it is on record. Never throws. */
export function ballotFrom(message: unknown): Ballot {
  const fields: Readonly<Record<string, unknown>> =
    typeof message === 'object' && message !== null ? { ...message } : {};
  const text = (name: keyof typeof LIMITS) => {
    const value = fields[name];
    return typeof value === 'string' ? value.slice(0, LIMITS[name]) : undefined;
  };
  const optional = (['comment', 'code', 'proof', 'seen'] as const).flatMap((name) => {
    const value = text(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    decision: text('decision') ?? '',
    approver: text('approver') ?? '',
    ...Object.fromEntries(optional),
  };
}

/** Ballots in the order they arrived, numbered after `before` earlier ones, each judged once. */
export function ballotBox() {
  const waiting: Slot[] = [];
  let judged = 0;
  return {
    /** @returns undefined when too many wait: nothing of it is kept */
    receive(message: unknown, arrival: Pick<Slot, 'arrivedAt' | 'isLate'>): Slot | undefined {
      if (waiting.length >= MOST_WAITING) return undefined;
      const slot: Slot = { ballot: ballotFrom(message), ...arrival };
      waiting.push(slot);
      return slot;
    },
    hasUnjudged: () => waiting.length > 0,
    /** True when the next ballot came before expiry was declared. */
    hasTimely: () => waiting[0]?.isLate === false,
    /** Judges the oldest. It stays in the box until its verdict is there. */
    async judgeNext(
      before: number,
      judge: (cast: CastBallot) => Promise<Verdict>,
    ): Promise<Verdict | undefined> {
      const slot = waiting[0];
      if (!slot) return undefined;
      const { ballot, arrivedAt } = slot;
      slot.verdict = await judge({ ballotNo: before + judged + 1, ballot, arrivedAt });
      judged += 1;
      waiting.shift();
      return slot.verdict;
    },
  };
}

export type BallotBox = ReturnType<typeof ballotBox>;
