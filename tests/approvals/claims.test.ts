import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Refusal } from '../../domain/refusal.ts';
import { caller, ISSUER, lead, manager, openRoom, planned, type Room, SHOP, voteByCode } from './room.ts';

/** Class of defect: one wish that becomes two actions, or an action nobody may answer for. */
describe('claiming an action', () => {
  let room: Room;
  before(async () => {
    room = await openRoom();
  });
  after(() => room.drop());

  it('answers a repeat of the key with the first action, however it ended', async () => {
    const key = randomUUID();
    const first = planned(room, { quantity: 1 });
    await room.desk.claim(first, key);
    await voteByCode(room, first, lead, 'reject');
    const { action, replayed } = await room.desk.claim(planned(room, { quantity: 1 }), key);
    assert.deepEqual([action.actionId, action.state, replayed], [first.callId, 'rejected', true]);
  });

  it('refuses the same key with other arguments, and changes nothing', async () => {
    const key = randomUUID();
    await room.desk.claim(planned(room, { quantity: 2 }), key);
    const other = planned(room, { quantity: 3 });
    await assert.rejects(room.desk.claim(other, key), { code: 'idempotency_conflict' });
    assert.equal(await room.desk.find(manager, other.callId), undefined);
  });

  it('answers the same ask without a key with the open action', async () => {
    const first = planned(room, { quantity: 4 });
    await room.desk.claim(first, undefined);
    const { action, replayed } = await room.desk.claim(planned(room, { quantity: 4 }), undefined);
    assert.deepEqual([action.actionId, replayed], [first.callId, true]);
  });

  it('lets the same ask be made again once the first has ended', async () => {
    const first = planned(room, { quantity: 5 });
    await room.desk.claim(first, undefined);
    await room.desk.cancel(manager, first.callId);
    const second = planned(room, { quantity: 5 });
    const { action, replayed } = await room.desk.claim(second, undefined);
    assert.deepEqual([action.actionId, replayed], [second.callId, false]);
  });

  it('makes one action of twenty simultaneous repeats', async () => {
    const key = randomUUID();
    const claims = await Promise.all(
      Array.from({ length: 20 }, () => room.desk.claim(planned(room, { quantity: 6 }), key)),
    );
    assert.equal(new Set(claims.map(({ action }) => action.actionId)).size, 1);
    assert.equal(claims.filter(({ replayed }) => !replayed).length, 1);
  });

  it("does not mix up two requesters' keys", async () => {
    const key = randomUUID();
    await room.grants.ensure(SHOP, ISSUER, 'other_manager', ['supply_chain_manager']);
    await room.desk.claim(planned(room, { quantity: 7 }), key);
    const theirs = planned(room, { by: caller('other_manager'), quantity: 8 });
    assert.equal((await room.desk.claim(theirs, key)).action.actionId, theirs.callId);
  });

  it('judges the business once, and not for a repeat', async () => {
    const key = randomUUID();
    let checks = 0;
    const check = async () => void (checks += 1);
    await room.desk.claim(planned(room, { quantity: 9 }), key, check);
    await room.desk.claim(planned(room, { quantity: 9 }), key, check);
    assert.equal(checks, 1);
  });

  it('writes nothing when the business says no', async () => {
    const plan = planned(room, { quantity: 12 });
    const no = () => Promise.reject(new Refusal('above_max_stock', 'no room'));
    await assert.rejects(room.desk.claim(plan, undefined, no), { code: 'above_max_stock' });
    assert.equal(await room.desk.find(manager, plan.callId), undefined);
  });

  it('refuses an agent without an owner', async () => {
    const plan = planned(room, { by: caller('supply_chain_manager', { actor: 'stray_bot' }), quantity: 13 });
    await assert.rejects(room.desk.claim(plan, undefined), { code: 'no_person' });
  });

  it('refuses a login nobody knows', async () => {
    await assert.rejects(room.desk.claim(planned(room, { by: caller('stranger') }), undefined), {
      code: 'no_person',
    });
  });

  it('refuses a requester whose grants do not carry the scope', async () => {
    await assert.rejects(room.desk.claim(planned(room, { by: caller('finance') }), undefined), {
      code: 'requester_revoked',
    });
  });

  it('records the proposal in the same breath', async () => {
    const plan = planned(room, { quantity: 14 });
    await room.desk.claim(plan, undefined);
    const rows = await room.audit.list(SHOP, { callId: plan.callId, limit: 10 });
    assert.deepEqual(
      rows.map(({ event, final, outcome }) => ({ event, final, outcome })),
      [{ event: 'proposed', final: false, outcome: 'pending' }],
    );
  });
});

