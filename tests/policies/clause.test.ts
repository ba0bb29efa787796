import assert from 'node:assert/strict';
import { policyClause, underTheirClause } from '../../activities/policies/policy-clause.ts';
import { noPolicies } from '../support/no-policies.ts';
import { createReorder } from '../../catalog/inventory/create-reorder.ts';
import type { Effects } from '../../domain/action.ts';
import { approvalPage } from '../../domain/approval-page.ts';
import type { ActionPlan } from '../../domain/plan.ts';
import type { PolicyClause } from '../../domain/policy-clause.ts';
import { Refusal } from '../../domain/refusal.ts';
import { NOW, staff } from '../support/world.ts';
import { type AnswerRoom, answerRoom, document } from './answer-room.ts';

const RULES = `# Reordering

## Who may approve

Every reorder needs the approval of one warehouse lead.

## Quantity limits

One reorder has at most 1000 units.
`;
const V1 = { tenant: 'manga', docId: 'reorders', docVersion: '1-aaaaaaaaaaaa' };
const CLOCK = { now: () => NOW };
const policy = createReorder.policy ?? { kind: '', question: '' };

/** Class of defect: people approve under one rule, and the action runs under another. */
describe('the clause that an approver is shown', () => {
  let room: AnswerRoom;
  const staffOnly = { docId: 'reorders', kind: 'reorders', title: 'Reordering', audience: 'staff' } as const;
  beforeEach(async () => {
    room = await answerRoom([
      document(RULES, staffOnly),
      document('# Quantity limits\n\nQuantity limits: one reorder may have any number of units.', {
        docId: 'hearsay',
        kind: 'reorders',
      }),
    ]);
  });
  afterEach(() => room.close());

  const body = (parts: Pick<Parameters<typeof policyClause>[0], 'finder' | 'versions'>) =>
    policyClause({ ...parts, clock: CLOCK, realTime: { now: () => new Date() } });
  const find = async (input = policy) => {
    return body({ finder: room.finder, versions: room.versions })({ caller: staff(), input });
  };
  const shown = async (): Promise<PolicyClause> => {
    const { clause } = await find();
    assert.ok(clause);
    return clause;
  };

  it('is what the shop’s own rules say of the limits, word by word, and nothing that customers are told', async () => {
    const clause = await shown();
    assert.equal(clause.text, 'One reorder has at most 1000 units.');
    assert.deepEqual(
      [clause.docId, clause.docVersion, clause.headingPath],
      ['reorders', '1-aaaaaaaaaaaa', ['Reordering', 'Quantity limits']],
    );
    assert.match(clause.digest, /^[0-9a-f]{64}$/);
  });

  it('is none where there is no index, or no such policy: people are asked all the same', async () => {
    assert.deepEqual(await body(noPolicies())({ caller: staff(), input: policy }), { status: 'none' });
    assert.deepEqual(await find({ kind: 'claims', question: policy.question }), { status: 'none' });
  });

  it('is none when its source was not seen for a day', async () => {
    room.change(V1, { verifiedAt: new Date(Date.now() - 25 * 3_600_000).toISOString() });
    assert.deepEqual(await find(), { status: 'none' });
  });

  const run = async (clause: PolicyClause | undefined) => {
    let done = 0;
    const effects: Effects = { once: (_call, _digest, effect) => effect({} as never) };
    // Only what is looked at: who asks, and under which clause.
    const plan = { caller: staff(), ...(clause === undefined ? {} : { clause }) } as ActionPlan;
    const call = { plan, idempotencyKey: 'k', input: {} };
    const ran = underTheirClause(effects, room.versions, CLOCK).once(call, 'digest', async () => ({
      done: (done += 1),
    }));
    return { ran, count: () => done };
  };
  const isVoid = (error: unknown) => error instanceof Refusal && error.code === 'approval_void';

  it('lets the action run as long as it stands', async () => {
    assert.deepEqual(await (await run(await shown())).ran, { done: 1 });
    assert.deepEqual(await (await run(undefined)).ran, { done: 1 });
  });

  for (const [what, spoil] of [
    ['says something else', { text: RULES.replace('1000', '10') }],
    ['was replaced or withdrawn', { supersededAt: '2026-11-21T00:00:00.000Z' }],
    ['holds no longer', { effectiveTo: '2026-11-20' }],
    ['is no policy for staff any more', { audience: 'customer' as const }],
  ] as const)
    it(`voids the approval when the policy ${what}`, async () => {
      const clause = await shown();
      room.change(V1, spoil);
      const { ran, count } = await run(clause);
      await assert.rejects(ran, isVoid);
      assert.equal(count(), 0);
    });

  it('still stands in a newer version that kept it', async () => {
    const clause = await shown();
    room.change(V1, {
      docVersion: '2-bbbbbbbbbbbb',
      text: RULES.replace('one warehouse lead', 'two warehouse leads'),
    });
    assert.deepEqual(await (await run(clause)).ran, { done: 1 });
  });

  it('stands on the page as a block of its own, out of which it cannot get', async () => {
    const clause = { ...(await shown()), text: 'x\n```\n# Approved already <b>' };
    // Only what the page shows.
    const plan = {
      caller: staff(),
      clause,
      asks: 'Order 10 units.',
      approval: { role: 'warehouse_lead', approvers: 1 },
      expiresAt: '2026-11-22T00:00:00.000Z',
    } as ActionPlan;
    const page = approvalPage(plan);
    assert.match(
      page,
      /```text\nOrder 10 units\.\n```\n\nThe policy says\n\n```text\nx ''' # Approved already ‹b›\n```/,
    );
    assert.ok(page.includes(clause.digest) && page.includes(clause.docVersion));
  });
});
