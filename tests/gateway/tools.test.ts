import assert from 'node:assert/strict';
import { ROLES } from '../../domain/roles.ts';
import { Refusal } from '../../domain/refusal.ts';
import { STOCK, type Wire, answerIn, openSession, startWire, textOf } from './wire.ts';

describe('tools over the wire', () => {
  let wire: Wire;
  before(async () => {
    wire = await startWire();
  });
  after(() => wire.stop());

  it('introduces itself with a name, instructions and what it can do', async () => {
    const { hello } = await openSession(wire.url, await wire.mint('warehouse_lead'));
    assert.equal(Reflect.get(Object(hello.result?.['serverInfo']), 'name'), 'countersign');
    assert.match(String(hello.result?.['instructions']), /NEVER infer/);
  });

  it('takes the name of the one server that is asked for', async () => {
    const { hello } = await openSession(wire.url, await wire.mint('warehouse_lead'), '/mcp/inventory');
    assert.equal(Reflect.get(Object(hello.result?.['serverInfo']), 'name'), 'inventory');
  });

  it('answers with the sentence, the JSON and the structure', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const answer = await session.ask('tools/call', {
      name: 'check_stock',
      arguments: { manga_id: 'BER42', volume_number: 42 },
    });
    assert.deepEqual(answer.result?.['structuredContent'], STOCK);
    assert.deepEqual(JSON.parse(textOf(answer, 1)), STOCK);
  });

  it('names the field of an invalid argument, and repeats nothing that was sent', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const hostile = "BER42'; drop table stock; --";
    const answer = await session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: hostile } });
    assert.equal(answer.result?.['isError'], true);
    assert.match(textOf(answer), /manga_id/);
    assert.doesNotMatch(textOf(answer), /drop table/);
  });

  it('refuses arguments that the tool does not know', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const answer = await session.ask('tools/call', {
      name: 'check_stock',
      arguments: { manga_id: 'BER42', shop: 'other' },
    });
    assert.match(textOf(answer), /unknown arguments: shop/);
  });

  it('starts nothing for invalid arguments and puts them on record', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const before = wire.plans.length;
    await session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 7 } });
    assert.equal(wire.plans.length, before);
    const row = wire.rows.at(-1);
    assert.deepEqual(
      [row?.tool, row?.outcome, row?.reason, row?.final],
      ['check_stock', 'denied', 'invalid_arguments', true],
    );
  });

  it('does not know a tool that does not exist', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const answer = await session.ask('tools/call', { name: 'approve_everything', arguments: {} });
    assert.equal(answer.error?.code, -32602);
    assert.equal(wire.rows.at(-1)?.reason, 'unknown_tool');
  });

  it('answers a tool that the role can never have exactly as one that does not exist', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'));
    const [foreign, unknown] = [
      await session.ask('tools/call', { name: 'create_reorder', arguments: {} }),
      await session.ask('tools/call', { name: 'no_such_tool__', arguments: {} }),
    ];
    assert.deepEqual(
      foreign.error?.message.replace('create_reorder', ''),
      unknown.error?.message.replace('no_such_tool__', ''),
    );
    assert.equal(foreign.error?.code, unknown.error?.code);
  });

  it('never offers an internal read as a tool', async () => {
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
    const answer = await session.ask('tools/call', {
      name: 'complete_argument',
      arguments: { what: 'sku', prefix: '' },
    });
    assert.equal(answer.error?.code, -32602);
  });

  it('runs a repeated request of a session under one id, and another session under another', async () => {
    const token = await wire.mint('warehouse_lead');
    const [one, two] = [await openSession(wire.url, token), await openSession(wire.url, token)];
    const before = wire.plans.length;
    const call = { name: 'check_stock', arguments: { manga_id: 'BER42' } };
    await one.ask('tools/call', call, 77);
    await one.ask('tools/call', call, 77);
    await two.ask('tools/call', call, 77);
    const ids = wire.plans.slice(before).map(({ callId }) => callId);
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
    for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]+$/);
  });

  it('looks nothing up by a foreign user_id, and records that one was sent', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'));
    const before = wire.plans.length;
    await session.ask('tools/call', {
      name: 'get_order_status',
      arguments: { order_id: '88213', user_id: 'C-2' },
    });
    const plan = wire.plans[before];
    assert.deepEqual([plan?.caller.customerId, plan?.input['user_id']], ['C-1', undefined]);
    assert.equal(wire.rows.at(-1)?.reason, 'user_id_ignored');
    assert.equal(JSON.stringify(wire.rows.at(-1)).includes('C-2'), false);
  });

  it('says nothing about a user_id that is the caller', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'));
    const before = wire.rows.length;
    await session.ask('tools/call', {
      name: 'get_order_status',
      arguments: { order_id: '88213', user_id: 'C-1' },
    });
    assert.equal(wire.rows.length, before);
  });

  it('ignores a user_id in the query string', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'), '/mcp?user_id=C-2');
    const before = wire.plans.length;
    await session.ask('tools/call', { name: 'get_order_status', arguments: { order_id: '88213' } });
    assert.equal(wire.plans[before]?.caller.customerId, 'C-1');
  });

  it('carries neither roles nor scopes nor the token in a plan', async () => {
    const token = await wire.mint('warehouse_lead');
    const session = await openSession(wire.url, token);
    await session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    const plan = JSON.stringify(wire.plans.at(-1));
    assert.equal(plan.includes(token), false);
    assert.doesNotMatch(plan, /"roles"|inventory:write/);
  });

  it('treats a call that asks for a task as a plain call, since it declares no tasks', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const answer = await session.ask('tools/call', {
      name: 'check_stock',
      arguments: { manga_id: 'BER42' },
      task: { ttl: 1000 },
    });
    assert.deepEqual(answer.result?.['structuredContent'], STOCK);
  });

  it('reports progress to a client that asks for it', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const response = await session.post({
      jsonrpc: '2.0',
      id: 5,
      method: 'tools/call',
      params: { name: 'check_stock', arguments: { manga_id: 'BER42' }, _meta: { progressToken: 'p1' } },
    });
    const text = await response.text();
    assert.equal(text.match(/notifications\/progress/g)?.length, 2);
    assert.ok(text.lastIndexOf('notifications/progress') < text.indexOf('structuredContent'));
  });

  for (const role of ROLES) {
    it(`lists for ${role} only tools that ${role} may call`, async () => {
      const session = await openSession(
        wire.url,
        await wire.mint(role === 'customer' ? 'customer:C-1' : role),
      );
      for (const name of namesIn(await session.ask('tools/list', {}), 'tools')) {
        const response = await session.post({
          jsonrpc: '2.0',
          id: `x-${name}`,
          method: 'tools/call',
          params: { name, arguments: { nonsense: 1 } },
        });
        assert.match(textOf(await answerIn(response)), /nonsense/, name);
      }
    });
  }

  it('shows a customer the curated list and nothing else', async () => {
    const session = await openSession(wire.url, await wire.mint('customer:C-1'));
    const names = namesIn(await session.ask('tools/list', {}), 'tools');
    assert.deepEqual(names, [
      'cancel_action',
      'check_stock',
      'get_order_status',
      'get_price',
      'get_shipping_estimate',
      'list_recent_orders',
      'search_policies',
    ]);
  });

  it('lists the tools of one server, and the platform’s, under its path', async () => {
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'), '/mcp/inventory');
    const names = namesIn(await session.ask('tools/list', {}), 'tools');
    assert.ok(names.includes('create_reorder') && names.includes('get_action_status'));
    assert.equal(names.includes('get_order_status'), false);
  });

  it('lists in the same order every time', async () => {
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
    const first = namesIn(await session.ask('tools/list', {}), 'tools');
    assert.deepEqual(namesIn(await session.ask('tools/list', {}), 'tools'), first);
    assert.deepEqual(first, first.toSorted());
  });

  it('describes every tool: schemas, annotations, and that actions change things', async () => {
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
    const { result } = await session.ask('tools/list', {});
    const tools = result?.['tools'];
    assert.ok(Array.isArray(tools) && tools.length > 5);
    const changing = tools.filter((tool) => tool.annotations.readOnlyHint === false);
    for (const tool of tools)
      assert.ok(tool.title && tool.description && tool.inputSchema && tool.outputSchema, tool.name);
    assert.deepEqual(
      changing.map(({ name }) => name),
      ['cancel_action', 'create_reorder', 'schedule_promotion', 'withdraw_promotion'],
    );
  });
});

