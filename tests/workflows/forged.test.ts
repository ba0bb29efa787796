import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ActionPlan } from '../../domain/plan.ts';
import { queueName, WORKFLOWS } from '../../domain/queues.ts';
import type { OwedRows } from '../../domain/seals.ts';
import { caller, ISSUER, lead, manager, planned, proofOf, purchaseOrders } from '../approvals/room.ts';
import { brokenPayload, openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

/** What somebody can do who reaches Temporal and nothing else. */
describe('with access to Temporal alone', function () {
  this.timeout(60_000);
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.work();
  });
  after(() => stage.close());
  afterEach(async () => assert.equal(await purchaseOrders(stage.room), 0, 'something was ordered'));

  const denied = async (workflowId: string) =>
    (await stage.rows()).filter((row) => row.workflowId === workflowId && row.reason === 'plan_unsealed');

  const ballots = async (plan: ActionPlan) =>
    (await stage.room.desk.find(manager, plan.callId))?.ballots ?? [];

  async function refusedSignal(plan: ActionPlan, ballot: unknown): Promise<string> {
    const before = (await ballots(plan)).length;
    await stage.signal(plan, ballot);
    await until(async () => (await ballots(plan)).length > before, 'the ballot to be judged');
    const last = (await ballots(plan)).at(-1);
    assert.equal(last?.admitted, false);
    assert.equal((await stage.room.desk.find(manager, plan.callId))?.state, 'pending_approval');
    return last?.problem ?? '';
  }

  it('an unsealed plan does nothing and is on record', async () => {
    const plan = { ...planned(stage.room), seal: 'x' };
    const handle = await stage.start(plan);
    assert.equal((await handle.result()).status, 'refused');
    assert.deepEqual(
      (await denied(plan.callId)).map(({ event, outcome, final }) => [event, outcome, final]),
      [['denied', 'denied', true]],
    );
  });

  it('a plan with one word changed does nothing and is on record', async () => {
    const plan = {
      ...planned(stage.room),
      approval: { role: 'analyst', approvers: 1, expiresInSeconds: 60 },
    };
    // The cast: this is exactly what a forger would write.
    const handle = await stage.start(plan as ActionPlan);
    assert.equal((await handle.result()).status, 'refused');
    assert.equal((await denied(plan.callId)).length, 1);
  });

  it('a good plan under another name does nothing and is on record', async () => {
    const plan = await stage.ask({ quantity: 3 });
    const name = `create_reorder-${randomUUID()}`;
    const handle = await stage.temporal.client.workflow.start(WORKFLOWS.action, {
      workflowId: name,
      taskQueue: queueName(stage.temporal.queuePrefix, 'actions'),
      args: [plan],
    });
    assert.equal((await handle.result()).status, 'refused');
    assert.equal((await denied(name)).length, 1);
  });

  it('a sealed plan that was never claimed does nothing and is on record', async () => {
    const plan = planned(stage.room, { quantity: 4 });
    const handle = await stage.start(plan);
    assert.equal((await handle.result()).status, 'refused');
    assert.equal((await denied(plan.callId)).length, 1);
  });

  for (const [what, plan] of [
    ['null', null],
    ['a number', 7],
    ['a list', [1, 2]],
    ['an empty object', {}],
    ['wrong types', { tool: 7, timeoutSeconds: 'x', maxAttempts: -1, caller: 'me', expiresAt: {} }],
    ['absurd limits', { tool: 'check_stock', timeoutSeconds: -1e308, maxAttempts: 1e9 }],
    ['the name of an inner activity', { tool: 'closeAction', caller: { tenant: 'manga' } }],
    ['a name that goes up the prototype', { tool: 'constructor', caller: { tenant: 'manga' } }],
    ['a deep nest', JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)],
  ] as const) {
    it(`${what} as the plan of a read or an action fails, and does not wedge`, async () => {
      const read = await stage.startRead(plan);
      await assert.rejects(read.result());
      const action = await stage.temporal.client.workflow.start(WORKFLOWS.action, {
        workflowId: `forged-${randomUUID()}`,
        taskQueue: queueName(stage.temporal.queuePrefix, 'actions'),
        args: [plan],
      });
      assert.equal((await action.result()).status, 'refused');
    });
  }

  it('a forged read leaves one row, which says that its plan is forged', async () => {
    const plan = { ...(await stage.read('check_stock', { manga_id: 'BER42' })), seal: '' };
    const handle = await stage.startRead(plan);
    await assert.rejects(handle.result());
    assert.equal((await denied(plan.callId)).length, 1);
  });

  it("a good plan of a read under another tool's name is refused", async () => {
    const plan = await stage.read('get_inventory_status', {});
    const handle = await stage.startRead({ ...plan, tool: 'check_stock' });
    await assert.rejects(handle.result());
    assert.equal((await denied(plan.callId)).length, 1);
  });

  it('a signal without a code is refused and kept', async () => {
    const plan = await stage.ask({ quantity: 5 });
    assert.match(
      await refusedSignal(plan, { decision: 'approve', approver: 'warehouse_lead' }),
      /one-time code/,
    );
  });

  it('a signal in the name of a stranger is refused and kept', async () => {
    const plan = await stage.ask({ quantity: 6 });
    assert.notEqual(await refusedSignal(plan, { decision: 'approve', approver: 'nobody', code: 'x' }), '');
  });

  it('a code is good once', async () => {
    await stage.room.grants.ensure('manga', ISSUER, 'third_lead', ['warehouse_lead']);
    const plan = await stage.ask({ quantity: 7, approvers: 2 });
    const { code } = await stage.room.desk.issueCode(lead, plan.callId, 'approve');
    await stage.signal(plan, { decision: 'approve', approver: 'warehouse_lead', code });
    await until(async () => (await ballots(plan)).length === 1, 'the first ballot');
    assert.match(
      await refusedSignal(plan, { decision: 'approve', approver: 'warehouse_lead', code }),
      /used before/,
    );
  });

  it('a code of another action, and of the other decision, is refused, and spent with that', async () => {
    const plan = await stage.ask({ quantity: 8 });
    const other = await stage.ask({ quantity: 9 });
    const { code } = await stage.room.desk.issueCode(lead, other.callId, 'approve');
    const ballot = { decision: 'approve', approver: 'warehouse_lead', code };
    assert.match(await refusedSignal(plan, ballot), /another action/);
    assert.match(await refusedSignal(other, ballot), /used before/);
    const { code: no } = await stage.room.desk.issueCode(lead, plan.callId, 'reject');
    assert.match(await refusedSignal(plan, { ...ballot, code: no }), /other decision/);
  });

  it('a proof of another action, another decision, or one made with another key is refused', async () => {
    const plan = await stage.ask({ quantity: 10 });
    const other = await stage.ask({ quantity: 11 });
    const { seals } = stage.room;
    const vote = (proof: string) =>
      refusedSignal(plan, { decision: 'approve', approver: 'warehouse_lead', proof });
    assert.notEqual(await vote(seals.proveBallot(proofOf(other, lead))), '');
    assert.notEqual(await vote(seals.proveBallot(proofOf(plan, lead, { decision: 'reject' }))), '');
    assert.notEqual(await vote(seals.proveBallot(proofOf(plan, lead, { expiresAtUnix: 1 }))), '');
    assert.notEqual(await vote(`${seals.proveBallot(proofOf(plan, lead)).slice(0, -2)}xx`), '');
  });

  it('nobody approves their own request: not by another login, not through an agent, not for whom they act', async () => {
    const { grants } = stage.room;
    await grants.ensure('manga', ISSUER, 'both_hats', ['supply_chain_manager', 'warehouse_lead']);
    await grants.ensureAgent('manga', ISSUER, 'agent_x', 'both_hats');
    const hats = caller('both_hats');
    const direct = await stage.ask({ quantity: 12, by: hats });
    assert.match((await stage.decide(direct, hats)).problem ?? '', /own action/);
    const throughAgent = await stage.ask({
      quantity: 13,
      by: caller('supply_chain_manager', { actor: 'agent_x' }),
    });
    assert.match((await stage.decide(throughAgent, hats)).problem ?? '', /own action/);
    const byAgent = await stage.ask({ quantity: 14, by: caller('agent_x') });
    assert.match((await stage.decide(byAgent, hats)).problem ?? '', /own action/);
  });

  for (const [what, ballot] of [
    ['a string', 'approve'],
    ['nothing', undefined],
    ['wrong types', { decision: 1, approver: ['x'], code: {}, comment: null }],
    ['a huge comment', { decision: 'approve', approver: 'x'.repeat(1e5), comment: '\u0000‮'.repeat(1e5) }],
  ] as const) {
    it(`${what} as a ballot is kept as one that does not count, and holds nothing up`, async () => {
      const plan = await stage.ask({ quantity: 15 });
      await refusedSignal(plan, ballot);
      assert.equal((await stage.decide(plan, lead, 'reject')).standing, 'denied');
      await stage.outcome(plan);
    });
  }

  it('a signal that cannot even be decoded holds nothing up', async () => {
    const plan = await stage.ask({ quantity: 16 });
    for (const payload of [
      brokenPayload(),
      { metadata: { encoding: Buffer.from('binary/unheard-of') }, data: Buffer.from([1, 2, 3]) },
      { metadata: {}, data: Buffer.from('x') },
    ]) {
      await stage.temporal.client.workflowService.signalWorkflowExecution({
        namespace: stage.temporal.namespace,
        workflowExecution: { workflowId: plan.callId },
        signalName: 'approval',
        input: { payloads: [payload] },
      });
    }
    assert.equal((await stage.decide(plan, lead, 'reject')).standing, 'denied');
    assert.equal((await stage.outcome(plan)).status, 'rejected');
    assert.equal((await ballots(plan)).length, 4);
  });

  it('a flood of garbage does not shut out the approver', async () => {
    const plan = await stage.ask({ quantity: 17 });
    await Promise.all(Array.from({ length: 300 }, () => stage.signal(plan, {})));
    const deadline = Date.now() + 30_000;
    let verdict = await stage.decide(plan, lead, 'reject');
    while (verdict.ballotNo === 0 && Date.now() < deadline)
      verdict = await stage.decide(plan, lead, 'reject');
    assert.equal(verdict.standing, 'denied');
  });

  it('a row of the record that nobody sealed is not written', async () => {
    const entry = { ...(await stage.rows())[0], key: 'forged:1', tool: 'forged' };
    // The cast: this is exactly what a forger would write.
    const owed = { entries: [entry], seal: 'x' } as unknown as OwedRows;
    const handle = await stage.temporal.client.workflow.start(WORKFLOWS.audit, {
      workflowId: `audit-${randomUUID()}`,
      taskQueue: queueName(stage.temporal.queuePrefix, 'lifecycle'),
      args: [owed],
    });
    await assert.rejects(handle.result());
    assert.equal(
      (await stage.rows()).some(({ tool }) => tool === 'forged'),
      false,
    );
  });
});
