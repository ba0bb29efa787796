import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type ChainLink, type Standing, standingsOf } from '../../domain/policy-standing.ts';

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.parse('2026-01-01');
const DAYS = 60;
const FAR = '9999-12-31';

const iso = (ms: number) => new Date(ms).toISOString();
/** The first instants of days, as authors write them: the day, or an instant in their own zone. */
const written = (day: number, how: number) => {
  const date = iso(FIRST_DAY + day * DAY_MS).slice(0, 10);
  return [date, `${date}T00:00:00Z`, `${date}T09:00:00+09:00`][how] ?? date;
};
const day = fc.tuple(fc.nat(DAYS), fc.nat(2)).map(([n, how]) => written(n, how));

type Draft = { readonly from: string | null; readonly end: string | null; readonly gap: number };
const drafts = fc.array(
  fc.record({
    from: fc.option(day, { freq: 8 }),
    end: fc.option(day, { freq: 2 }),
    gap: fc.nat(3),
  }),
  { maxLength: 8 },
);

/** Sequences grow, with holes where versions are no part of what is published. */
function numbered(all: readonly Draft[]): ChainLink[] {
  let seq = 0;
  return all.map(({ from, end, gap }) => {
    seq += gap + 1;
    return { docId: 'returns', seq, effectiveFrom: from, ownEnd: end, supersededAt: null };
  });
}

const anyChain = drafts.map(numbered);
/** As a source gives it: each begins no earlier than the one before, and only the first may do so since ever. */
const orderedChain = drafts.map((all) =>
  numbered(
    all
      .toSorted((a, b) => beginOf(a.from) - beginOf(b.from))
      .filter(({ from }, place) => place === 0 || from !== null),
  ),
);
/** Half-days, so that instants fall before, on and between the days. */
const instant = fc.integer({ min: -2, max: 2 * DAYS + 2 }).map((half) => FIRST_DAY + half * (DAY_MS / 2));
/** Moments in their order; both clocks move, and not as one. */
const moments = fc.array(fc.tuple(instant, fc.nat(5 * DAY_MS)), { minLength: 1, maxLength: 8 }).map((all) => {
  let at = FIRST_DAY;
  return all
    .toSorted(([a], [b]) => a - b)
    .map(([today, wait]) => {
      at += wait;
      return { at: iso(at), today: iso(today) };
    });
});

function beginOf(from: string | null): number {
  return from === null ? -Infinity : Date.parse(from);
}

function endOf({ effectiveTo }: Standing): number {
  return effectiveTo === null ? Infinity : Date.parse(effectiveTo);
}

/** The links with how they stand, as the registry keeps them from one moment to the next. */
function kept(chain: readonly ChainLink[], standings: readonly Standing[]): ChainLink[] {
  const at = new Map(standings.map((one) => [one.seq, one.supersededAt]));
  return chain.map((link) => ({ ...link, supersededAt: at.get(link.seq) ?? null }));
}

function holding(chain: readonly ChainLink[], standings: readonly Standing[], atMs: number): Standing[] {
  const from = new Map(chain.map((link) => [link.seq, beginOf(link.effectiveFrom)]));
  return standings.filter((one) => (from.get(one.seq) ?? Infinity) <= atMs && atMs < endOf(one));
}

