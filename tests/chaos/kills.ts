import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import { askFor, assertDoneOnce, newReorder, signal } from './reorder.ts';
import { purchaseOrders, waiting, whileLocked } from './rows.ts';
import type { Stack } from './stack.ts';

type Victim = 'worker' | 'gateway' | 'postgres' | 'temporal';
const WORKER = 'countersign worker';
const VICTIMS: readonly Victim[] = ['worker', 'gateway', 'postgres', 'temporal'];

const partOf = (stack: Stack, name: Victim) =>
  ({
    worker: stack.workers[0],
    gateway: stack.gateways[0],
    postgres: stack.postgres,
    temporal: stack.temporal,
  })[name];

/** A pending action outlives every process of ours and every server of theirs. */
export function describeKills(its: () => Stack): void {
  describe('a reorder that waits for its approval', () => {
    for (const victim of VICTIMS) {
      it(`is placed once when the ${victim} is killed and started again in between`, async () => {
        const stack = its();
        const reorder = await askFor(await stack.session());
        const yes = await stack.yesOf(reorder.actionId);
        await partOf(stack, victim).kill();
        // The vote is cast while its judge is away, unless it is the ballot box itself that is gone.
        if (victim !== 'temporal') await signal(stack, reorder.actionId, yes);
        await stack.heal();
        if (victim === 'temporal') await signal(stack, reorder.actionId, yes);
        await assertDoneOnce(stack, await stack.session(), reorder);
      });
    }

    it('is placed once when all four are killed at the same moment', async () => {
      const stack = its();
      const reorder = await askFor(await stack.session());
      const yes = await stack.yesOf(reorder.actionId);
      await Promise.all(VICTIMS.map((victim) => partOf(stack, victim).kill()));
      await stack.heal();
      await signal(stack, reorder.actionId, yes);
      await assertDoneOnce(stack, await stack.session(), reorder);
    });

    it('is one, and is placed once, when request and signal come twice', async () => {
      const stack = its();
      const asker = await stack.session();
      const args = newReorder();
      const [one, other] = await Promise.all([askFor(asker, args), askFor(await stack.session(), args)]);
      assert.equal(one.actionId, other.actionId);
      const yes = await stack.yesOf(one.actionId);
      await Promise.all([signal(stack, one.actionId, yes), signal(stack, one.actionId, yes)]);
      await assertDoneOnce(stack, asker, one);
    });

    it('is placed once when Postgres is killed in the middle of the effect', async () => {
      const stack = its();
      const asker = await stack.session();
      const reorder = await askFor(asker);
      const yes = await stack.yesOf(reorder.actionId);
      await whileLocked(stack, 'purchase_orders', async () => {
        await signal(stack, reorder.actionId, yes);
        await eventually('the effect is being written', async () => (await waiting(stack, WORKER)) > 0);
        await stack.postgres.kill();
      });
      await stack.heal();
      await assertDoneOnce(stack, asker, reorder);
    });

    it('is placed once when the worker dies after the commit and before it can say so', async () => {
      const stack = its();
      const asker = await stack.session();
      const reorder = await askFor(asker);
      await whileLocked(stack, 'purchase_orders', async (release) => {
        await signal(stack, reorder.actionId, await stack.yesOf(reorder.actionId));
        await eventually('the effect is about to be written', async () => (await waiting(stack, WORKER)) > 0);
        // From here on nothing that the worker says arrives.
        stack.wire.cut();
        await release();
      });
      await eventually('committed', async () => (await purchaseOrders(stack, reorder.actionId)).length === 1);
      await stack.workers[0].kill();
      await stack.heal();
      const events = await stack.withTemporal((client) =>
        client.workflow.getHandle(reorder.actionId).fetchHistory(),
      );
      const isAnswered = events.events?.some((event) => {
        const scheduled = events.events?.find(
          (one) =>
            one.eventId?.toString() ===
            event.activityTaskCompletedEventAttributes?.scheduledEventId?.toString(),
        );
        return scheduled?.activityTaskScheduledEventAttributes?.activityType?.name === 'create_reorder';
      });
      assert.equal(isAnswered, false, 'Temporal was told of the effect after all');
      await assertDoneOnce(stack, asker, reorder);
    });
  });
}
