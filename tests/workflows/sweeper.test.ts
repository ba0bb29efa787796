import assert from 'node:assert/strict';
import { lead, manager, planned, purchaseOrders } from '../approvals/room.ts';
import { openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';
import { sweeping } from './sweeping.ts';

describe('the sweeper', function () {
  this.timeout(60_000);
  let stage: Stage;
  let sweeper: { stop(): Promise<void> };
  before(async () => {
    stage = await openStage();
    sweeper = sweeping(stage);
  });
  after(async () => {
    await sweeper.stop();
    await stage.close();
  });

  const stateOf = async ({ callId }: { readonly callId: string }) =>
    (await stage.room.desk.find(manager, callId))?.state;
  const endings = async (callId: string) =>
    (await stage.rows(callId)).filter((row) => row.final).map(({ outcome, reason }) => [outcome, reason]);

  it('starts what a crash left claimed and not started, once', async () => {
    const plan = planned(stage.room, { quantity: 1 });
    await stage.room.desk.claim(plan, undefined);
    await until(async () => exists(plan), 'the start');
    const worker = await stage.work();
    await stage.decide(plan, lead);
    assert.equal((await stage.outcome(plan)).status, 'executed');
    await worker.stop();
    assert.equal(await purchaseOrders(stage.room), 1);
  });

  it('expires what was claimed, never started, and is too old by now', async () => {
    const plan = planned(stage.room, { quantity: 2, expiresInMs: 50 });
    await stage.room.desk.claim(plan, undefined);
    const worker = await stage.work();
    await until(async () => (await stateOf(plan)) === 'expired', 'the expiry');
    await worker.stop();
  });

  it('closes an action whose run was terminated, with one final row', async () => {
    const plan = await stage.ask({ quantity: 3 });
    await stage.handle(plan).terminate('by hand');
    await until(async () => (await stateOf(plan)) === 'cancelled', 'the closing');
    assert.deepEqual(await endings(plan.callId), [['cancelled', 'run_terminated']]);
  });

  it('writes the row of a read that was terminated', async () => {
    const plan = await stage.read('warehouses', {});
    const handle = await stage.startRead(plan);
    await handle.terminate('by hand');
    await until(async () => (await endings(plan.callId)).length === 1, 'the row');
    assert.deepEqual(await endings(plan.callId), [['cancelled', 'run_terminated']]);
  });

  it('writes the row of a read that nobody worked on in time', async () => {
    const plan = await stage.read('warehouses', {});
    await stage.temporal.client.workflow.start('runRead', {
      workflowId: plan.callId,
      taskQueue: `${stage.temporal.queuePrefix}-reads`,
      args: [plan],
      workflowExecutionTimeout: '1s',
    });
    await until(async () => (await endings(plan.callId)).length === 1, 'the row');
    assert.deepEqual(await endings(plan.callId), [['failed', 'run_timed_out']]);
  });

  it('leaves alone what is waiting for people', async () => {
    const worker = await stage.work();
    const plan = await stage.ask({ quantity: 4 });
    // Claimed later and looked at later: when this one is started, the other has been looked at.
    const later = planned(stage.room, { quantity: 5 });
    await stage.room.desk.claim(later, undefined);
    await until(async () => exists(later), 'a sweep');
    assert.equal(await stateOf(plan), 'pending_approval');
    await worker.stop();
  });

  async function exists(plan: { readonly callId: string }): Promise<boolean> {
    try {
      await stage.handle(plan).describe();
      return true;
    } catch {
      // Not started yet.
      return false;
    }
  }
});