/** Class of defect: two texts of one policy in force at once, or none where there should be one. */
describe('how the versions of a document stand', () => {
  it('lets no more than one answer at the instant of a publication, whatever the chain', () => {
    fc.assert(
      fc.property(anyChain, instant, (chain, today) => {
        const standings = standingsOf(chain, { at: iso(FIRST_DAY), today: iso(today) });
        const answering = holding(chain, standings, today).filter(
          ({ supersededAt }) => supersededAt === null,
        );
        assert.ok(answering.length <= 1);
      }),
    );
  });

  it('has the newest that has begun answer until it ends itself', () => {
    fc.assert(
      fc.property(anyChain, instant, (chain, today) => {
        const standings = standingsOf(chain, { at: iso(FIRST_DAY), today: iso(today) });
        const newest = chain.findLast(({ effectiveFrom }) => beginOf(effectiveFrom) <= today);
        const ended = newest !== undefined && Date.parse(newest.ownEnd ?? FAR) <= today;
        const answering = holding(chain, standings, today).filter(
          ({ supersededAt }) => supersededAt === null,
        );
        assert.deepEqual(
          answering.map(({ seq }) => seq),
          newest === undefined || ended ? [] : [newest.seq],
        );
      }),
    );
  });

  it('lets no more than one hold on any other day, asked about later or before', () => {
    fc.assert(
      fc.property(orderedChain, instant, instant, (chain, today, asked) => {
        const standings = standingsOf(chain, { at: iso(FIRST_DAY), today: iso(today) });
        assert.ok(holding(chain, standings, asked).length <= 1);
      }),
    );
  });

  it('leaves no gap between versions that do not end by themselves', () => {
    fc.assert(
      fc.property(orderedChain, instant, instant, (ending, today, asked) => {
        const chain = ending.map((link) => ({ ...link, ownEnd: null }));
        const standings = standingsOf(chain, { at: iso(FIRST_DAY), today: iso(today) });
        const begun = chain.some(({ effectiveFrom }) => beginOf(effectiveFrom) <= asked);
        assert.equal(holding(chain, standings, asked).length, begun ? 1 : 0);
      }),
    );
  });

  it('never changes the instant at which a version was superseded, as time goes on', () => {
    fc.assert(
      fc.property(anyChain, moments, (chain, all) => {
        let known = chain;
        for (const moment of all) {
          const next = kept(chain, standingsOf(known, moment));
          for (const [place, link] of known.entries())
            if (link.supersededAt !== null) assert.equal(next[place]?.supersededAt, link.supersededAt);
          known = next;
        }
      }),
    );
  });

  it('supersedes at the first moment at which a successor holds, and not before', () => {
    fc.assert(
      fc.property(anyChain, moments, (chain, all) => {
        const last = all.reduce((known, moment) => kept(chain, standingsOf(known, moment)), chain);
        for (const link of last) {
          const begins = Math.min(
            ...chain.filter(({ seq }) => seq > link.seq).map((one) => beginOf(one.effectiveFrom)),
          );
          const first = all.find(({ today }) => begins <= Date.parse(today));
          assert.equal(link.supersededAt, first?.at ?? null);
        }
      }),
    );
  });

  it('never supersedes the last version', () => {
    fc.assert(
      fc.property(anyChain, moments, (chain, all) => {
        const last = all.reduce((known, moment) => kept(chain, standingsOf(known, moment)), chain);
        assert.equal(last.at(-1)?.supersededAt ?? null, null);
      }),
    );
  });

  it('brings a version back that is the last again, and keeps what was superseded before it', () => {
    fc.assert(
      fc.property(anyChain, fc.nat(7), instant, fc.nat(), (chain, cut, today, wait) => {
        const then = { at: iso(FIRST_DAY), today: iso(today) };
        const now = { at: iso(FIRST_DAY + wait), today: iso(today + wait) };
        const earlier = chain.slice(0, cut);
        const before = kept(earlier, standingsOf(earlier, then));
        const replaced = kept(chain, standingsOf([...before, ...chain.slice(cut)], now));
        const back = standingsOf(replaced.slice(0, cut), now);
        assert.equal(back.at(-1)?.supersededAt ?? null, null);
        for (const [place, { supersededAt }] of before.entries())
          if (supersededAt !== null) assert.equal(back[place]?.supersededAt, supersededAt);
      }),
    );
  });

  it('ends no version later than it says itself, nor later than the next begins', () => {
    fc.assert(
      fc.property(anyChain, instant, (chain, today) => {
        const standings = standingsOf(chain, { at: iso(FIRST_DAY), today: iso(today) });
        for (const [place, one] of standings.entries()) {
          const own = chain[place]?.ownEnd ?? null;
          const next = chain[place + 1]?.effectiveFrom ?? null;
          const ends = [own, next].filter((end) => end !== null);
          assert.equal(endOf(one), Math.min(...ends.map((end) => Date.parse(end))));
        }
      }),
    );
  });

  it('is the same in whatever order the versions come', () => {
    const shuffled = anyChain.chain((chain) =>
      fc.tuple(fc.constant(chain), fc.shuffledSubarray(chain, { minLength: chain.length })),
    );
    fc.assert(
      fc.property(shuffled, instant, ([chain, other], today) => {
        const moment = { at: iso(FIRST_DAY), today: iso(today) };
        assert.deepEqual(standingsOf(other, moment), standingsOf(chain, moment));
      }),
    );
  });
});