describe('looking at and withdrawing an action', () => {
  let room: Room;
  before(async () => {
    room = await openRoom();
  });
  after(() => room.drop());

  async function proposed(quantity: number) {
    const plan = planned(room, { quantity });
    await room.desk.claim(plan, undefined);
    return plan;
  }

  it('shows it to the requester and to those who may decide, and to nobody else', async () => {
    const { callId } = await proposed(1);
    const seenBy = await Promise.all(
      [
        manager,
        lead,
        caller('finance'),
        caller('analyst'),
        { ...manager, tenant: 'other' },
        caller('nobody'),
      ].map(async (who) => (await room.desk.find(who, callId)) !== undefined),
    );
    assert.deepEqual(seenBy, [true, true, false, false, false, false]);
  });

  it('lists what one may decide on, oldest first, and no other shop', async () => {
    const [first, second] = [await proposed(2), await proposed(3)];
    const open = (await room.desk.pending(lead, 50)).map(({ actionId }) => actionId);
    assert.deepEqual(open.slice(-2), [first.callId, second.callId]);
    assert.deepEqual(await room.desk.pending({ ...lead, tenant: 'other' }, 50), []);
  });

  it('lets the requester withdraw it, once and for all', async () => {
    const { callId } = await proposed(4);
    assert.equal((await room.desk.cancel(manager, callId)).state, 'cancelled');
    assert.equal((await room.desk.cancel(manager, callId)).state, 'cancelled');
    const finals = await room.audit.list(SHOP, { callId, finalOnly: true, limit: 10 });
    assert.deepEqual(
      finals.map(({ outcome }) => outcome),
      ['cancelled'],
    );
  });

  it('does not let an approver withdraw it', async () => {
    const { callId } = await proposed(5);
    await assert.rejects(room.desk.cancel(lead, callId), { code: 'forbidden' });
  });

  it('answers a stranger as if there were none', async () => {
    const { callId } = await proposed(6);
    await assert.rejects(room.desk.cancel(caller('analyst'), callId), { code: 'not_found' });
  });

  it('does not withdraw what has ended', async () => {
    const plan = await proposed(7);
    await voteByCode(room, plan, lead, 'reject');
    await assert.rejects(room.desk.cancel(manager, plan.callId), { code: 'action_closed' });
  });

  it('knows the vote of a person that counted, and nobody else’s', async () => {
    const plan = await proposed(10);
    assert.equal(await room.desk.voteOf(lead, plan.callId), undefined);
    await voteByCode(room, plan, lead, 'reject');
    const known = [
      lead,
      manager,
      caller('nobody'),
      { ...lead, issuer: 'elsewhere' },
      { ...lead, tenant: 'other' },
    ];
    assert.deepEqual(await Promise.all(known.map((who) => room.desk.voteOf(who, plan.callId))), [
      'reject',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('counts no vote after a withdrawal', async () => {
    const plan = await proposed(8);
    const { code } = await room.desk.issueCode(lead, plan.callId, 'approve');
    await room.desk.cancel(manager, plan.callId);
    const ballot = { decision: 'approve', approver: lead.subject, code };
    const verdict = await room.court.judge(
      plan,
      { ballotNo: 1, ballot, arrivedAt: new Date().toISOString() },
      undefined,
    );
    assert.deepEqual([verdict.admitted, verdict.standing], [false, 'closed']);
  });

  it('finds open actions of every shop that may have lost their workflow', async () => {
    const { callId } = await proposed(9);
    const found = await room.desk.open(0, 1_000);
    assert.ok(found.some((plan) => plan.callId === callId));
    assert.deepEqual(await room.desk.open(3_600, 1_000), []);
  });
});
