import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.ts';
import { endingsOfRequest, waiting, whileLocked } from './rows.ts';
import type { Stack } from './stack.ts';

const TOOL = 'get_inventory_status';
const GATEWAY = 'countersign gateway reads';

/** A read whose process dies is taken over by another, and ends once. */
export function describeReadsInMidCall(its: () => Stack): void {
  describe('a read in mid-call', () => {
    it('is taken over by the worker when its gateway is killed', async () => {
      const stack = its();
      const requestId = randomUUID();
      await whileLocked(stack, 'inventory', async (release) => {
        await loseTheGateway(stack, requestId);
        await release();
      });
      await assertEndedOnce(stack, requestId);
    });

    it('is refused in good time, and ends once, when Postgres is killed under it', async () => {
      const stack = its();
      const requestId = randomUUID();
      const asker = await stack.session();
      const told = await whileLocked(stack, 'inventory', async () => {
        const asked = asker.call(TOOL, { product: requestId }, requestId);
        await eventually('in the middle of it', async () => (await waiting(stack, GATEWAY)) > 0);
        await stack.postgres.kill();
        return asked;
      });
      assert.equal(told.error, 'unavailable', told.text);
      assert.ok(told.ms < 5_000, `${told.ms} ms`);
      await stack.postgres.start();
      const ended = () => endingsOfRequest(stack, TOOL, requestId);
      await eventually('its row is there', async () => (await ended()).length > 0);
      assert.deepEqual(
        (await ended()).map(({ outcome }) => outcome),
        ['refused'],
      );
    });

    it('still ends once when the worker that took it over is killed too', async () => {
      const stack = its();
      const requestId = randomUUID();
      await whileLocked(stack, 'inventory', async (release) => {
        await loseTheGateway(stack, requestId);
        await stack.workers[0].kill();
        await release();
      });
      assert.deepEqual(await endingsOfRequest(stack, TOOL, requestId), []);
      await stack.heal();
      await assertEndedOnce(stack, requestId);
    });
  });
}

/** Returns once the gateway is dead and the worker is where the gateway was. */
async function loseTheGateway(stack: Stack, requestId: string): Promise<void> {
  const asker = await stack.session();
  // Never cached: nobody has asked for this before.
  const asked = asker.call(TOOL, { product: requestId }, requestId);
  asked.catch(() => undefined);
  await eventually('the gateway is in the middle of it', async () => (await waiting(stack, GATEWAY)) > 0);
  await stack.gateways[0].kill();
  await assert.rejects(asked, 'the caller got an answer from a dead gateway');
  await eventually(
    'the worker has taken it over',
    async () => (await waiting(stack, 'countersign worker')) > 0,
    15,
  );
}

async function assertEndedOnce(stack: Stack, requestId: string): Promise<void> {
  const ended = () => endingsOfRequest(stack, TOOL, requestId);
  await eventually('it has ended', async () => (await ended()).length > 0);
  const [ending, ...more] = await ended();
  assert.deepEqual([ending?.outcome, more], ['ok', []]);
  const status = await stack.withTemporal((client) =>
    client.workflow.getHandle(ending?.call_id ?? '').describe(),
  );
  assert.equal(status.status.name, 'COMPLETED');
}
