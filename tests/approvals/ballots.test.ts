import assert from 'node:assert/strict';
import type { Caller } from '../../domain/principal.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import type { BallotStatement } from '../../domain/seals.ts';
import {
  caller,
  cast,
  ISSUER,
  lead,
  manager,
  meddle,
  openRoom,
  planned,
  proofOf,
  type Room,
  SHOP,
  voteByCode,
} from './room.ts';

/** Class of defect: a vote that counts although nobody entitled cast it. */
describe('judging a ballot', () => {
  let room: Room;
  before(async () => {
    room = await openRoom();
  });
  after(() => room.drop());

  async function proposed(
    ...args: Parameters<typeof planned> extends [unknown, ...infer Rest] ? Rest : never
  ) {
    const plan = planned(room, ...args);
    await room.desk.claim(plan, plan.callId);
    return plan;
  }

  function voteByProof(plan: ActionPlan, by: Caller, more: Partial<BallotStatement> = {}) {
    const proof = proofOf(plan, by, more);
    return room.court.judge(plan, cast({ decision: 'approve', approver: by.subject }), proof);
  }

  async function refusedBecause(
    verdict: Promise<{ admitted: boolean; problem?: string; standing: string }>,
    why: RegExp,
  ) {
    const { admitted, problem, standing } = await verdict;
    assert.deepEqual({ admitted, standing }, { admitted: false, standing: 'open' });
    assert.match(problem ?? '', why);
  }

  it('counts a vote of the approver role that carries its own code', async () => {
    const verdict = await voteByCode(room, await proposed(), lead);
    assert.deepEqual([verdict.admitted, verdict.standing], [true, 'approved']);
  });

  it('counts a vote that the gateway vouches for', async () => {
    const verdict = await voteByProof(await proposed(), lead);
    assert.deepEqual([verdict.admitted, verdict.standing], [true, 'approved']);
  });

  it('does not count a vote without code and without proof', async () => {
    const plan = await proposed();
    const vote = room.court.judge(plan, cast({ decision: 'approve', approver: lead.subject }), undefined);
    await refusedBecause(vote, /one-time code/);
  });

  it('does not count an invented code', async () => {
    const plan = await proposed();
    const ballot = { decision: 'approve', approver: lead.subject, code: 'A'.repeat(27) };
    await refusedBecause(room.court.judge(plan, cast(ballot), undefined), /unknown or was used/);
  });

  it('takes a code once, also when the first presentation did not count', async () => {
    const plan = await proposed();
    const { code } = await room.desk.issueCode(lead, plan.callId, 'approve');
    const wrong = { decision: 'reject', approver: lead.subject, code };
    await refusedBecause(room.court.judge(plan, cast(wrong), undefined), /other decision/);
    const right = { decision: 'approve', approver: lead.subject, code };
    await refusedBecause(room.court.judge(plan, cast(right), undefined), /unknown or was used/);
  });

  it('does not count a code that was issued for another action', async () => {
    const [plan, other] = [await proposed(), await proposed({ quantity: 11 })];
    const { code } = await room.desk.issueCode(lead, other.callId, 'approve');
    const ballot = { decision: 'approve', approver: lead.subject, code };
    await refusedBecause(room.court.judge(plan, cast(ballot), undefined), /another action/);
  });

  it("does not count somebody else's code", async () => {
    const plan = await proposed();
    await room.grants.ensure(SHOP, ISSUER, 'second_lead', ['warehouse_lead']);
    const { code } = await room.desk.issueCode(caller('second_lead'), plan.callId, 'approve');
    const ballot = { decision: 'approve', approver: lead.subject, code };
    await refusedBecause(room.court.judge(plan, cast(ballot), undefined), /another approver/);
  });

  it('does not count a code that had expired when the ballot arrived', async () => {
    const plan = await proposed({ expiresInMs: 3_600_000 });
    const { code } = await room.desk.issueCode(lead, plan.callId, 'approve');
    const late = cast({ decision: 'approve', approver: lead.subject, code }, new Date(Date.now() + 601_000));
    await refusedBecause(room.court.judge(plan, late, undefined), /expired/);
  });

  for (const [what, more] of [
    ['another action', { actionId: 'create_reorder-x' }],
    ['another shop', { tenant: 'other' }],
    ['another digest', { digest: 'f'.repeat(64) }],
    ['another decision', { decision: 'reject' }],
    ['another login', { subject: 'finance' }],
  ] as const) {
    it(`does not count a proof that speaks of ${what}`, async () => {
      await refusedBecause(voteByProof(await proposed(), lead, more), /another ballot/);
    });
  }

  it('does not let the requester approve', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'busy', ['warehouse_lead', 'supply_chain_manager']);
    const busy = caller('busy');
    await refusedBecause(voteByProof(await proposed({ by: busy }), busy), /own action/);
  });

  it('does not let the requester approve by another login of the same person', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'twin', ['warehouse_lead', 'supply_chain_manager']);
    await meddle(
      room,
      `insert into identities (shop_id, issuer, subject, person_id) select shop_id, issuer, 'twin_phone', person_id
         from identities where shop_id = $1 and subject = 'twin'`,
      [SHOP],
    );
    await refusedBecause(
      voteByProof(await proposed({ by: caller('twin') }), caller('twin_phone')),
      /own action/,
    );
  });

  it('does not let the person approve for whom an agent asked', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'principal', ['warehouse_lead', 'supply_chain_manager']);
    await room.grants.ensureAgent(SHOP, ISSUER, 'bot', 'principal');
    const plan = await proposed({ by: caller('principal', { actor: 'bot' }) });
    await refusedBecause(voteByProof(plan, caller('principal')), /own action/);
  });

  it("does not let the agent's owner approve what the agent asked for another", async () => {
    await room.grants.ensure(SHOP, ISSUER, 'owner', ['warehouse_lead']);
    await room.grants.ensureAgent(SHOP, ISSUER, 'owned_bot', 'owner');
    const plan = await proposed({ by: caller('supply_chain_manager', { actor: 'owned_bot' }) });
    await refusedBecause(voteByProof(plan, caller('owner')), /own action/);
  });

  it('does not let the person approve for whom the requester acts', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'boss', ['warehouse_lead']);
    await room.grants.ensure(SHOP, ISSUER, 'assistant', ['supply_chain_manager']);
    await meddle(room, 'insert into delegations (shop_id, person_id, for_person_id) values ($1, $2, $3)', [
      SHOP,
      `${ISSUER}|assistant`,
      `${ISSUER}|boss`,
    ]);
    await refusedBecause(
      voteByProof(await proposed({ by: caller('assistant') }), caller('boss')),
      /own action/,
    );
  });

  it('does not count a vote of the wrong role', async () => {
    await refusedBecause(voteByProof(await proposed(), caller('finance')), /Only warehouse_lead/);
  });

  it('does not count a vote of a role that was revoked a moment ago', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'former', ['warehouse_lead']);
    const plan = await proposed();
    await room.grants.revoke(SHOP, ISSUER, 'former', 'warehouse_lead');
    await refusedBecause(voteByProof(plan, caller('former')), /Only warehouse_lead/);
  });

  it('does not count a login nobody knows', async () => {
    await refusedBecause(voteByProof(await proposed(), caller('nobody')), /No person/);
  });

  it('does not count the same login of another issuer', async () => {
    const foreign = caller(lead.subject, { issuer: 'https://elsewhere.example' });
    await refusedBecause(voteByProof(await proposed(), foreign), /No person/);
  });

  it('does not count a vote on something else than what was asked', async () => {
    const plan = await proposed();
    const ballot = { decision: 'approve', approver: lead.subject, seen: 'e'.repeat(64) };
    await refusedBecause(room.court.judge(plan, cast(ballot), proofOf(plan, lead)), /another request/);
  });

  it('does not count a word that is no decision', async () => {
    const plan = await proposed();
    const ballot = { decision: 'APPROVE!', approver: lead.subject };
    await refusedBecause(
      room.court.judge(plan, cast(ballot), proofOf(plan, lead, {})),
      /another ballot|approve or reject/,
    );
  });

  it('does not count a ballot that arrived after expiry', async () => {
    const plan = await proposed({ expiresInMs: 1_000 });
    const late = cast({ decision: 'approve', approver: lead.subject }, new Date(Date.now() + 2_000));
    await refusedBecause(room.court.judge(plan, late, proofOf(plan, lead)), /expired/);
  });

  it('needs two different persons when the rule says two', async () => {
    await room.grants.ensure(SHOP, ISSUER, 'lead_b', ['warehouse_lead']);
    const plan = await proposed({ approvers: 2 });
    assert.equal((await voteByProof(plan, lead)).standing, 'open');
    await refusedBecause(voteByProof(plan, lead), /votes once/);
    assert.equal((await voteByProof(plan, caller('lead_b'))).standing, 'approved');
  });

  it('ends with the first no, and says who said it', async () => {
    const plan = await proposed();
    const verdict = await voteByCode(room, plan, lead, 'reject');
    const action = await room.desk.find(manager, plan.callId);
    assert.deepEqual(
      [verdict.standing, action?.state, action?.reason?.message],
      ['denied', 'rejected', 'Rejected by warehouse_lead. Nothing was changed.'],
    );
  });

  it('leaves a late vote without effect, and on record', async () => {
    const plan = await proposed();
    await voteByCode(room, plan, lead, 'reject');
    const late = await voteByProof(plan, lead);
    const rows = await room.audit.list(SHOP, { callId: plan.callId, limit: 50 });
    assert.deepEqual(
      [late.admitted, rows.filter(({ event }) => event === 'ballot').map(({ outcome }) => outcome)],
      [false, ['denied', 'ok']],
    );
  });

  it('gives a retried judgement its first verdict and writes nothing twice', async () => {
    const plan = await proposed();
    const vote = cast({ decision: 'approve', approver: lead.subject });
    const first = await room.court.judge(plan, vote, proofOf(plan, lead));
    const again = await room.court.judge(plan, vote, proofOf(plan, lead));
    const rows = await room.audit.list(SHOP, { callId: plan.callId, limit: 50 });
    assert.deepEqual([again, rows.filter(({ event }) => event === 'ballot').length], [first, 1]);
  });

  it('admits one of twenty simultaneous votes of one person', async () => {
    const plan = await proposed({ approvers: 2 });
    const votes = await Promise.all(Array.from({ length: 20 }, () => voteByProof(plan, lead)));
    assert.equal(votes.filter(({ admitted }) => admitted).length, 1);
  });

  it('keeps hostile text of a ballot short and without NUL', async () => {
    const plan = await proposed();
    const approver = `x\0${'y'.repeat(10_000)}`;
    const { admitted } = await room.court.judge(plan, cast({ decision: '\0', approver }), undefined);
    const action = await room.desk.find(manager, plan.callId);
    assert.deepEqual([admitted, action?.ballots[0]?.approver.length], [false, 500]);
  });

  it('refuses to judge a plan that is not the claimed one', async () => {
    const plan = await proposed();
    const swapped = planned(room, { quantity: 50 }, { callId: plan.callId });
    await assert.rejects(
      room.court.judge(swapped, cast({ decision: 'approve', approver: 'x' }), undefined),
      /never claimed/,
    );
  });

  it('issues no code to somebody whose vote could not count', async () => {
    const plan = await proposed();
    await assert.rejects(room.desk.issueCode(manager, plan.callId, 'approve'), { code: 'forbidden' });
  });

  it('answers unknown and foreign actions alike when asked for a code', async () => {
    const plan = await proposed();
    const foreign = { ...lead, tenant: 'other' };
    await assert.rejects(room.desk.issueCode(foreign, plan.callId, 'approve'), { code: 'not_found' });
    await assert.rejects(room.desk.issueCode(lead, 'create_reorder-none', 'approve'), { code: 'not_found' });
  });
});
