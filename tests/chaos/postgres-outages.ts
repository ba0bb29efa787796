import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import { eventually } from './eventually.ts';
import { askFor, assertDoneOnce, newReorder, signal } from './reorder.ts';
import { endingsOfRequest, rowsOf } from './rows.ts';
import type { Stack } from './stack.ts';

const STOCK = { manga_id: 'BER42', volume_number: 42 };
const IN_STOCK = 'In stock · 14 units · ships from Tokyo';

/** Postgres away in both ways, and how long an answer may take then. */
const OUTAGES = [
  { how: 'gone', begin: (stack: Stack) => stack.postgres.kill(), mostMs: 6_000 },
  { how: 'hung', begin: async (stack: Stack) => stack.postgres.freeze(), mostMs: 10_000 },
] as const;

export function describePostgresOutages(its: () => Stack): void {
  for (const [index, { how, begin, mostMs }] of OUTAGES.entries()) {
    describe(`while Postgres is ${how}`, () => {
      it('a cached answer leaves, and its row is owed and written once afterwards', async () => {
        const stack = its();
        const asker = await stack.session();
        // Rows of the outage before may still be on their way.
        await eventually('nothing is owed', async () => (await owed(stack)).length === 0);
        await asker.call('check_stock', STOCK);
        await begin(stack);
        const stock = await asker.call('check_stock', STOCK);
        assert.equal(stock.text, IN_STOCK);
        assert.match(JSON.stringify(stock.facts['cache']), /"hit":true/);
        assert.ok(stock.ms < mostMs, `${stock.ms} ms`);
        // What was started a moment ago may not be in visibility yet.
        await eventually('the row is owed', async () => (await owed(stack)).length === 1);

        await stack.postgres.start();
        await eventually('nothing is owed', async () => (await owed(stack)).length === 0);
        const rows = await endingsOfRequest(stack, 'check_stock', stock.requestId);
        assert.deepEqual(
          rows.map(({ outcome }) => outcome),
          ['ok'],
        );
      });

      it('prices and actions are refused in so many words, nothing is claimed, and all recovers by itself', async () => {
        const stack = its();
        const asker = await stack.session();
        // A price of its own for each outage: none may be in the cache.
        const price = { manga_id: 'BER42', volume_number: 5 + index };
        const args = newReorder();
        await begin(stack);
        const [unpriced, refused] = [
          await asker.call('get_price', price),
          await asker.call('create_reorder', args),
        ];
        assert.deepEqual(unpriced.facts, {
          status: 'unavailable',
          message: 'Price unavailable for manga_id=BER42. Do not estimate.',
          manga_id: 'BER42',
        });
        assert.equal(refused.error, 'unavailable');
        assert.match(refused.text, /nothing was asked of anybody.*Repeat the call/);
        for (const { ms } of [unpriced, refused]) assert.ok(ms < mostMs, `${ms} ms`);
        await eventually(
          'health says so',
          async () => (await stack.health()).dependencies['postgres_write']?.status === 'down',
        );
        assert.equal((await stack.health()).status, 'degraded');

        await stack.postgres.start();
        await eventually(
          'prices are back',
          async () => (await asker.call('get_price', price)).facts['status'] === 'found',
        );
        assert.deepEqual(
          await rowsOf(stack, 'select from actions where idempotency_key = $1', [args.idempotency_key]),
          [],
        );
        // The session lives on, and the very same request is now the first.
        const reorder = await askFor(asker, args);
        await signal(stack, reorder.actionId, await stack.yesOf(reorder.actionId));
        await assertDoneOnce(stack, asker, reorder);
      });
    });
  }
}

/** Runs that wait for Postgres to take a row. */
function owed(stack: Stack): Promise<readonly string[]> {
  return stack.withTemporal((client) => debts(client));
}

async function debts({ workflow }: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  // By id and not by status: what is found in visibility may be a moment old.
  for await (const { workflowId, status } of workflow.list({ query: "WorkflowType = 'writeAudit'" }))
    if (status.name === 'RUNNING') ids.push(workflowId);
  return ids;
}
