import assert from 'node:assert/strict';
import { Refusal } from '../../domain/refusal.ts';
import {
  caller,
  ISSUER,
  lead,
  manager,
  meddle,
  openRoom,
  order,
  planned,
  purchaseOrders,
  type Room,
  SHOP,
  voteByCode,
} from './room.ts';

/** Class of defect: an effect without a valid approval, or one that happens twice. */
describe('running an approved effect', () => {
  let room: Room;
  beforeEach(async () => {
    room = await openRoom();
  });
  afterEach(() => room.drop());

  async function approved() {
    const plan = planned(room);
    await room.desk.claim(plan, undefined);
    await voteByCode(room, plan, lead);
    return plan;
  }

  async function refused(plan: ReturnType<typeof planned>, code: string) {
    await assert.rejects(order(room.effects, plan), { code });
    assert.equal(await purchaseOrders(room), 0);
  }

  it('commits effect, result, state and final row together', async () => {
    const plan = await approved();
    const result = await order(room.effects, plan);
    const action = await room.desk.find(manager, plan.callId);
    const finals = await room.audit.list(SHOP, { callId: plan.callId, finalOnly: true, limit: 10 });
    assert.deepEqual(
      [action?.state, action?.result, finals.map(({ outcome }) => outcome), await purchaseOrders(room)],
      ['executed', result, ['executed'], 1],
    );
  });

  it('answers a repeat with the first result and orders nothing more', async () => {
    const plan = await approved();
    const first = await order(room.effects, plan);
    assert.deepEqual(await order(room.effects, plan), first);
    assert.equal(await purchaseOrders(room), 1);
  });

  it('orders once for twenty workers that run it at the same time', async () => {
    const plan = await approved();
    await Promise.all(Array.from({ length: 20 }, () => order(room.effects, plan)));
    assert.equal(await purchaseOrders(room), 1);
  });

  it('keeps the approval for a retry when the body fails in the middle', async () => {
    const plan = await approved();
    const broken = order(room.effects, plan, () => Promise.reject(new Error('the disk is full')));
    await assert.rejects(broken, /disk is full/);
    assert.equal(await purchaseOrders(room), 0);
    await order(room.effects, plan);
    assert.equal(await purchaseOrders(room), 1);
  });

  it('does nothing before a yes', async () => {
    const plan = planned(room);
    await room.desk.claim(plan, undefined);
    await refused(plan, 'approval_missing');
  });

  it('does nothing for an action that was never claimed', async () => {
    await refused(planned(room), 'approval_missing');
  });

  it('does nothing after a no', async () => {
    const plan = planned(room);
    await room.desk.claim(plan, undefined);
    await voteByCode(room, plan, lead, 'reject');
    await refused(plan, 'action_closed');
  });

  it('does nothing when the requester withdrew it between yes and effect', async () => {
    const plan = await approved();
    await room.desk.cancel(manager, plan.callId);
    await refused(plan, 'action_closed');
  });

  it('does nothing when the requester lost the grant between yes and effect', async () => {
    const plan = await approved();
    await room.grants.revoke(SHOP, ISSUER, 'supply_chain_manager', 'supply_chain_manager');
    await refused(plan, 'requester_revoked');
  });

  it('does nothing when the approver lost the role between yes and effect', async () => {
    const plan = await approved();
    await room.grants.revoke(SHOP, ISSUER, 'warehouse_lead', 'warehouse_lead');
    await refused(plan, 'approval_void');
  });

  it('does nothing when the rules changed between yes and effect', async () => {
    const plan = await approved();
    await meddle(room, 'update approvals set rule_version = rule_version - 1');
    await refused(plan, 'approval_void');
  });

  it('does nothing when the digest is not the one that was approved', async () => {
    const plan = await approved();
    await meddle(room, `update approvals set digest = repeat('0', 64)`);
    await refused(plan, 'approval_void');
  });

  it('does nothing with an approval that was consumed before', async () => {
    const plan = await approved();
    await meddle(room, 'update approvals set consumed_at = now()');
    await refused(plan, 'approval_missing');
  });

  it('does nothing with an approval that is too old', async () => {
    const plan = await approved();
    await meddle(room, `update approvals set granted_at = now() - interval '2 hours'`);
    await meddle(room, `update actions set expires_at = now() - interval '1 hour'`);
    await refused(plan, 'approval_expired');
  });

  it("does nothing in another shop, with that shop's own name in the plan", async () => {
    const plan = await approved();
    await refused({ ...plan, caller: { ...plan.caller, tenant: 'other' } }, 'approval_missing');
  });

  it('changes nothing when the body refuses', async () => {
    const plan = await approved();
    const no = order(room.effects, plan, () => Promise.reject(new Refusal('above_max_stock', 'no room')));
    await assert.rejects(no, { code: 'above_max_stock' });
    assert.equal(await purchaseOrders(room), 0);
  });

  it('closes once: the first ending stands', async () => {
    const plan = planned(room);
    await room.desk.claim(plan, undefined);
    assert.equal(await room.court.close(plan, { state: 'expired' }), 'expired');
    assert.equal(await room.court.close(plan, { state: 'failed' }), 'expired');
    const finals = await room.audit.list(SHOP, { callId: plan.callId, finalOnly: true, limit: 10 });
    assert.deepEqual(
      finals.map(({ outcome }) => outcome),
      ['expired'],
    );
  });

  it('gives purchase order and action their names: who asked, who approved', async () => {
    const plan = await approved();
    await order(room.effects, plan);
    const { rows } = await room.pools.system.query<{ requested_by: string; approved_by: string[] }>(
      'select requested_by, approved_by from purchase_orders',
    );
    assert.deepEqual(rows, [{ requested_by: 'supply_chain_manager', approved_by: ['warehouse_lead'] }]);
  });

  it('never restores a revoked grant by making sure of a login', async () => {
    await room.grants.revoke(SHOP, ISSUER, 'warehouse_lead', 'warehouse_lead');
    await room.grants.ensure(SHOP, ISSUER, 'warehouse_lead', ['warehouse_lead']);
    assert.deepEqual((await room.grants.voter(SHOP, ISSUER, 'warehouse_lead'))?.roles, []);
  });

  it('keeps grants of one shop out of another', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'only_here', ['warehouse_lead']);
    assert.equal(await room.grants.voter('other', ISSUER, caller('only_here').subject), undefined);
  });
});
