import assert from 'node:assert/strict';
import { RULE_VERSION } from '../../domain/approval.ts';
import { Refusal } from '../../domain/refusal.ts';
import { caller, ISSUER, lead, manager, meddle, planned, purchaseOrders } from '../approvals/room.ts';
import { activityNames, historyText, openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

describe('runAction', function () {
  this.timeout(60_000);
  let stage: Stage;
  let ordered = 0;
  before(async () => {
    stage = await openStage();
    await stage.work();
  });
  beforeEach(async () => {
    await meddle(stage.room, 'delete from purchase_orders');
    ordered = await purchaseOrders(stage.room);
  });
  after(() => stage.close());

  const nothingOrdered = async () => assert.equal(await purchaseOrders(stage.room), ordered);

  it('orders nothing until somebody else approves', async () => {
    const plan = await stage.ask({ quantity: 11 });
    assert.equal((await stage.decide(plan, manager)).admitted, false);
    await nothingOrdered();

    assert.equal((await stage.decide(plan, lead)).standing, 'approved');
    const { status, message } = await stage.outcome(plan);
    assert.equal(status, 'executed');
    assert.match(message, /^Reorder placed: PO #\d+ \(11× BER42-42 → WH-2\)$/);
    assert.equal(await purchaseOrders(stage.room), 1);
  });

  it('schedules the body after the ballot that decided, and never before', async () => {
    const plan = await stage.ask({ quantity: 12 });
    await stage.decide(plan, lead);
    await stage.outcome(plan);
    assert.deepEqual(await activityNames(stage.handle(plan)), [
      'openAction',
      'judgeBallot',
      'create_reorder',
    ]);
  });

  it('takes the vote as a signal with a one-time code, as the Temporal UI sends it', async () => {
    const plan = await stage.ask({ quantity: 13 });
    const { code } = await stage.room.desk.issueCode(lead, plan.callId, 'approve');
    await stage.signal(plan, { decision: 'approve', approver: 'warehouse_lead', comment: 'fine', code });
    assert.equal((await stage.outcome(plan)).status, 'executed');
  });

  it('shows what is asked, until when, and what to paste, on the page of the run', async () => {
    const plan = await stage.ask({ quantity: 14 });
    let page = '';
    const isShown = async () => {
      page = await pageOf(plan);
      return page.includes('Waiting for approval');
    };
    await until(isShown, 'the page');
    for (const part of ['Order 14× BER42-42 for WH-2.', 'supply_chain_manager', plan.expiresAt, plan.digest])
      assert.ok(page.includes(part), `${part} is missing`);
  });

  it('asks as many persons as the rule says', async () => {
    await stage.room.grants.ensure('manga', ISSUER, 'second_lead', ['warehouse_lead']);
    const plan = await stage.ask({ quantity: 15, approvers: 2 });
    assert.equal((await stage.decide(plan, lead)).standing, 'open');
    assert.equal((await stage.decide(plan, lead)).problem, 'Each person votes once.');
    await nothingOrdered();
    assert.equal((await stage.decide(plan, caller('second_lead'))).standing, 'approved');
    assert.equal((await stage.outcome(plan)).status, 'executed');
  });

  it('ends at the first no, and says by whom', async () => {
    const plan = await stage.ask({ quantity: 16 });
    assert.equal((await stage.decide(plan, lead, 'reject')).standing, 'denied');
    assert.equal((await stage.outcome(plan)).status, 'rejected');
    const action = await stage.room.desk.find(manager, plan.callId);
    assert.match(action?.reason?.message ?? '', /warehouse_lead/);
    await nothingOrdered();
  });

  it('judges, records and answers a ballot that comes while the body runs', async () => {
    const other = await openStage();
    try {
      let finish: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (finish = resolve));
      await other.work({
        activities: {
          create_reorder: async () => {
            await gate;
            return { result: {}, message: 'done' };
          },
        },
      });
      const plan = await other.ask();
      await other.decide(plan, lead);
      const late = await other.decide(plan, lead);
      assert.match(late.problem ?? '', /approved/);
      finish();
      await other.outcome(plan);
      const ballots = (await other.rows(plan.callId)).filter(({ event }) => event === 'ballot');
      assert.equal(ballots.length, 2);
    } finally {
      await other.close();
    }
  });

  it('executes once when request, signal and vote come twice', async () => {
    const plan = planned(stage.room, { quantity: 17 });
    const first = await stage.room.desk.claim(plan, 'twice');
    await stage.start(plan);
    await assert.rejects(stage.start(plan));
    const again = await stage.room.desk.claim(planned(stage.room, { quantity: 17 }), 'twice');
    assert.deepEqual([again.replayed, again.action.actionId], [true, first.action.actionId]);
    const { code } = await stage.room.desk.issueCode(lead, plan.callId, 'approve');
    const ballot = { decision: 'approve', approver: 'warehouse_lead', code };
    await stage.signal(plan, ballot);
    await stage.signal(plan, ballot);
    assert.equal((await stage.outcome(plan)).status, 'executed');
    assert.equal(await purchaseOrders(stage.room), 1);
    const afterwards = await stage.room.desk.claim(planned(stage.room, { quantity: 17 }), 'twice');
    assert.deepEqual([afterwards.replayed, afterwards.action.state], [true, 'executed']);
  });

  it('keeps runs apart: a yes to one is no yes to another', async () => {
    const one = await stage.ask({ quantity: 28 });
    const other = await stage.ask({ quantity: 29 });
    await stage.decide(one, lead);
    await stage.outcome(one);
    await stage.handle(other).signal('nudge');
    assert.equal((await stage.decide(other, manager)).standing, 'open');
    assert.equal((await stage.room.desk.find(manager, other.callId))?.state, 'pending_approval');
  });

  it('expires when nobody decides', async () => {
    const plan = await stage.ask({ quantity: 18, expiresInMs: 400 });
    assert.equal((await stage.outcome(plan)).status, 'expired');
    await nothingOrdered();
  });

  it('ends at once when its requester withdraws it', async () => {
    const plan = await stage.ask({ quantity: 19 });
    await stage.room.desk.cancel(manager, plan.callId);
    await stage.handle(plan).signal('nudge');
    assert.equal((await stage.outcome(plan)).status, 'cancelled');
    await nothingOrdered();
  });

  it('ends as cancelled when an operator cancels the run', async () => {
    const plan = await stage.ask({ quantity: 20 });
    await stage.handle(plan).cancel();
    assert.equal((await stage.outcome(plan)).status, 'cancelled');
    assert.equal((await stage.room.desk.find(manager, plan.callId))?.state, 'cancelled');
  });

  it('refuses after the yes when the requester has lost the scope meanwhile', async () => {
    await stage.room.grants.ensure('manga', ISSUER, 'short_lived', ['supply_chain_manager']);
    const plan = await stage.ask({ quantity: 21, by: caller('short_lived') });
    await stage.room.grants.revoke('manga', ISSUER, 'short_lived', 'supply_chain_manager');
    await stage.decide(plan, lead);
    assert.equal((await stage.outcome(plan)).status, 'refused');
    assert.equal((await stage.room.desk.find(manager, plan.callId)) === undefined, true);
    assert.equal(await finalReason(plan), 'requester_revoked');
    await nothingOrdered();
  });

  it('refuses after the yes when the rule has changed meanwhile', async () => {
    const plan = planned(stage.room, { quantity: 22 }, { ruleVersion: RULE_VERSION + 1 });
    await stage.room.desk.claim(plan, undefined);
    await stage.start(plan);
    await stage.decide(plan, lead);
    assert.equal((await stage.outcome(plan)).status, 'refused');
    assert.equal(await finalReason(plan), 'approval_void');
    await nothingOrdered();
  });

  it('refuses after the yes when the shelf is full meanwhile', async () => {
    const plan = await stage.ask({ quantity: 23 });
    await meddle(stage.room, `update inventory set max_stock_level = 5 where shop_id = 'manga'`);
    try {
      await stage.decide(plan, lead);
      assert.equal((await stage.outcome(plan)).status, 'refused');
      assert.equal(await finalReason(plan), 'above_max_stock');
      await nothingOrdered();
    } finally {
      await meddle(stage.room, `update inventory set max_stock_level = 50 where shop_id = 'manga'`);
    }
  });

  it('repeats the body after a fault, and orders once', async () => {
    const other = await openStage();
    try {
      let attempts = 0;
      const effects: typeof other.room.effects = {
        once: async (call, digest, effect) => {
          attempts += 1;
          const result = await other.room.effects.once(call, digest, effect);
          // Committed, and the answer is lost on its way.
          if (attempts === 1) throw new Error('connection reset');
          return result;
        },
      };
      await other.work({ effects });
      const plan = await other.ask();
      await other.decide(plan, lead);
      assert.equal((await other.outcome(plan)).status, 'executed');
      assert.deepEqual([attempts, await purchaseOrders(other.room)], [2, 1]);
    } finally {
      await other.close();
    }
  });

  it('leaves a row at the ask, at each ballot and one at the end', async () => {
    const plan = await stage.ask({ quantity: 24 });
    await stage.decide(plan, manager);
    await stage.decide(plan, lead);
    await stage.outcome(plan);
    const rows = (await stage.rows(plan.callId)).toReversed();
    assert.deepEqual(
      rows.map(({ event, outcome, final }) => [event, outcome, final]),
      [
        ['proposed', 'pending', false],
        ['ballot', 'denied', false],
        ['ballot', 'ok', false],
        ['outcome', 'executed', true],
      ],
    );
  });

  it('refuses another use of the same key', async () => {
    await stage.room.desk.claim(planned(stage.room, { quantity: 25 }), 'one key');
    await assert.rejects(
      stage.room.desk.claim(planned(stage.room, { quantity: 26 }), 'one key'),
      (error) => error instanceof Refusal && error.code === 'idempotency_conflict',
    );
  });

  async function pageOf(plan: { readonly callId: string }): Promise<string> {
    const meta = await stage.temporal.client.workflowService.queryWorkflow({
      namespace: stage.temporal.namespace,
      execution: { workflowId: plan.callId },
      query: { queryType: '__temporal_workflow_metadata' },
    });
    return Buffer.from(meta.queryResult?.payloads?.[0]?.data ?? '')
      .toString('utf8')
      .replaceAll('\\"', '"');
  }

  async function finalReason(plan: { readonly callId: string }): Promise<string | undefined> {
    return (await stage.rows(plan.callId)).find(({ final }) => final)?.reason;
  }

  it('keeps who may decide out of the history: only ballots and what they came to', async () => {
    const plan = await stage.ask({ quantity: 27 });
    await stage.decide(plan, lead);
    await stage.outcome(plan);
    assert.doesNotMatch(await historyText(stage.handle(plan)), /"roles"/);
  });
});
