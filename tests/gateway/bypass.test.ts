import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { z } from 'zod';
import { authenticationBypass } from '../../mcp-gateway/bypass.ts';
import { startGateway } from '../../mcp-gateway/main.ts';
import { mcpClient } from '../../bench/mcp-client.ts';
import { loadSettings } from '../../platform/config.ts';
import { createLog } from '../../platform/log.ts';
import { asAdmin } from '../support/database.ts';
import { type Stack, startStack } from './stack.ts';
import { INITIALIZE, openSession } from './wire.ts';

const BYPASSED = 'http, authentication bypassed';
const REORDER = { sku: 'BER42-42', quantity: 7, warehouse: 'WH-2' };
const ACTION = z.object({ status: z.string(), action_id: z.string() });

describe('with the authentication bypassed', function () {
  this.timeout(120_000);
  let stack: Stack;
  before(async () => {
    stack = await startStack({
      env: { COUNTERSIGN_AUTHENTICATION_BYPASS: 'supply_chain_manager@manga' },
    });
  });
  after(() => stack?.stop());

  it('says so, loudly, to whoever asks for the health', async () => {
    const health = z.object({ warning: z.string() }).parse(await (await fetch(`${stack.url}/health`)).json());
    assert.match(health.warning, /^AUTHENTICATION IS BYPASSED: .* supply_chain_manager of shop manga/);
  });

  it('lets a request without a token read as the role, and records how it came in', async () => {
    const client = await mcpClient(stack.url);
    const found = await client.call('get_order_details', { order_id: '88213' });
    await client.close();
    assert.equal(found['order_id'], '88213');
    assert.deepEqual(await audit(`tool = 'get_order_details'`), [
      { subject: 'supply_chain_manager', assurance: 'development', transport: BYPASSED, outcome: 'ok' },
    ]);
  });

  it('lets it ask, and never decide: neither on its own action nor on another’s', async () => {
    const client = await mcpClient(stack.url);
    const own = ACTION.parse(await client.call('create_reorder', REORDER));
    await client.close();
    assert.equal(own.status, 'pending_approval');
    const theirs = await askedBy(await stack.mint('supply_chain_manager', { subject: 'somebody' }));
    for (const id of [own.action_id, theirs]) {
      for (const [what, body] of [
        ['decision', { decision: 'approve' }],
        ['code', { decision: 'approve' }],
      ] as const) {
        const answer = await post(`/v1/approvals/${id}/${what}`, body);
        assert.equal(answer.status, 403, await answer.text());
      }
    }
    const rows = await audit(`call_id = '${own.action_id}'`);
    assert.deepEqual(
      rows.map(({ transport, assurance }) => [transport, assurance]),
      [[BYPASSED, 'development']],
    );
    assert.deepEqual(
      (await audit(`transport = 'api, authentication bypassed' and outcome = 'denied'`)).length,
      4,
    );
  });

  it('still refuses a token that does not pass, whatever it is', async () => {
    for (const authorization of ['Bearer forged', 'Basic YTpi', 'Bearer', '']) {
      const answer = await post('/mcp', INITIALIZE, { authorization });
      assert.equal(answer.status, 401, `${JSON.stringify(authorization)}: ${await answer.text()}`);
    }
  });

  it('still takes a token at its word', async () => {
    const session = await openSession(stack.url, await stack.mint('admin'));
    const { error } = await session.ask('tools/call', {
      name: 'get_order_details',
      arguments: { order_id: '88213' },
    });
    assert.match(error?.message ?? '', /Unknown tool/);
  });

  it('lends its sessions to no token, and takes none of theirs', async () => {
    const session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const { authorization: _, ...headers } = session.headers;
    assert.equal((await post('/mcp', { jsonrpc: '2.0', id: 5, method: 'tools/list' }, headers)).status, 404);
  });

  it('asks for a token where a program on this machine passes a request on', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      const answer = await post('/mcp', INITIALIZE, { [name]: '203.0.113.9' });
      assert.equal(answer.status, 401, name);
    }
  });

  it('keeps pages of other sites out', async () => {
    const answer = await post('/mcp', INITIALIZE, { origin: 'https://evil.example' });
    assert.equal(answer.status, 403);
  });

  it('does not start for a shop that is none', async () => {
    const identity = { ...stack.config.identity, bypass: { role: 'analyst', shop: 'nowhere' } };
    await assert.rejects(
      startGateway({ ...stack.config, identity }, createLog({ level: 'silent' })),
      /COUNTERSIGN_AUTHENTICATION_BYPASS: analyst of shop nowhere .* Is there such a shop/,
    );
  });

  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${stack.url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify(body),
    });

  async function askedBy(token: string): Promise<string> {
    const session = await openSession(stack.url, token);
    const answer = await session.ask('tools/call', { name: 'create_reorder', arguments: REORDER });
    return ACTION.parse(answer.result?.['structuredContent']).action_id;
  }

  function audit(where: string) {
    return asAdmin(async (admin) => {
      const { rows } = await admin.query<Record<string, unknown>>(
        `select subject, assurance, transport, outcome from audit_log where ${where} order by position`,
      );
      return rows;
    }, stack.db.adminUrl);
  }
});

describe('the bypass', () => {
  const settings = (role: string) =>
    loadSettings({ COUNTERSIGN_PROFILE: 'development', COUNTERSIGN_AUTHENTICATION_BYPASS: role });

  it('lets in nobody but this machine', () => {
    const bypass = authenticationBypass(settings('analyst').identity);
    const from = (address: string) => {
      const socket = new Socket();
      Object.defineProperty(socket, 'remoteAddress', { value: address });
      return bypass?.admit(new IncomingMessage(socket))?.subject;
    };
    assert.deepEqual(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'].map(from), [
      'analyst',
      'analyst',
      'analyst',
      'analyst',
    ]);
    assert.deepEqual(['10.0.0.7', '::ffff:10.0.0.7', '2001:db8::1', '', '0.0.0.0'].map(from), [
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is never a login that decides', () => {
    const { audiences } = settings('analyst').identity;
    for (const role of ['warehouse_lead', 'finance', 'supply_chain_manager']) {
      const bypass = authenticationBypass({ ...settings(role).identity, audiences });
      const principal = bypass?.admit(new IncomingMessage(loopback()));
      assert.deepEqual(
        [principal?.interactive, principal?.assurance, principal?.scopes.includes('approvals:decide')],
        [false, 'development', false],
      );
    }
  });

  it('names the roles that there are when it is given none of them', () => {
    for (const role of ['emperor', 'customer']) {
      assert.throws(() => authenticationBypass(settings(role).identity), /no such role; allowed: supply_/);
    }
  });

  function loopback(): Socket {
    const socket = new Socket();
    Object.defineProperty(socket, 'remoteAddress', { value: '127.0.0.1' });
    return socket;
  }
});
