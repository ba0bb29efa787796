import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { z } from 'zod';
import { INITIALIZE, type Wire, answerIn, openSession, startWire } from './wire.ts';

const HEALTH = z.object({
  status: z.string(),
  profile: z.string(),
  assurance: z.string(),
  note: z.string().optional(),
  dependencies: z.record(z.string(), z.object({ status: z.string() })),
});

describe('the HTTP door', () => {
  let wire: Wire;
  before(async () => {
    wire = await startWire();
  });
  after(() => wire.stop());

  const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${wire.url}${path}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
    });
  const bearer = async (as: string) => ({ authorization: `Bearer ${await wire.mint(as)}` });

  it('asks for a token, in the standard body and in WWW-Authenticate', async () => {
    const response = await post('/mcp', JSON.stringify(INITIALIZE));
    const body = await answerIn(response);
    assert.equal(response.status, 401);
    assert.match(
      response.headers.get('www-authenticate') ?? '',
      /^Bearer realm="countersign", error="invalid_token"/,
    );
    assert.equal(body.error?.code, 'unauthenticated');
  });

  it('records a refused token under a tenant of nobody’s', async () => {
    await post('/mcp', JSON.stringify(INITIALIZE), { authorization: 'Bearer forged' });
    const row = wire.rows.at(-1);
    assert.deepEqual([row?.tenant, row?.subject, row?.outcome], ['_unverified', '_unverified', 'denied']);
  });

  it('does not take a token from the query string', async () => {
    const response = await post(`/mcp?access_token=${await wire.mint('admin')}`, JSON.stringify(INITIALIZE));
    assert.equal(response.status, 401);
  });

  it('strips an authoriser header that no trusted proxy has sent', async () => {
    const response = await post('/mcp', JSON.stringify(INITIALIZE), {
      'x-authoriser-token': await wire.mint('admin'),
    });
    assert.equal(response.status, 401);
  });

  it('refuses a foreign Origin', async () => {
    const headers = { ...(await bearer('warehouse_lead')), origin: 'https://evil.example' };
    assert.equal((await post('/mcp', JSON.stringify(INITIALIZE), headers)).status, 403);
  });

  it('refuses a foreign Host, also on pages that need no token', async () => {
    for (const path of ['/mcp', '/health', '/metrics', '/v1/approvals', '/']) {
      assert.equal(await statusWithHost(wire.url, path, 'evil.example'), 403, path);
    }
  });

  it('takes a body of a megabyte at most', async () => {
    const huge = JSON.stringify({
      ...INITIALIZE,
      params: { ...INITIALIZE.params, pad: 'x'.repeat(1_100_000) },
    });
    const response = await post('/mcp', huge, await bearer('warehouse_lead'));
    assert.deepEqual([response.status, (await answerIn(response)).error?.code], [413, 'too_large']);
  });

  for (const [what, body, code] of [
    ['no JSON', '{"jsonrpc":', -32700],
    ['an empty list', '[]', -32600],
    ['no JSON-RPC', '{"hello":"world"}', -32600],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
    ['a number as method', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['a list with junk', '[{"jsonrpc":"2.0","id":1,"method":"ping"},7]', -32600],
  ] as const) {
    it(`answers a body that is ${what} with ${code} and repeats none of it`, async () => {
      const response = await post('/mcp', body, await bearer('warehouse_lead'));
      const text = await response.text();
      assert.equal(response.status, 400);
      assert.equal(JSON.parse(text).error.code, code);
      assert.doesNotMatch(text, /hello|zod|invalid_union/i);
    });
  }

  it('wants JSON', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const response = await session.post('{"jsonrpc":"2.0","id":1,"method":"ping"}', {
      'content-type': 'text/plain',
    });
    assert.equal(response.status, 415);
  });

  it('answers a method that nobody serves with -32601', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    assert.equal((await session.ask('tools/approve', {})).error?.code, -32601);
  });

  it('refuses a protocol version it does not speak', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const response = await session.post(
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { 'mcp-protocol-version': '1999-01-01' },
    );
    assert.equal(response.status, 400);
  });

  it('answers a ping', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    assert.deepEqual((await session.ask('ping')).result, {});
  });

  it('tells a client whose token lacks a scope of its role which one to ask for', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const weak = await limited(wire, ['catalog:read']);
    const response = await session.post(
      { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'create_reorder', arguments: {} } },
      { authorization: `Bearer ${weak}` },
    );
    assert.equal(response.status, 403);
    assert.match(
      response.headers.get('www-authenticate') ?? '',
      /error="insufficient_scope".*scope="inventory:write"/,
    );
    assert.equal(wire.rows.at(-1)?.reason, 'insufficient_scope');
  });

  it('sends the headers that harden a browser, and never says what it is made of', async () => {
    const response = await fetch(`${wire.url}/health`);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
    assert.equal(response.headers.get('x-powered-by'), null);
    assert.equal(response.headers.get('cache-control'), 'no-store');
  });

  it('says what it depends on, and that its identities are a development issuer’s', async () => {
    const health = HEALTH.parse(await (await fetch(`${wire.url}/health`)).json());
    assert.deepEqual([health.status, health.profile, health.assurance], ['ok', 'development', 'development']);
    assert.match(health.note ?? '', /development issuer/);
  });

  it('shows metrics that name no shop and no person', async () => {
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    await session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    const text = await (await fetch(`${wire.url}/metrics`)).text();
    assert.match(text, /countersign_call_seconds_count\{tool="check_stock",outcome="ok"\}/);
    assert.doesNotMatch(text, /manga|warehouse_lead/);
  });

  it('has a page that says what this is', async () => {
    const page = await (await fetch(`${wire.url}/`)).text();
    assert.match(page, /Countersign/);
    assert.match(page, /countersign token/);
  });

  it('has nothing where nothing is', async () => {
    for (const path of ['/admin', '/mcp/unknown', '/v1/nothing', '/../package.json', '/.env']) {
      assert.equal((await fetch(`${wire.url}${path}`)).status, 404, path);
    }
  });
});

