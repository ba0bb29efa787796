import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { Refusal } from '../../domain/refusal.ts';
import { type Verifier, developmentIssuer, remoteIssuer, verifier } from '../../mcp-gateway/identity.ts';
import { mintToken } from '../../mcp-gateway/mint-token.ts';
import { newSigningKey } from './wire.ts';

const ISSUER = 'urn:countersign:development';
const MCP = 'countersign:mcp';
const API = 'countersign:api';
const AUDIENCES = { mcp: MCP, api: API };

const CLAIMS = {
  iss: 'https://id.example',
  sub: 'lea',
  aud: [MCP],
  shop: 'manga',
  roles: ['warehouse_lead'],
  scope: 'inventory:read inventory:write approvals:decide',
  amr: ['pwd'],
};

describe('a token', () => {
  const signingKey = newSigningKey();
  const trusting = verifier([developmentIssuer(ISSUER, signingKey)]);
  const mint = async (as: string, key = signingKey) =>
    (
      await mintToken(
        { as, shop: 'manga', ttlSeconds: 60 },
        { issuer: ISSUER, signingKey: key, audiences: AUDIENCES },
      )
    ).token;

  it('of a person is good for MCP and for the HTTP API', async () => {
    const token = await mint('warehouse_lead');
    assert.equal((await trusting.verify(token, MCP)).subject, 'warehouse_lead');
    assert.equal((await trusting.verify(token, API)).interactive, true);
  });

  it('of an agent is good for MCP only, names both, and cannot decide', async () => {
    const token = await mint('agent:warehouse_lead');
    const principal = await trusting.verify(token, MCP);
    assert.deepEqual([principal.subject, principal.actor], ['warehouse_lead', 'agent-of-warehouse_lead']);
    assert.deepEqual([principal.interactive, principal.scopes.includes('approvals:decide')], [false, false]);
    await refuses(trusting.verify(token, API), /aud/);
  });

  it('of a customer carries the customer and nothing of the staff’s', async () => {
    const principal = await trusting.verify(await mint('customer:C-1'), MCP);
    assert.deepEqual([principal.subject, principal.customerId], ['C-1', 'C-1']);
    assert.equal(principal.scopes.includes('orders:read'), false);
  });

  it('signed by another installation’s key is refused', async () => {
    await refuses(trusting.verify(await mint('admin', newSigningKey()), MCP), /signature/);
  });

  it('without a signature is refused, whatever its algorithm is called', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const parts = [
        { alg, typ: 'JWT' },
        { ...CLAIMS, iss: ISSUER, exp: 4102444800 },
      ];
      const token = `${parts.map((part) => base64(JSON.stringify(part))).join('.')}.`;
      await refuses(trusting.verify(token, MCP), /token/);
    }
  });

  it('signed with the public key as a shared secret is refused', async () => {
    const { x } = JSON.parse(signingKey);
    const token = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setExpirationTime('1h')
      .sign(Buffer.from(x, 'base64url'));
    await refuses(trusting.verify(token, MCP), /algorithm/);
  });

  it('signed with an algorithm that is allowed, but is not the key’s, is refused', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(ISSUER)
      .setExpirationTime('1h')
      .sign(privateKey);
    await refuses(trusting.verify(token, MCP), /signature/);
  });

  it('whose claims were changed after signing is refused', async () => {
    const [header, payload = '', signature] = (await mint('warehouse_lead')).split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), shop: 'shop_123' };
    await refuses(
      trusting.verify([header, base64(JSON.stringify(claims)), signature].join('.'), MCP),
      /signature/,
    );
  });

  for (const junk of [
    '',
    'x',
    'a.b.c',
    '..',
    'null',
    `${'a'.repeat(50_000)}.b.c`,
    '{"alg":"none"}',
    'ey\u0000.ey.e',
  ]) {
    it(`that is ${JSON.stringify(junk.slice(0, 20))} is refused as one, not as a fault`, async () => {
      await refuses(trusting.verify(junk, MCP), /token/i);
    });
  }

  it('is needed', async () => {
    await refuses(trusting.verify(undefined, MCP), /needed/);
  });
});

