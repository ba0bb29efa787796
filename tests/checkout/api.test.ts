import assert from 'node:assert/strict';
import { z } from 'zod';
import { SignJWT, importJWK } from 'jose';
import { DEVELOPMENT_ISSUER } from '../../platform/config.ts';
import { historyText } from '../workflows/stage.ts';
import { startStack, type Stack } from '../gateway/stack.ts';
import { openSession } from '../gateway/wire.ts';
import { asAdmin } from '../support/database.ts';

const ANSWER = z.object({
  order_id: z.string(),
  status: z.string(),
  total: z.number(),
  currency: z.string(),
  payment_due_at: z.string(),
  replayed: z.boolean(),
});
const REFUSED = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const CUSTOMER = 'cust_1001';
/** Business time of the seeded shops. */
const APP_NOW = '2024-01-22T10:30:00Z';
const SECRET_STREET = '7 Quince Alley';
const BODY = {
  items: [{ manga_id: 'BER42', volume_number: 3, quantity: 1 }],
  payment_method: `pm_${CUSTOMER}`,
  delivery_address: { line1: SECRET_STREET, city: 'Osaka', postal_code: '530-0001', country: 'JP' },
};

describe('POST /v1/checkout', () => {
  let stack: Stack;
  let keys = 0;
  before(async () => {
    stack = await startStack({ env: { APP_NOW } });
  });
  after(() => stack.stop());

  async function post(
    body: unknown,
    more: { readonly as?: string; readonly token?: string; readonly key?: string | null } = {},
  ) {
    const token = more.token ?? (await stack.mint(more.as ?? `customer:${CUSTOMER}`));
    const key = more.key === undefined ? `key-${(keys += 1)}` : more.key;
    return fetch(`${stack.url}/v1/checkout`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(key === null ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    });
  }
  const refusal = async (response: Response) => {
    const { error } = REFUSED.parse(await response.json());
    return [response.status, error.code];
  };
  const sql = async <T extends object>(text: string, values: unknown[] = []) =>
    asAdmin(async (admin) => (await admin.query<T>(text, values)).rows, stack.db.adminUrl);

  it('answers 201 with the order, its total and until when it may be paid', async () => {
    const response = await post(BODY);
    const answer = ANSWER.parse(await response.json());
    assert.deepEqual(
      [response.status, answer.status, answer.currency, answer.replayed],
      [201, 'Placed', 'JPY', false],
    );
    assert.ok(Date.parse(answer.payment_due_at) > Date.now());
  });

  it('answers a repeat with the same order, from the body’s key, too', async () => {
    const first = ANSWER.parse(await (await post(BODY, { key: 'same' })).json());
    const again = await post({ ...BODY, idempotency_key: 'same' }, { key: null });
    const answer = ANSWER.parse(await again.json());
    assert.deepEqual([again.status, answer.order_id, answer.replayed], [200, first.order_id, true]);
  });

  it('refuses another request under the same key', async () => {
    await post(BODY, { key: 'taken' });
    const other = { ...BODY, items: [{ sku: 'BER42-01', quantity: 2 }] };
    assert.deepEqual(await refusal(await post(other, { key: 'taken' })), [409, 'idempotency_conflict']);
  });

  for (const [what, body, status, code] of [
    ['a body that is no object', [], 400, 'invalid_arguments'],
    ['an empty cart', { ...BODY, items: [] }, 400, 'invalid_arguments'],
    ['no units', { ...BODY, items: [{ sku: 'BER42-03', quantity: 0 }] }, 400, 'invalid_arguments'],
    ['half a unit', { ...BODY, items: [{ sku: 'BER42-03', quantity: 0.5 }] }, 400, 'invalid_arguments'],
    ['a line of nothing', { ...BODY, items: [{ quantity: 1 }] }, 400, 'invalid_arguments'],
    [
      'a line of two things',
      { ...BODY, items: [{ sku: 'a', manga_id: 'BER42', volume_number: 1, quantity: 1 }] },
      400,
      'invalid_arguments',
    ],
    [
      'a volume without its title',
      { ...BODY, items: [{ volume_number: 1, quantity: 1 }] },
      400,
      'invalid_arguments',
    ],
    [
      'an address of no country',
      { ...BODY, delivery_address: { ...BODY.delivery_address, country: 'ZZ' } },
      400,
      'invalid_arguments',
    ],
    [
      'an empty address',
      { ...BODY, delivery_address: { ...BODY.delivery_address, line1: '  ' } },
      400,
      'invalid_arguments',
    ],
    [
      'a huge address',
      { ...BODY, delivery_address: { ...BODY.delivery_address, line1: 'x'.repeat(10_000) } },
      400,
      'invalid_arguments',
    ],
    [
      'an address with a NUL',
      { ...BODY, delivery_address: { ...BODY.delivery_address, line1: 'a\0b' } },
      400,
      'invalid_arguments',
    ],
    ['somebody else’s price', { ...BODY, total: 1 }, 400, 'invalid_arguments'],
    ['another customer', { ...BODY, customer_id: 'cust_1002' }, 400, 'invalid_arguments'],
    ['another total than is asked', { ...BODY, expected_total: 1 }, 409, 'price_changed'],
    ['what is sold out', { ...BODY, items: [{ sku: 'BER42-13', quantity: 1 }] }, 409, 'sold_out'],
    ['what nobody sells', { ...BODY, items: [{ sku: 'NOPE-1', quantity: 1 }] }, 409, 'stock_not_found'],
    ['another customer’s payment method', { ...BODY, payment_method: 'pm_cust_1002' }, 404, 'not_found'],
  ] as const) {
    it(`refuses ${what}`, async () => assert.deepEqual(await refusal(await post(body)), [status, code]));
  }

  it('needs a key', async () => {
    assert.deepEqual(await refusal(await post(BODY, { key: null })), [400, 'invalid_arguments']);
  });

  it('refuses two keys that differ', async () => {
    const both = { ...BODY, idempotency_key: 'one' };
    assert.deepEqual(await refusal(await post(both, { key: 'two' })), [400, 'invalid_arguments']);
  });

  it('refuses staff, who are no customers', async () => {
    assert.deepEqual(await refusal(await post(BODY, { as: 'supply_chain_manager' })), [403, 'forbidden']);
  });

  it('refuses the token of an agent, as it is made', async () => {
    assert.deepEqual(await refusal(await post(BODY, { as: `agent:customer:${CUSTOMER}` })), [
      401,
      'unauthenticated',
    ]);
  });

  it('refuses an agent’s token that an issuer gave every scope and audience', async () => {
    const key = await importJWK(JSON.parse(stack.config.identity.signingKey ?? ''), 'EdDSA');
    const token = await new SignJWT({
      shop: 'manga',
      roles: ['customer'],
      scope: 'orders:place:self orders:read:self',
      customer_id: CUSTOMER,
      act: { sub: 'shopping-agent' },
    })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setIssuer(DEVELOPMENT_ISSUER)
      .setSubject(CUSTOMER)
      .setAudience(Object.values(stack.config.identity.audiences))
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key);
    assert.deepEqual(await refusal(await post(BODY, { token })), [403, 'forbidden']);
  });

  it('is no tool, for anybody', async () => {
    const session = await openSession(stack.url, await stack.mint(`customer:${CUSTOMER}`));
    const answer = await session.ask('tools/call', {
      name: 'place_order',
      arguments: { ...BODY, idempotency_key: 'by-mcp' },
    });
    assert.equal(answer.error?.code, -32602);
  });

  it('leaves one final row of the record, and the address in neither it nor Temporal', async () => {
    const { order_id } = ANSWER.parse(await (await post(BODY, { key: 'recorded' })).json());
    const rows = await sql<{ workflow_id: string; final: boolean; text: string }>(
      `select workflow_id, final, to_jsonb(a)::text as text from audit_log a
        where tool = 'place_order' and outcome = 'ok' order by position desc limit 1`,
    );
    const [row] = rows;
    const handle = stack.temporal.client.workflow.getHandle(row?.workflow_id ?? '');
    // The answer leaves before its workflow has ended.
    await handle.result();
    const history = await historyText(handle);
    assert.deepEqual(
      [
        row?.final,
        row?.text.includes(SECRET_STREET),
        history.includes(SECRET_STREET),
        history.includes(order_id),
      ],
      [true, false, false, true],
    );
  });

  it('takes a cart of more than 25 lines', async () => {
    const items = Array.from({ length: 30 }, (_, n) => ({ sku: `ELE-${n}`, quantity: 1 }));
    await sql(
      `with p as (insert into products (shop_id, sku, name, category, price, currency)
         select 'manga', 'ELE-' || n, 'Line', 'Things', 10, 'JPY' from generate_series(0, 29) n returning id)
       insert into inventory (shop_id, product_id, warehouse_id, quantity, cost_per_unit)
       select 'manga', p.id, w.id, 5, 1 from p, warehouses w where w.shop_id = 'manga' and w.code = 'TKY-1'`,
    );
    assert.equal(ANSWER.parse(await (await post({ ...BODY, items })).json()).total, 300);
  });
});

describe('a checkout beside a cache that is wrong', () => {
  it('goes by the true quantity', async () => {
    const stack = await startStack({ env: { APP_NOW } });
    try {
      const token = await stack.mint(`customer:${CUSTOMER}`);
      const session = await openSession(stack.url, token);
      const stock = () =>
        session.ask('tools/call', {
          name: 'check_stock',
          arguments: { manga_id: 'BER42', volume_number: 42 },
        });
      // The cache now says 14; the shelf says none.
      await stock();
      await asAdmin(
        (admin) =>
          admin.query(`update inventory set quantity = 0, reserved_quantity = 0 where shop_id = 'manga'
                          and product_id = (select id from products where shop_id = 'manga' and sku = 'BER42-42')`),
        stack.db.adminUrl,
      );
      assert.equal(JSON.stringify(await stock()).includes('"quantity":14'), true);
      const response = await fetch(`${stack.url}/v1/checkout`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': 'k',
        },
        body: JSON.stringify({ ...BODY, items: [{ sku: 'BER42-42', quantity: 1 }] }),
      });
      assert.equal(REFUSED.parse(await response.json()).error.code, 'sold_out');
    } finally {
      await stack.stop();
    }
  });
});