describe('a trusted proxy', () => {
  it('may pass the caller’s token on in its own header', async () => {
    const wire = await startWire({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const send = (token: string) =>
      fetch(`${wire.url}/mcp`, {
        method: 'POST',
        headers: { ...headers, 'x-authoriser-token': token },
        body: JSON.stringify(INITIALIZE),
      });
    const [good, forged] = [await send(await wire.mint('warehouse_lead')), await send('forged')];
    await wire.stop();
    assert.deepEqual([good.status, forged.status], [200, 401]);
  });
});

describe('health', () => {
  it('is degraded, within two seconds, while a dependency hangs or refuses', async () => {
    const wire = await startWire({
      checks: {
        temporal: () => new Promise(() => undefined),
        redis: async () => {
          throw new Error('gone');
        },
        postgres_write: async () => undefined,
      },
    });
    const from = Date.now();
    const health = HEALTH.parse(await (await fetch(`${wire.url}/health`)).json());
    await wire.stop();
    assert.ok(Date.now() - from < 2500);
    assert.equal(health.status, 'degraded');
    assert.deepEqual(
      Object.entries(health.dependencies).map(([name, { status }]) => [name, status]),
      [
        ['temporal', 'down'],
        ['redis', 'down'],
        ['postgres_write', 'ok'],
      ],
    );
  });
});

describe('a stop', () => {
  it('finishes what is under way and takes nothing new', async () => {
    let answer: () => void = () => undefined;
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const wire = await startWire({
      read: () =>
        new Promise((resolve) => {
          answer = () => resolve({ status: 'found', message: 'late but there' });
          begun();
        }),
    });
    const session = await openSession(wire.url, await wire.mint('warehouse_lead'));
    const call = session.ask('tools/call', { name: 'check_stock', arguments: { manga_id: 'BER42' } });
    await running;
    const stopped = wire.stop();
    await assert.rejects(
      openSession(wire.url, await wire.mint('warehouse_lead')).then(({ hello }) =>
        assert.equal(hello.status, 200),
      ),
    );
    answer();
    assert.equal((await call).status, 200);
    await stopped;
  });
});

function statusWithHost(url: string, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(`${url}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

/** A token of warehouse_lead with fewer scopes than the role has. */
async function limited(wire: Wire, scopes: readonly string[]): Promise<string> {
  const { SignJWT, importJWK } = await import('jose');
  return new SignJWT({ shop: 'manga', roles: ['warehouse_lead'], scope: scopes.join(' '), amr: ['user'] })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer('urn:countersign:development')
    .setSubject('warehouse_lead')
    .setAudience(['countersign:mcp', 'countersign:api'])
    .setExpirationTime('5m')
    .sign(await importJWK(JSON.parse(wire.signingKey), 'EdDSA'));
}