describe('pages of a list', () => {
  let wire: Wire;
  before(async () => {
    wire = await startWire({ pageSize: 2 });
  });
  after(() => wire.stop());

  it('lead through everything once', async () => {
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
    const names: string[] = [];
    for (let cursor: unknown = undefined, page = 0; page < 20; page += 1) {
      const answer = await session.ask('tools/list', cursor === undefined ? {} : { cursor });
      names.push(...namesIn(answer, 'tools'));
      cursor = answer.result?.['nextCursor'];
      if (cursor === undefined) break;
    }
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes('create_reorder') && names.includes('check_stock'));
  });

  it('refuse a cursor that was never given', async () => {
    const session = await openSession(wire.url, await wire.mint('supply_chain_manager'));
    for (const cursor of ['', 'x', '-1', Buffer.from('page:99999').toString('base64url')]) {
      assert.equal((await session.ask('tools/list', { cursor })).error?.code, -32602, cursor);
    }
  });
});

describe('what goes wrong behind the door', () => {
  it('reaches the caller as a refusal with its code', async () => {
    const wire = await startWire({
      read: async () => {
        throw new Refusal('busy', 'Too many requests are under way.');
      },
    });
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const answer = await session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    await wire.stop();
    assert.equal(JSON.parse(textOf(answer, 1)).error.code, 'busy');
    assert.equal(wire.rows.at(-1)?.reason, 'busy');
  });

  it('is hidden when it is a fault: the caller gets an id and no text of ours', async () => {
    const wire = await startWire({
      read: async () => {
        throw new Error('connect ECONNREFUSED postgres://admin:hunter2@db');
      },
    });
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const answer = await session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    await wire.stop();
    assert.equal(answer.result?.['isError'], true);
    assert.doesNotMatch(JSON.stringify(answer), /hunter2|ECONNREFUSED/);
    assert.match(textOf(answer), /check_stock-[\w-]{32}/);
  });

  it('cancels the run when the client takes its request back', async () => {
    const aborted: boolean[] = [];
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const wire = await startWire({
      read: (_plan, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            aborted.push(true);
            reject(new Error('cancelled'));
          });
          begun();
        }),
    });
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const call = session.post({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: { name: 'check_stock', arguments: { manga_id: 'BER42' } },
    });
    await running;
    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } });
    await wire.stop();
    await call.catch(() => undefined);
    assert.deepEqual(aborted, [true]);
  });
});

function namesIn({ result }: { result?: Record<string, unknown> }, list: string): string[] {
  const items = result?.[list];
  assert.ok(Array.isArray(items), `no ${list}`);
  return items.map(({ name }: { name: string }) => name);
}
