import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { z } from 'zod';
import { asAdmin } from '../support/database.ts';
import { type Stack, startStack } from './stack.ts';
import { openSession, textOf } from './wire.ts';

const ACTION = z.object({
  status: z.string(),
  action_id: z.string(),
  replayed: z.boolean().optional(),
  result: z.record(z.string(), z.unknown()).optional(),
});

const REORDER = { sku: 'BER42-42', quantity: 40, warehouse: 'WH-2' };

describe('the gateway on real servers', function () {
  this.timeout(120_000);
  let stack: Stack;
  before(async () => {
    stack = await startStack();
  });
  after(() => stack?.stop());

  it('answers check_stock with the sentence of the sources, through a client library', async () => {
    const client = await connected(await stack.mint('supply_chain_manager'));
    const result = await client.callTool({
      name: 'check_stock',
      arguments: { manga_id: 'BER42', volume_number: 42 },
    });
    await client.close();
    assert.deepEqual(
      z.array(z.object({ text: z.string() })).parse(result.content)[0]?.text,
      'In stock · 14 units · ships from Tokyo',
    );
  });

  it('has answers that fit the schemas it lists, by the client library’s own judgement', async () => {
    const client = await connected(await stack.mint('supply_chain_manager'));
    await client.listTools();
    for (const [name, args] of [
      ['check_stock', { manga_id: 'BER42' }],
      ['get_order_status', { order_id: '88213' }],
      ['list_recent_orders', {}],
      ['get_order_details', { order_id: '88213' }],
      ['get_inventory_status', {}],
      ['get_price', { manga_id: 'BER42' }],
      ['create_reorder', { ...REORDER, quantity: 3 }],
      ['get_action_status', { action_id: 'no_such_action' }],
    ] as const) {
      const result = await client.callTool({ name, arguments: args });
      assert.notEqual(result.isError, true, `${name}: ${JSON.stringify(result.content)}`);
    }
    await client.close();
  });

  it('reads a resource as JSON with a time stamp', async () => {
    const client = await connected(await stack.mint('warehouse_lead'));
    const { contents } = await client.readResource({ uri: 'inventory://warehouse/WH-2/stock' });
    await client.close();
    const [content] = z.array(z.object({ mimeType: z.string(), text: z.string() })).parse(contents);
    assert.equal(content?.mimeType, 'application/json');
    assert.match(String(Reflect.get(JSON.parse(content?.text ?? '{}'), 'as_of')), /^\d{4}-\d\d-\d\dT/);
  });

  it('answers every resource it lists', async () => {
    const client = await connected(await stack.mint('supply_chain_manager'));
    const { resources } = await client.listResources();
    for (const { uri } of resources)
      assert.equal((await client.readResource({ uri })).contents.length, 1, uri);
    await client.close();
    assert.ok(resources.length >= 4);
  });

  it('gives an unknown order and a foreign one the same answer', async () => {
    const session = await openSession(stack.url, await stack.mint('customer:C-NOBODY'));
    const [foreign, unknown] = [
      await session.ask('resources/read', { uri: 'orders://order/88213' }),
      await session.ask('resources/read', { uri: 'orders://order/99999999' }),
    ];
    assert.equal(foreign.error?.code, -32002);
    assert.equal(foreign.error?.message, unknown.error?.message);
  });

  it('gets a prompt verbatim and completes its argument', async () => {
    const client = await connected(await stack.mint('warehouse_lead'));
    const { messages } = await client.getPrompt({ name: 'low_stock_review' });
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: 'inventory://warehouse/{wid}/stock' },
      argument: { name: 'wid', value: 'WH' },
    });
    await client.close();
    assert.match(
      JSON.stringify(messages),
      /Review stock for region 'all'\. For each SKU below its reorder point/,
    );
    assert.ok(completion.values.includes('WH-2'));
  });

  it('leaves one final row for a read', async () => {
    const session = await openSession(stack.url, await stack.mint('analyst'));
    await session.ask('tools/call', { name: 'get_inventory_status', arguments: {} }, 'one-row');
    const rows = await audit(`request_id = 'one-row'`);
    assert.deepEqual(
      rows.map(({ event, final, outcome }) => [event, final, outcome]),
      [['call', true, 'ok']],
    );
  });

  it('starts one workflow for a request that comes twice', async () => {
    const session = await openSession(stack.url, await stack.mint('analyst'));
    const call = { name: 'get_inventory_status', arguments: { category: 'Manga' } };
    const answers = await Promise.all([
      session.ask('tools/call', call, 'twice'),
      session.ask('tools/call', call, 'twice'),
    ]);
    assert.equal((await audit(`request_id = 'twice'`)).length, 1);
    assert.deepEqual(answers[0]?.result, answers[1]?.result);
  });

  it('asks, is approved over HTTP by somebody else, and orders once', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const asked = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, idempotency_key: 'once' },
    });
    const action = ACTION.parse(asked.result?.['structuredContent']);
    assert.equal(action.status, 'pending_approval');
    assert.equal(textOf(asked), 'Reorder stock: waiting for approval by warehouse_lead.');

    const self = await decide(action.action_id, await stack.mint('supply_chain_manager'));
    assert.equal(self.status, 403, await self.text());
    assert.equal(await orders(action.action_id), 0);

    const yes = await decide(action.action_id, await stack.mint('warehouse_lead'));
    assert.equal(yes.status, 200, await yes.text());
    const done = await settled(session, action.action_id);
    assert.match(textOf(done), /^Reorder placed: PO #\d+ \(40× BER42-42 → WH-2\)$/);
    assert.equal(await orders(action.action_id), 1);

    const repeat = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, idempotency_key: 'once' },
    });
    const replayed = ACTION.parse(repeat.result?.['structuredContent']);
    assert.deepEqual(
      [replayed.status, replayed.action_id, replayed.replayed],
      ['executed', action.action_id, true],
    );
    assert.match(textOf(repeat), /^Reorder placed: PO #\d+ \(40× BER42-42 → WH-2\)$/);
    assert.equal(await orders(action.action_id), 1);

    const late = await decide(action.action_id, await stack.mint('warehouse_lead'), 'reject');
    assert.equal(late.status, 409);
    const finals = (await audit(`call_id = '${action.action_id}' and final`)).map(({ outcome }) => outcome);
    assert.deepEqual(finals, ['executed']);
  });

  it('refuses the same key with other arguments', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, quantity: 5, idempotency_key: 'k2' },
    });
    const other = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, quantity: 6, idempotency_key: 'k2' },
    });
    assert.match(textOf(other, 1), /idempotency_conflict/);
  });

  it('does not ask people for what is impossible already', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const answer = await session.ask(
      'tools/call',
      { name: 'create_reorder', arguments: { ...REORDER, quantity: 999_999 } },
      'impossible',
    );
    assert.match(textOf(answer, 1), /above_max_stock/);
    const pending = await api('/v1/approvals', await stack.mint('warehouse_lead'));
    assert.doesNotMatch(await pending.text(), /999999/);
  });

  it('lets the requester withdraw, and nobody approve afterwards', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const asked = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, quantity: 7 },
    });
    const { action_id } = ACTION.parse(asked.result?.['structuredContent']);
    const withdrawn = await session.ask('tools/call', { name: 'cancel_action', arguments: { action_id } });
    assert.equal(Reflect.get(Object(withdrawn.result?.['structuredContent']), 'status'), 'cancelled');
    assert.equal((await decide(action_id, await stack.mint('warehouse_lead'))).status, 409);
  });

  it('rejects with nothing changed', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const asked = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, quantity: 8 },
    });
    const { action_id } = ACTION.parse(asked.result?.['structuredContent']);
    assert.equal((await decide(action_id, await stack.mint('warehouse_lead'), 'reject')).status, 200);
    const done = await settled(session, action_id);
    assert.equal(Reflect.get(Object(done.result?.['structuredContent']), 'status'), 'rejected');
    assert.equal(await orders(action_id), 0);
  });

  it('takes no decision from an agent, a machine, another shop or a stranger', async () => {
    const session = await openSession(stack.url, await stack.mint('agent:supply_chain_manager'));
    const asked = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, quantity: 9 },
    });
    const { action_id } = ACTION.parse(asked.result?.['structuredContent']);
    const statuses: number[] = [];
    for (const token of [
      await stack.mint('agent:warehouse_lead'),
      await stack.mint('warehouse_lead', { shop: 'shop_123' }),
      await stack.mint('finance'),
      await stack.mint('analyst'),
      'forged',
    ]) {
      statuses.push((await decide(action_id, token)).status);
    }
    assert.deepEqual(statuses, [401, 404, 404, 403, 401]);
    assert.equal(await orders(action_id), 0);
  });

  it('gives an approver the JSON to paste, with a code', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const asked = await session.ask('tools/call', {
      name: 'create_reorder',
      arguments: { ...REORDER, quantity: 11 },
    });
    const { action_id } = ACTION.parse(asked.result?.['structuredContent']);
    const response = await api(`/v1/approvals/${action_id}/code`, await stack.mint('warehouse_lead'), {
      decision: 'approve',
    });
    const paste = z
      .object({
        signal: z.literal('approval'),
        input: z.object({
          decision: z.string(),
          approver: z.string(),
          comment: z.string(),
          code: z.string().min(22),
        }),
      })
      .parse(await response.json());
    await stack.temporal.client.workflow.getHandle(action_id).signal(paste.signal, paste.input);
    const done = await settled(session, action_id);
    assert.match(textOf(done), /^Reorder placed: PO #\d+ \(11× BER42-42 → WH-2\)$/);
  });

  it('lists the record to those who may read it, and their own shop’s only', async () => {
    const own = await api('/v1/audit?limit=5', await stack.mint('finance'));
    const foreign = await api('/v1/audit?limit=500', await stack.mint('finance', { shop: 'shop_123' }));
    const none = await api('/v1/audit', await stack.mint('warehouse_lead'));
    assert.deepEqual([own.status, foreign.status, none.status], [200, 200, 403]);
    assert.doesNotMatch(await foreign.text(), /BER42|create_reorder/);
  });

  it('is well, and says what it depends on', async () => {
    const health = z
      .object({ status: z.string(), dependencies: z.record(z.string(), z.object({ status: z.string() })) })
      .parse(await (await fetch(`${stack.url}/health`)).json());
    assert.equal(health.status, 'ok');
    assert.deepEqual(Object.keys(health.dependencies).toSorted(), [
      'events',
      'postgres_read',
      'postgres_write',
      'temporal',
    ]);
  });

  it('can be searched by tool, shop and login in Temporal', async () => {
    const query = `ToolName = 'create_reorder' and ShopId = 'manga' and RequestedBy = 'supply_chain_manager'`;
    const found = await eventually(async () => {
      const ids: string[] = [];
      for await (const { workflowId } of stack.temporal.client.workflow.list({ query })) ids.push(workflowId);
      return ids.length > 3 ? ids : undefined;
    });
    assert.ok(found.every((id) => /^[\w-]+$/.test(id)));
  });

  async function connected(token: string): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(`${stack.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    await client.connect(transport);
    return client;
  }

  function api(path: string, token: string, body?: object): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return fetch(
      `${stack.url}${path}`,
      body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
    );
  }

  function decide(id: string, token: string, decision = 'approve'): Promise<Response> {
    return api(`/v1/approvals/${id}/decision`, token, { decision, comment: 'seen' });
  }

  async function settled(session: Awaited<ReturnType<typeof openSession>>, action_id: string) {
    return eventually(async () => {
      const answer = await session.ask('tools/call', { name: 'get_action_status', arguments: { action_id } });
      const status: unknown = Reflect.get(Object(answer.result?.['structuredContent']), 'status');
      return status === 'pending_approval' || status === 'approved' ? undefined : answer;
    });
  }

  function orders(actionId: string): Promise<number> {
    return asAdmin(async (admin) => {
      const { rowCount } = await admin.query('select from purchase_orders where action_id = $1', [actionId]);
      return rowCount ?? 0;
    }, stack.db.adminUrl);
  }

  function audit(where: string): Promise<{ event: string; final: boolean; outcome: string }[]> {
    return asAdmin(async (admin) => {
      const { rows } = await admin.query<{ event: string; final: boolean; outcome: string }>(
        `select event, final, outcome from audit_log where ${where} order by happened_at`,
      );
      return rows;
    }, stack.db.adminUrl);
  }
});

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const until = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(Date.now() < until, 'it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
