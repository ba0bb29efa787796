import assert from 'node:assert/strict';
import { createActionDesk } from '../../adapters/postgres/action-desk.ts';
import { createEffects } from '../../adapters/postgres/effects.ts';
import type { Bodies } from '../../catalog/index.ts';
import { catalog, resources } from '../../catalog/index.ts';
import { createReorder } from '../../catalog/inventory/create-reorder.ts';
import { approved, callerNamed, callOf, claimed, LEAD, planOf, REQUESTER } from '../support/approved.ts';
import { seededWorld, type World } from '../support/world.ts';

const INPUT = { sku: 'BER42-42', quantity: 40, warehouse: 'WH-2' };
const me = callerNamed(REQUESTER);
const lead = callerNamed(LEAD);

describe('an action', () => {
  let world: World;
  let bodies: Bodies;
  const nudged: string[] = [];

  beforeEach(async () => {
    world = await seededWorld();
    nudged.length = 0;
    bodies = world.bodies({
      desk: createActionDesk(world.db.pools),
      effects: createEffects(world.db.pools),
      runs: { nudge: async (actionId) => void nudged.push(actionId) },
    });
  });
  afterEach(() => world.close());

  const statusFor = (caller: typeof me, action_id: string) =>
    bodies.get_action_status({ caller, input: { action_id } });
  const cancelFor = (caller: typeof me, action_id: string) =>
    bodies.cancel_action({ caller, input: { action_id } });

  it('shows its requester and its approver that it waits, for whom, and that nothing has happened', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    for (const caller of [me, lead]) {
      const { status, message, asks, approval } = await statusFor(caller, callId);
      assert.deepEqual(
        { status, message, asks, approval },
        {
          status: 'pending_approval',
          message: 'Reorder stock: waiting for approval by warehouse_lead. Nothing has happened yet.',
          asks: 'Order 40× BER42-42 for WH-2.',
          approval: { role: 'warehouse_lead', needed: 1, given: 0 },
        },
      );
    }
  });

  it('carries the exact sentence and the result once executed', async () => {
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    const result = await bodies.create_reorder(callOf(plan, INPUT));
    const seen = await statusFor(me, plan.callId);
    assert.deepEqual(
      [seen.status, seen.message, seen.result],
      ['executed', createReorder.say(result), result],
    );
    assert.equal(seen.approval?.given, 1);
  });

  it('is not found by another customer, another shop or a guess, in the same words', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    const seen = [
      await statusFor(callerNamed('finance'), callId),
      await statusFor(callerNamed(REQUESTER, 'shop_123'), callId),
      await statusFor(me, 'act_guess'),
    ];
    for (const { status, message, action_id, ...rest } of seen) {
      assert.deepEqual([status, message], ['not_found', `No action ${action_id} was found. Do not infer.`]);
      assert.deepEqual(Object.keys(rest), ['as_of']);
    }
  });

  it('is withdrawn by its requester, and its workflow is told to look', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    const { status, message } = await cancelFor(me, callId);
    assert.deepEqual(
      [status, message, nudged],
      ['cancelled', 'Reorder stock: withdrawn. Nothing was changed.', [callId]],
    );
  });

  it('is withdrawn once, however often', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    const { as_of: _first, ...first } = await cancelFor(me, callId);
    const { as_of: _second, ...second } = await cancelFor(me, callId);
    assert.deepEqual(first, second);
  });

  it('cannot be withdrawn once executed', async () => {
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    await bodies.create_reorder(callOf(plan, INPUT));
    await assert.rejects(cancelFor(me, plan.callId), { code: 'action_closed' });
  });

  it('cannot be withdrawn by anybody else', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    await assert.rejects(cancelFor(lead, callId), { name: 'Refusal' });
    await assert.rejects(cancelFor(callerNamed(REQUESTER, 'shop_123'), callId), { code: 'not_found' });
    assert.deepEqual([(await statusFor(me, callId)).status, nudged], ['pending_approval', []]);
  });

  it('cannot run once withdrawn', async () => {
    const plan = await approved(world.db, planOf(createReorder, INPUT));
    await cancelFor(me, plan.callId);
    await assert.rejects(bodies.create_reorder(callOf(plan, INPUT)), { code: 'action_closed' });
  });

  it('is listed for those who may decide on it or asked for it, and for nobody else', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    const listed = async (caller: typeof me) =>
      (await bodies.pending_approvals({ caller, input: {} })).pending.map(({ action_id }) => action_id);
    assert.deepEqual(
      [
        await listed(me),
        await listed(lead),
        await listed(callerNamed('finance')),
        await listed(callerNamed(LEAD, 'shop_123')),
      ],
      [[callId], [callId], [], []],
    );
  });

  it('fits the schemas that clients are told', async () => {
    const { callId } = await claimed(world.db, planOf(createReorder, INPUT));
    const seen = await statusFor(me, callId);
    assert.deepEqual(catalog.get('get_action_status')?.output.parse(seen), seen);
    const pending = await bodies.pending_approvals({ caller: lead, input: {} });
    assert.deepEqual(
      resources.find(({ name }) => name === 'pending_approvals')?.output.parse(pending),
      pending,
    );
  });
});
