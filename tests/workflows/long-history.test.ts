import assert from 'node:assert/strict';
import { caller, lead, purchaseOrders } from '../approvals/room.ts';
import { openStage, type Stage } from './stage.ts';

describe('an action under a flood of ballots', function () {
  this.timeout(120_000);
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.work();
  });
  after(() => stage.close());

  it('goes on in a new run before its history is too long, and is still approved once', async () => {
    const plan = await stage.ask();
    const first = (await stage.handle(plan).describe()).runId;
    const stranger = caller('nobody');
    let judged = 0;
    // Temporal suggests a new run after some four thousand events; a ballot makes six or seven.
    while ((await stage.handle(plan).describe()).runId === first) {
      assert.ok(judged < 2_000, 'the run goes on for ever');
      await Promise.all(Array.from({ length: 150 }, () => stage.signal(plan, {})));
      const { ballotNo } = await stage.decide(plan, stranger);
      judged = Math.max(judged, ballotNo);
    }
    const verdict = await stage.decide(plan, lead);
    assert.deepEqual([verdict.admitted, verdict.ballotNo > judged], [true, true]);
    assert.equal((await stage.outcome(plan)).status, 'executed');
    assert.equal(await purchaseOrders(stage.room), 1);
  });
});