describe('a token of an outside issuer', () => {
  let jwks: Server;
  let trusting: Verifier;
  let signed: (claims: Readonly<Record<string, unknown>>, alg?: string) => Promise<string>;
  let url = '';

  before(async () => {
    const keys = await Promise.all(
      ['RS256', 'ES256', 'EdDSA'].map(async (alg) => ({
        alg,
        ...(await generateKeyPair(alg, { extractable: true })),
      })),
    );
    const published = await Promise.all(
      keys.map(async ({ alg, publicKey }) => ({
        ...(await exportJWK(publicKey)),
        alg,
        kid: alg,
        use: 'sig',
      })),
    );
    jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: published })));
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    const address = jwks.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks`;
    trusting = verifier([remoteIssuer('https://id.example', url)]);
    signed = (claims, alg = 'RS256') => {
      const key = keys.find((one) => one.alg === alg)?.privateKey;
      assert.ok(key);
      const exp = Math.floor(Date.now() / 1000) + 60;
      return new SignJWT({ exp, ...claims }).setProtectedHeader({ alg, kid: alg }).sign(key);
    };
  });
  after(() => jwks.close());

  for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    it(`signed with ${alg} is believed, as verified`, async () => {
      const principal = await trusting.verify(await signed(CLAIMS, alg), MCP);
      assert.deepEqual(
        [principal.tenant, principal.subject, principal.assurance],
        ['manga', 'lea', 'verified'],
      );
    });
  }

  it('that has expired is refused', async () => {
    await refuses(
      trusting.verify(await signed({ ...CLAIMS, exp: Math.floor(Date.now() / 1000) - 60 }), MCP),
      /expired/,
    );
  });

  it('that is not valid yet is refused', async () => {
    await refuses(
      trusting.verify(await signed({ ...CLAIMS, nbf: Math.floor(Date.now() / 1000) + 600 }), MCP),
      /nbf/,
    );
  });

  it('that never expires is refused', async () => {
    await refuses(trusting.verify(await signed({ ...CLAIMS, exp: undefined }), MCP), /exp/);
  });

  it('for another audience is refused', async () => {
    await refuses(trusting.verify(await signed({ ...CLAIMS, aud: 'somebody-else' }), MCP), /aud/);
  });

  it('that names another issuer is refused', async () => {
    await refuses(trusting.verify(await signed({ ...CLAIMS, iss: 'https://evil.example' }), MCP), /trusts/);
  });

  for (const missing of ['sub', 'shop']) {
    it(`without ${missing} is refused`, async () => {
      await refuses(
        trusting.verify(await signed({ ...CLAIMS, [missing]: undefined }), MCP),
        new RegExp(missing),
      );
    });
  }

  for (const shop of ['', '_unverified', 'a b', "x'; drop table shops; --", 'x'.repeat(65), 7, ['manga']]) {
    it(`whose shop is ${JSON.stringify(shop).slice(0, 30)} is refused`, async () => {
      await refuses(trusting.verify(await signed({ ...CLAIMS, shop }), MCP), /shop/);
    });
  }

  it('of a customer without a customer id is refused, since "own" would mean everybody’s', async () => {
    await refuses(trusting.verify(await signed({ ...CLAIMS, roles: ['customer'] }), MCP), /customer_id/);
  });

  it('never has more scopes than its roles can have', async () => {
    const principal = await trusting.verify(
      await signed({ ...CLAIMS, scope: 'inventory:read admin payments:release_hold' }),
      MCP,
    );
    assert.deepEqual(principal.scopes, ['inventory:read']);
  });

  it('without a scope claim may do nothing', async () => {
    assert.deepEqual((await trusting.verify(await signed({ ...CLAIMS, scope: undefined }), MCP)).scopes, []);
  });

  it('of a service, which no login made, is not interactive', async () => {
    assert.equal(
      (await trusting.verify(await signed({ ...CLAIMS, amr: undefined }), MCP)).interactive,
      false,
    );
  });

  it('made by a login, but used by an agent, is not interactive', async () => {
    assert.equal(
      (await trusting.verify(await signed({ ...CLAIMS, act: { sub: 'bot' } }), MCP)).interactive,
      false,
    );
  });

  it('is not called forged while the issuer’s keys cannot be fetched', async () => {
    const cut = verifier([remoteIssuer('https://id.example', 'http://127.0.0.1:9/jwks')]);
    await assert.rejects(
      cut.verify(await signed(CLAIMS), MCP),
      (error) => error instanceof Refusal && error.code === 'unavailable',
    );
  });

  it('with a key nobody published is refused', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const body = [
      { alg: 'EdDSA', kid: 'unknown' },
      { ...CLAIMS, exp: 4102444800 },
    ]
      .map((part) => base64(JSON.stringify(part)))
      .join('.');
    const token = `${body}.${sign(null, Buffer.from(body), privateKey).toString('base64url')}`;
    await refuses(trusting.verify(token, MCP), /signature/);
  });
});

async function refuses(verified: Promise<unknown>, why: RegExp): Promise<void> {
  await assert.rejects(verified, (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.code, 'unauthenticated');
    assert.match(error.message, why);
    return true;
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64url');
}
