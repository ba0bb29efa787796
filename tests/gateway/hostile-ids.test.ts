import assert from 'node:assert/strict';
import { startStack, type Stack } from './stack.ts';

/** Class of defect: a request id that no row can hold, so that its call never ends on record. */
describe('a request whose id no database can hold', () => {
  let stack: Stack;
  before(async function () {
    this.timeout(120_000);
    stack = await startStack();
  });
  after(() => stack.stop());

  for (const [what, id] of [
    ['a NUL', 'a\0b'],
    ['half of a surrogate pair', 'a\ud800'],
    ['a hundred thousand characters', 'x'.repeat(100_000)],
  ] as const) {
    it(`is answered and recorded all the same: ${what}`, async () => {
      const token = await stack.mint('supply_chain_manager');
      const post = (body: unknown, session?: string) =>
        fetch(`${stack.url}/mcp`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...(session === undefined ? {} : { 'mcp-session-id': session }),
          },
          body: JSON.stringify(body),
        });
      const opened = await post({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      });
      const session = opened.headers.get('mcp-session-id') ?? '';
      await opened.text();
      const call = (name: string, args: object) =>
        post({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } }, session);
      const read = await (await call('check_stock', { manga_id: 'BER42', volume_number: 42 })).text();
      assert.match(read, /In stock · 14 units · ships from Tokyo/);
      const asked = await (
        await call('create_reorder', { sku: 'BER42-42', quantity: 1, warehouse: 'WH-2' })
      ).text();
      assert.match(asked, /pending_approval/);
      const audit = await fetch(`${stack.url}/v1/audit?tool=check_stock&limit=1`, {
        headers: { authorization: `Bearer ${token}` },
      });
      assert.match(await audit.text(), /"outcome":"ok"/);
    });
  }
});
