import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import { assertDoneOnce, newReorder, signal } from './reorder.ts';
import { rowsOf, waiting, whileLocked } from './rows.ts';
import type { Stack } from './stack.ts';

const STOCK = { manga_id: 'BER42', volume_number: 42 };
const MOST_MS = 5_000;

export function describeTemporalOutages(its: () => Stack): void {
  describeLostStart(its);
  for (const how of ['gone', 'hung'] as const) {
    it(`while Temporal is ${how}, calls say so within 5 s and health is degraded; all recovers by itself`, async () => {
      const stack = its();
      const asker = await stack.session();
      const args = newReorder();
      if (how === 'gone') await stack.temporal.kill();
      else stack.temporal.freeze();
      const answers = [await asker.call('check_stock', STOCK), await asker.call('create_reorder', args)];
      for (const { error, text, ms } of answers) {
        assert.equal(error, 'unavailable', text);
        assert.match(text, /Temporal/);
        assert.ok(ms < MOST_MS, `${ms} ms`);
      }
      await eventually(
        'health says so',
        async () => (await stack.health()).dependencies['temporal']?.status === 'down',
      );
      assert.equal((await stack.health()).status, 'degraded');

      await stack.temporal.start();
      await eventually(
        'reads are back',
        async () => (await asker.call('check_stock', STOCK)).error === undefined,
      );
      const again = await asker.call('create_reorder', args);
      assert.equal(again.facts['status'], 'pending_approval', again.text);
      const actionId = String(again.facts['action_id']);
      await eventually('its workflow is there', () => isRunning(stack, actionId));
      await signal(stack, actionId, await stack.yesOf(actionId));
      await assertDoneOnce(stack, asker, { actionId, args });
      const claims = await rowsOf(stack, 'select from actions where idempotency_key = $1', [
        args.idempotency_key,
      ]);
      assert.equal(claims.length, 1);
    });
  }
}

/** The claim is in Postgres and its workflow is nowhere: the sweeper's case. */
function describeLostStart(its: () => Stack): void {
  it('an action whose start was lost because Temporal died after the claim is started by itself, and placed once', async () => {
    const stack = its();
    const args = newReorder();
    const asker = await stack.session();
    const lost = await whileLocked(stack, 'audit_log', async (release) => {
      const asked = asker.call('create_reorder', args);
      await eventually('claiming', async () => (await waiting(stack, 'countersign gateway write')) > 0);
      await stack.temporal.kill();
      await release();
      return asked;
    });
    const [claim] = await rowsOf<{ action_id: string }>(
      stack,
      'select action_id from actions where idempotency_key = $1',
      [args.idempotency_key],
    );
    assert.ok(claim, lost.text);
    const actionId = claim.action_id;
    // Nobody who knows of it is left.
    await stack.gateways[0].kill();
    await stack.heal();
    await eventually('the sweeper has started it', () => isRunning(stack, actionId), 60);
    await signal(stack, actionId, await stack.yesOf(actionId));
    await assertDoneOnce(stack, await stack.session(), { actionId, args });
  });
}

function isRunning(stack: Stack, actionId: string): Promise<boolean> {
  return stack.withTemporal((client) =>
    client.workflow
      .getHandle(actionId)
      .describe()
      .then(
        () => true,
        () => false,
      ),
  );
}
