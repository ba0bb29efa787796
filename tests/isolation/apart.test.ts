import assert from 'node:assert/strict';
import { z } from 'zod';
import { mcpClient } from '../../bench/mcp-client.ts';
import { catalog, resources } from '../../catalog/index.ts';
import { asAdmin } from '../support/database.ts';
import { type Stack, startStack } from '../gateway/stack.ts';
import { type RawSession, openSession, textOf } from '../gateway/wire.ts';
import { type AnswerRoom, answerRoom, document } from '../policies/answer-room.ts';
import { type Asker, asker } from './ask.ts';
import { checksum } from './database.ts';
import { type PlantedShop, SHARED_CUSTOMER, SHARED_ORDER, SHARED_TITLE, plantedShops } from './shops.ts';
import { lists, surfaces } from './surfaces.ts';

const ORDERS = z.object({
  status: z.string(),
  orders: z.array(z.object({ order_id: z.string(), total: z.number() })),
  cache: z.object({ hit: z.boolean() }),
});

describe('two shops on one gateway, and two customers of one shop', function () {
  this.timeout(120_000);
  let stack: Stack;
  let room: AnswerRoom;
  let manga: PlantedShop;
  let other: PlantedShop;
  before(async () => {
    room = await answerRoom([document('# Returns\n\nUnread books can be returned within 30 days.')]);
    stack = await startStack({ policies: room });
    [manga, other] = await plantedShops(stack);
  });
  after(async () => {
    await stack?.stop();
    await room?.close();
  });

  const customer = (id: string, shop = 'manga') => stack.mint(`customer:${id}`, { shop });
  const session = async (token: string | Promise<string>, path?: string) =>
    openSession(stack.url, await token, path);

  describe('with what has one name in both', () => {
    const both = [
      ['manga', 1111],
      ['shop_123', 2222],
    ] as const;

    it('answer each from its own stock and price, however warm the other is', async () => {
      const volume = { manga_id: SHARED_TITLE, volume_number: 1 };
      for (const round of [1, 2]) {
        for (const [shop, units] of both) {
          const client = await mcpClient(stack.url, await stack.mint('prototype', { shop }));
          const stock = await client.call('check_stock', volume);
          const price = await client.call('get_price', volume);
          await client.close();
          assert.deepEqual(
            [stock['quantity'], price['price_jpy']],
            [units, units],
            `${shop}, round ${round}`,
          );
        }
      }
    });

    it('answer a customer of both from the orders of the shop that the token names', async () => {
      for (const [shop, total] of [...both, ...both]) {
        const client = await mcpClient(stack.url, await customer(SHARED_CUSTOMER, shop));
        for (const [tool, args] of [
          ['get_order_status', { order_id: SHARED_ORDER }],
          ['list_recent_orders', {}],
        ] as const) {
          const { orders } = ORDERS.parse(await client.call(tool, args));
          assert.deepEqual(
            orders.map((order) => [order.order_id, order.total]),
            [[SHARED_ORDER, total]],
            `${tool} in ${shop}`,
          );
        }
        await client.close();
      }
    });
  });

  describe('and the cache', () => {
    it('answers nobody with what it holds for somebody else', async () => {
      const { anna, bert } = manga;
      const own = await mcpClient(stack.url, await customer(anna.id));
      const ask = { order_id: anna.orderId };
      await own.call('get_order_status', ask);
      assert.equal(ORDERS.parse(await own.call('get_order_status', ask)).cache.hit, true);
      await own.close();
      for (const token of [
        customer(bert.id),
        customer(anna.id, other.id),
        stack.mint('analyst', { shop: other.id }),
      ]) {
        const client = await mcpClient(stack.url, await token);
        const answer = ORDERS.parse(await client.call('get_order_status', ask));
        await client.close();
        assert.deepEqual([answer.status, answer.orders, answer.cache.hit], ['not_found', [], false]);
      }
    });

    it('has a customer’s own list for each', async () => {
      for (const { id, orderId } of [manga.anna, manga.bert, manga.anna]) {
        const client = await mcpClient(stack.url, await customer(id));
        const { orders } = ORDERS.parse(await client.call('list_recent_orders', {}));
        await client.close();
        assert.deepEqual(
          orders.map((order) => order.order_id),
          [orderId],
        );
      }
    });
  });

  describe('and lists', () => {
    it('of approvals hold the own shop’s only', async () => {
      for (const [shop, foreign] of [
        [manga, other],
        [other, manga],
      ] as const) {
        for (const as of ['supply_chain_manager', 'warehouse_lead']) {
          const token = await stack.mint(as, { shop: shop.id });
          const overHttp = await (await get('/v1/approvals', token)).text();
          const overMcp = await (await session(token)).ask('resources/read', { uri: 'approvals://pending' });
          for (const list of [overHttp, JSON.stringify(overMcp)]) {
            assert.ok(list.includes(String(shop.own['action_id'])), list);
            assert.ok(!list.includes(String(foreign.own['action_id'])) && !list.includes(foreign.word), list);
          }
        }
      }
    });

    it('of the record hold the own shop’s only', async () => {
      for (const shop of [manga, other]) {
        for (const as of ['supply_chain_manager', 'finance', 'admin']) {
          const answer = await get('/v1/audit?limit=500', await stack.mint(as, { shop: shop.id }));
          const { rows } = z
            .object({ rows: z.array(z.object({ tenant: z.string() })) })
            .parse(await answer.json());
          assert.ok(rows.length > 5);
          assert.deepEqual([...new Set(rows.map(({ tenant }) => tenant))], [shop.id]);
        }
      }
    });
  });

  describe('and sessions', () => {
    it('serve nobody but the identity that opened them', async () => {
      const tokens = {
        manager: await stack.mint('supply_chain_manager'),
        'the manager of another shop': await stack.mint('supply_chain_manager', { shop: other.id }),
        'the manager’s agent': await stack.mint('agent:supply_chain_manager'),
        prototype: await stack.mint('prototype'),
        anna: await customer(manga.anna.id),
        bert: await customer(manga.bert.id),
        'anna’s agent': await stack.mint(`agent:customer:${manga.anna.id}`),
        'anna elsewhere': await customer(manga.anna.id, other.id),
      };
      for (const [opener, token] of Object.entries(tokens)) {
        const opened = await session(token);
        for (const [thief, stolen] of Object.entries(tokens)) {
          if (thief === opener) continue;
          for (const method of ['POST', 'GET', 'DELETE'])
            assert.equal(
              await statusOf(opened, method, stolen),
              404,
              `${method} by ${thief} in ${opener}'s session`,
            );
        }
        const still = await opened.ask('tools/list', {});
        assert.ok(still.result !== undefined, `${opener} has lost the session`);
      }
    });

    it('of one server are none of another', async () => {
      const token = await stack.mint('supply_chain_manager');
      const opened = await session(token, '/mcp/orders');
      assert.equal(await statusOf(opened, 'POST', token), 404);
    });

    it('are refused like those that never were', async () => {
      const opened = await session(customer(manga.anna.id));
      const bert = { authorization: `Bearer ${await customer(manga.bert.id)}` };
      const list = { jsonrpc: '2.0', id: 9, method: 'tools/list' };
      const [foreign, unknown] = [
        await opened.post(list, bert),
        await opened.post(list, { ...bert, 'mcp-session-id': '00000000-0000-4000-8000-000000000000' }),
      ];
      assert.deepEqual([foreign.status, await foreign.text()], [unknown.status, await unknown.text()]);
    });
  });

  describe('whoever a caller claims to be', () => {
    for (const tool of catalog.values()) {
      it(`${tool.name} does as the token says, and records a user_id that is not the caller’s`, async () => {
        const as = tool.scopes.some((scope) => scope === 'orders:read:self')
          ? { who: `customer:${manga.anna.id}`, own: { ...manga.own, order_id: manga.anna.orderId } }
          : { who: 'supply_chain_manager', own: manga.own };
        const [{ input: example }] = tool.examples;
        const input = Object.fromEntries(
          Object.entries(example).map(([key, value]) => {
            const own = as.own[key] ?? value;
            return [key, Array.isArray(value) && !Array.isArray(own) ? [own] : own];
          }),
        );
        const opened = await session(stack.mint(as.who));
        const ask = async (more: object, id: string) => {
          const answer = await opened.ask(
            'tools/call',
            { name: tool.name, arguments: { ...input, ...more } },
            id,
          );
          return timeless(JSON.stringify(answer));
        };
        // What changes something is the same request from the second time on.
        await ask({}, `${tool.name} first`);
        const honest = await ask({}, `${tool.name} honest`);
        const spoofed = await ask({ user_id: manga.bert.id }, `${tool.name} spoofed`);
        assert.equal(spoofed, honest);
        assert.deepEqual(await notes(`${tool.name} spoofed`), ['user_id_ignored']);
        assert.deepEqual(await notes(`${tool.name} honest`), []);
      });
    }

    it('gives the caller’s own orders, whatever the query string and the headers say', async () => {
      const { anna, bert } = manga;
      const query = `user_id=${bert.id}&customer_id=${bert.id}&shop=${other.id}&sub=${bert.id}&scope=admin`;
      const opened = await session(customer(anna.id), `/mcp?${query}`);
      const spoofed = {
        'x-authoriser-token': await customer(bert.id),
        'x-user-id': bert.id,
        'x-customer-id': bert.id,
        'x-shop-id': other.id,
        'x-forwarded-user': bert.id,
        'x-amzn-oidc-identity': bert.id,
        forwarded: `for=${bert.id}`,
        cookie: `user_id=${bert.id}`,
      };
      const call = {
        name: 'list_recent_orders',
        arguments: {},
        _meta: { user_id: bert.id, principal: { customerId: bert.id, tenant: other.id } },
      };
      const body = { jsonrpc: '2.0', id: 'spoofed by headers', method: 'tools/call', params: call };
      const text = await (await opened.post(body, spoofed)).text();
      assert.ok(text.includes(anna.orderId), text);
      assert.ok(!text.includes(bert.word) && !text.includes(other.word), text);
      const [row] = await record('spoofed by headers');
      assert.deepEqual(
        [row?.['shop_id'], row?.['subject'], row?.['customer_id']],
        ['manga', anna.id, anna.id],
      );
    });

    it('does not open the record to a query', async () => {
      const token = await stack.mint('finance');
      for (const key of ['user_id', 'tenant', 'shop', 'shop_id']) {
        const answer = await get(`/v1/audit?${key}=${other.id}`, token);
        assert.equal(answer.status, 400, await answer.text());
      }
    });
  });

  it('reading every resource, list and prompt changes nothing but the record', async () => {
    const manager = await reader('supply_chain_manager');
    const before = await checksum(stack.db);
    const read = surfaces().filter(({ name }) => name.includes('://') || name.startsWith('prompt '));
    for (const surface of read) {
      const { text } = await surface.ask(manager, String(manga.own[surface.kind]), manga.own);
      assert.match(text, /"result":/, surface.name);
    }
    for (const list of lists()) await list.ask(manager);
    assert.ok(read.length >= resources.filter(({ uri }) => uri.includes('{')).length);
    assert.equal(await checksum(stack.db), before);
  });

  it('a note that gives orders is obeyed by nobody', async () => {
    const opened = await session(customer(manga.anna.id));
    const before = await checksum(stack.db);
    const answer = await opened.ask('tools/call', {
      name: 'get_order_status',
      arguments: { order_id: manga.anna.orderId },
    });
    assert.match(textOf(answer), /^Order Qzmangaanna-order/);
    assert.doesNotMatch(JSON.stringify(answer), /Ignore all rules/);
    assert.equal(await checksum(stack.db), before);
  });

  const get = (path: string, token: string) =>
    fetch(`${stack.url}${path}`, { headers: { authorization: `Bearer ${token}` } });

  const reader = (as: string): Promise<Asker> => asker(stack, { as, shop: 'manga' }, () => undefined);

  async function statusOf(opened: RawSession, method: string, token: string): Promise<number> {
    const response = await fetch(`${stack.url}/mcp`, {
      method,
      headers: {
        ...opened.headers,
        ...(method === 'GET' ? { accept: 'text/event-stream' } : {}),
        authorization: `Bearer ${token}`,
      },
      ...(method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list' }) } : {}),
    });
    await response.body?.cancel();
    return response.status;
  }

  async function notes(requestId: string) {
    const rows = await record(requestId);
    return rows.map(({ reason }) => reason).filter((reason) => reason !== null);
  }

  function record(requestId: string) {
    return asAdmin(async (admin) => {
      const { rows } = await admin.query<Record<string, unknown>>(
        'select * from audit_log where request_id = $1 order by position',
        [requestId],
      );
      return rows;
    }, stack.db.adminUrl);
  }
});

function timeless(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(/\\*"hit\\*":(true|false),\\*"age_s\\*":\d+,\\*"ttl_s\\*":\d+/g, '<age>')
    .replaceAll(/\\*"quote_mark\\*":\\*"[\w-]+\\*"/g, '<mark>')
    .replaceAll(/\\*"call_id\\*":\\*"[A-Za-z0-9_-]+\\*"/g, '<call>')
    .replaceAll(/"id":"[^"]*"/g, '');
}
