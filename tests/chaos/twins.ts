import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import { askFor, assertDoneOnce, newReorder, signal } from './reorder.ts';
import type { Gateway, Stack } from './stack.ts';

/** Two gateways and two workers on one Temporal, Postgres and Redis. */
export function describeTwins(its: () => Stack): void {
  describe('two gateways and two workers', () => {
    beforeEach(async () => {
      const { gateways, workers } = its();
      await Promise.all([gateways[1].start(), workers[1].start()]);
    });
    after(async () => {
      const { gateways, workers } = its();
      await Promise.all([gateways[1].kill(), workers[1].kill()]);
    });

    it('place one order for an action that is asked for at one and decided at the other', async () => {
      const stack = its();
      const [here, there] = [await stack.session(stack.gateways[0]), await stack.session(stack.gateways[1])];
      for (const [from, decider] of [
        [here, stack.gateways[1]],
        [there, stack.gateways[0]],
      ] as const) {
        const reorder = await askFor(from);
        await decide(stack, decider, reorder.actionId);
        await assertDoneOnce(stack, here, reorder);
        await assertDoneOnce(stack, there, reorder);
      }
    });

    it('place one order when the same request and the same vote come to both at once', async () => {
      const stack = its();
      const [here, there] = [await stack.session(stack.gateways[0]), await stack.session(stack.gateways[1])];
      const args = newReorder();
      const [one, other] = await Promise.all([askFor(here, args), askFor(there, args)]);
      assert.equal(one.actionId, other.actionId);
      const yes = await stack.yesOf(one.actionId);
      // One vote by signal, one by each gateway: only one of them is needed, and none of the others does harm.
      await Promise.allSettled([
        signal(stack, one.actionId, yes),
        ...stack.gateways.map((gateway) => decide(stack, gateway, one.actionId)),
      ]);
      await assertDoneOnce(stack, there, one);
    });

    it('serve on when one gateway and one worker are killed, what they had under way included', async () => {
      const stack = its();
      const survivor = await stack.session(stack.gateways[1]);
      const reorder = await askFor(await stack.session(stack.gateways[0]));
      await Promise.all([stack.gateways[0].kill(), stack.workers[0].kill()]);
      for (let times = 0; times < 5; times += 1) {
        const told = await survivor.call('get_price', { manga_id: 'BER42', volume_number: 20 + times });
        assert.equal(told.facts['status'], 'found', told.text);
        assert.ok(told.ms < 5_000, `${told.ms} ms`);
      }
      await eventually('well', async () => (await stack.health(stack.gateways[1])).status === 'ok');
      await decide(stack, stack.gateways[1], reorder.actionId);
      await assertDoneOnce(stack, survivor, reorder);
    });
  });
}

/** The lead says yes over the HTTP API of that gateway. */
async function decide(stack: Stack, { url }: Gateway, actionId: string): Promise<void> {
  const authorization = `Bearer ${await stack.mint('warehouse_lead')}`;
  const vote = () =>
    fetch(`${url}/v1/approvals/${actionId}/decision`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ decision: 'approve' }),
    });
  let response = await vote();
  // A machine that is too busy says that it cannot tell whether the vote arrived. Votes of one person count once.
  for (let times = 0; response.status === 503 && times < 5; times += 1) response = await vote();
  assert.equal(response.status, 200, await response.text());
}
