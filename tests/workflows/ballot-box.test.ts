import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Verdict } from '../../domain/approval.ts';
import { ballotBox, ballotFrom } from '../../workflows/ballot-box.ts';

const timely = { arrivedAt: '2026-11-21T00:00:00.000Z', isLate: false };
const verdict = (ballotNo: number): Verdict => ({ ballotNo, admitted: false, standing: 'open' });

describe('ballotFrom', () => {
  it('makes a ballot of anything, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (message) => {
        const { decision, approver } = ballotFrom(message);
        assert.equal(`${typeof decision} ${typeof approver}`, 'string string');
      }),
    );
  });

  it('keeps what a ballot is made of, and nothing else', () => {
    const ballot = { decision: 'approve', approver: 'a', comment: 'b', code: 'c', proof: 'd', seen: 'e' };
    assert.deepEqual(ballotFrom({ ...ballot, roles: ['admin'] }), ballot);
  });

  it('cuts what is longer than any ballot of ours', () => {
    assert.equal(ballotFrom({ comment: 'x'.repeat(1e6) }).comment?.length, 2_000);
  });
});

describe('the ballot box', () => {
  it('numbers ballots in the order they came, after those of earlier runs', async () => {
    const box = ballotBox();
    box.receive({ decision: 'one' }, timely);
    box.receive({ decision: 'two' }, timely);
    const judged: string[] = [];
    while (box.hasUnjudged()) {
      await box.judgeNext(5, async ({ ballotNo, ballot }) => {
        judged.push(`${ballotNo} ${ballot.decision}`);
        return verdict(ballotNo);
      });
    }
    assert.deepEqual(judged, ['6 one', '7 two']);
  });

  it('keeps a ballot whose judging failed, under its number', async () => {
    const box = ballotBox();
    box.receive({}, timely);
    const fail = box.judgeNext(0, async () => {
      throw new Error('away');
    });
    await assert.rejects(fail);
    assert.equal((await box.judgeNext(0, async ({ ballotNo }) => verdict(ballotNo)))?.ballotNo, 1);
  });

  it('takes no more than so many at a time, and more once some are judged', async () => {
    const box = ballotBox();
    while (box.receive({}, timely)) continue;
    assert.equal(box.receive({}, timely), undefined);
    await box.judgeNext(0, async ({ ballotNo }) => verdict(ballotNo));
    assert.notEqual(box.receive({}, timely), undefined);
  });

  it('tells ballots that came in time from late ones', () => {
    const box = ballotBox();
    assert.equal(box.hasTimely(), false);
    box.receive({}, { ...timely, isLate: true });
    assert.deepEqual([box.hasUnjudged(), box.hasTimely()], [true, false]);
  });
});
