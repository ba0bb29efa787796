import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Asker } from './ask.ts';
import { eventually } from './eventually.ts';
import { endings, purchaseOrders } from './rows.ts';
import type { Stack } from './stack.ts';

/** A request for units, and all that is needed to send it again. */
export type Reorder = { readonly actionId: string; readonly args: ReorderArguments };

type ReorderArguments = {
  readonly sku: string;
  readonly quantity: number;
  readonly warehouse: string;
  readonly idempotency_key: string;
};

let units = 0;

/** Another quantity each time, so that no two sentences are the same. */
export function newReorder(): ReorderArguments {
  units += 1;
  return { sku: 'BER42-42', quantity: units, warehouse: 'WH-2', idempotency_key: randomUUID() };
}

/** Asks for units and makes sure that a person has to say yes. */
export async function askFor(asker: Asker, args = newReorder()): Promise<Reorder> {
  const told = await asker.call('create_reorder', args);
  assert.equal(told.facts['status'], 'pending_approval', told.text);
  return { actionId: String(told.facts['action_id']), args };
}

/** Sends the signal as `temporal workflow signal` does. */
export function signal(
  stack: Stack,
  actionId: string,
  ballot: Readonly<Record<string, string>>,
): Promise<void> {
  return stack.withTemporal((client) => client.workflow.getHandle(actionId).signal('approval', ballot));
}

/** One order, one ending, one sentence, whoever asks how often. */
export async function assertDoneOnce(stack: Stack, asker: Asker, { actionId, args }: Reorder) {
  const status = () => asker.call('get_action_status', { action_id: actionId });
  await eventually('executed', async () => (await status()).facts['status'] === 'executed', 60);
  const orders = await purchaseOrders(stack, actionId);
  assert.equal(orders.length, 1);
  const sentence = `Reorder placed: PO #${orders[0]?.po_id} (${args.quantity}× BER42-42 → WH-2)`;
  const again = await asker.call('create_reorder', args);
  assert.deepEqual(
    [again.text, again.facts['status'], again.facts['action_id'], again.facts['replayed']],
    [sentence, 'executed', actionId, true],
  );
  // The run learns of it too, and says the same.
  const outcome: unknown = await stack.withTemporal((client) => client.workflow.getHandle(actionId).result());
  assert.equal(
    typeof outcome === 'object' && outcome !== null && 'message' in outcome && outcome.message,
    sentence,
  );
  assert.equal((await status()).facts['message'], sentence);
  assert.deepEqual(await endings(stack, actionId), [{ outcome: 'executed', reason: null }]);
  assert.equal((await purchaseOrders(stack, actionId)).length, 1);
}
