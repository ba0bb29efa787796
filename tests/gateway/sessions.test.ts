import assert from 'node:assert/strict';
import { type Wire, openSession, startWire } from './wire.ts';

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('an MCP session', () => {
  let wire: Wire;
  before(async () => {
    wire = await startWire({ env: { SESSION_IDLE_SECONDS: '1' } });
  });
  after(() => wire.stop());

  const statusOf = async (token: string, id: string | undefined, path = '/mcp', method = 'POST') => {
    const response = await fetch(`${wire.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(id === undefined ? {} : { 'mcp-session-id': id }),
      },
      ...(method === 'POST' ? { body: JSON.stringify(PING) } : {}),
    });
    await response.body?.cancel();
    return response.status;
  };

  it('has to be named: 400 without one', async () => {
    assert.equal(await statusOf(await wire.mint('analyst'), undefined), 400);
    assert.equal(await statusOf(await wire.mint('analyst'), undefined, '/mcp', 'GET'), 400);
  });

  it('has to exist: 404 for an unknown one', async () => {
    assert.equal(await statusOf(await wire.mint('analyst'), 'no-such-session'), 404);
  });

  it('ends with DELETE, and is unknown from then on', async () => {
    const token = await wire.mint('analyst');
    const { id } = await openSession(wire.url, token);
    assert.equal(await statusOf(token, id, '/mcp', 'DELETE'), 200);
    assert.equal(await statusOf(token, id), 404);
  });

  it('is nobody else’s: another login, shop, agent or server sees an unknown session', async () => {
    const { id } = await openSession(wire.url, await wire.mint('analyst'));
    const statuses = [
      await statusOf(await wire.mint('finance'), id),
      await statusOf(await wire.mint('analyst', { shop: 'shop_123' }), id),
      await statusOf(await wire.mint('agent:analyst'), id),
      await statusOf(await wire.mint('analyst'), id, '/mcp/orders'),
      await statusOf(await wire.mint('finance'), id, '/mcp', 'DELETE'),
      await statusOf(await wire.mint('analyst'), id),
    ];
    assert.deepEqual(statuses, [404, 404, 404, 404, 404, 200]);
  });

  it('goes on with a newer token of the same identity, and with that token’s scopes', async () => {
    const { id } = await openSession(wire.url, await wire.mint('analyst', { ttlSeconds: 60 }));
    assert.equal(await statusOf(await wire.mint('analyst', { ttlSeconds: 120 }), id), 200);
  });

  it('ends when nobody has used it for the idle time', async () => {
    const token = await wire.mint('analyst');
    const { id } = await openSession(wire.url, token);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await wire.sweep();
    assert.equal(await statusOf(token, id), 404);
  });

  it('resumes a stream from the last event the client saw, and from its own events only', async () => {
    const token = await wire.mint('warehouse_lead');
    const [mine, other] = [await openSession(wire.url, token), await openSession(wire.url, token)];
    const call = { name: 'check_stock', arguments: { manga_id: 'BER42' } };
    const response = await mine.post({ jsonrpc: '2.0', id: 8, method: 'tools/call', params: call });
    const events = await response.text();
    const [, first = ''] = /^id: (\S+)$/m.exec(events) ?? [];
    assert.notEqual(first, '');
    const resume = (headers: Readonly<Record<string, string>>) =>
      fetch(`${wire.url}/mcp`, {
        headers: { ...headers, 'last-event-id': first },
        signal: AbortSignal.timeout(3000),
      });
    const resumed = await resume(mine.headers);
    const reader = resumed.body?.getReader();
    const chunk = await reader?.read();
    await reader?.cancel();
    assert.match(Buffer.from(chunk?.value ?? []).toString(), /"structuredContent"/);
    assert.equal((await resume(other.headers)).status, 400);
  });
});
