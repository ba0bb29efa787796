import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createLog } from '../../platform/log.ts';
import { signWebhook, TIMESTAMP_HEADER } from '../../platform/webhook-signature.ts';
import { type PaymentSimulator, startPaymentSimulator } from '../../simulator/payments/server.ts';
import { startWorker } from '../../workers/main.ts';
import { startStack, type Stack } from '../gateway/stack.ts';
import { asAdmin } from '../support/database.ts';
import { until } from '../support/until.ts';

const KEY = 'sk_test';
const SECRET = 'wébhook-secret-of-tests';
const CUSTOMER = 'cust_1001';
const ANSWER = z.object({ order_id: z.string() });

async function rowsOf<T extends object>({ db }: Stack, text: string, values: unknown[] = []) {
  return asAdmin(async (admin) => (await admin.query<T>(text, values)).rows, db.adminUrl);
}

async function stateIn(stack: Stack, orderId: string): Promise<string | undefined> {
  const [row] = await rowsOf<{ status: string }>(stack, 'select status from orders where order_id = $1', [
    orderId,
  ]);
  return row?.status;
}

async function unitsOf(stack: Stack): Promise<number | undefined> {
  const [row] = await rowsOf<{ n: number }>(
    stack,
    `select sum(quantity)::int as n from inventory i join products p on p.id = i.product_id where p.sku = 'BER42-01'`,
  );
  return row?.n;
}

async function intentOf(stack: Stack, orderId: string): Promise<string> {
  const [row] = await rowsOf<{ intent_id: string }>(
    stack,
    'select intent_id from payment_intents i join orders o on o.id = i.order_id where o.order_id = $1',
    [orderId],
  );
  return row?.intent_id ?? '';
}

async function intentStateOf(stack: Stack, intentId: string): Promise<string | undefined> {
  const [row] = await rowsOf<{ state: string }>(
    stack,
    'select state from payment_intents where intent_id = $1',
    [intentId],
  );
  return row?.state;
}

async function buyIn(stack: Stack, method: string): Promise<string> {
  const response = await fetch(`${stack.url}/v1/checkout`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await stack.mint(`customer:${CUSTOMER}`)}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({
      items: [{ sku: 'BER42-01', quantity: 2 }],
      payment_method: method,
      delivery_address: { line1: '1 Street', city: 'Osaka', postal_code: '530-0001', country: 'JP' },
    }),
  });
  return ANSWER.parse(await response.json()).order_id;
}

/** From the customer's request to money and stock, over the product as it runs. */
describe('a checkout and what follows it', () => {
  let stack: Stack;
  let simulator: PaymentSimulator;
  before(async () => {
    simulator = await startPaymentSimulator({
      port: 0,
      key: KEY,
      webhook: () => ({ url: `${stack.url}/webhooks/payments/card`, secret: SECRET }),
      pendingMs: 50,
    });
    stack = await startStack({
      env: {
        APP_NOW: '2024-01-22T10:30:00Z',
        PAYMENT_PROVIDER_URL: simulator.url,
        PAYMENT_PROVIDER_KEY: KEY,
        PAYMENT_WEBHOOK_SECRET: SECRET,
      },
    });
  });
  after(async () => {
    await stack.stop();
    await simulator.stop();
  });

  const sql = <T extends object>(text: string, values: unknown[] = []) => rowsOf<T>(stack, text, values);
  const comesTo = (orderId: string, state: string) =>
    until(async () => (await stateIn(stack, orderId)) === state, `${orderId} to be ${state}`);
  const buy = (method: string) => buyIn(stack, method);

  it('is confirmed when the card is charged', async () => {
    await comesTo(await buy(`pm_${CUSTOMER}`), 'Confirmed');
  });

  it('is confirmed by the callback of a charge that takes its time', async () => {
    await comesTo(await buy(`pm_${CUSTOMER}_pending`), 'Confirmed');
  });

  it('is confirmed with a gift card', async () => {
    await comesTo(await buy(`pm_${CUSTOMER}_gift`), 'Confirmed');
  });

  it('is charged once when the processor’s answer is lost', async () => {
    const orderId = await buy(`pm_${CUSTOMER}_lost`);
    await comesTo(orderId, 'Confirmed');
    assert.equal(simulator.books.charges().filter(({ method }) => method === 'tok_lost').length, 1);
  });

  it('is cancelled when the card is declined, and its units are back', async () => {
    const before = await unitsOf(stack);
    await comesTo(await buy(`pm_${CUSTOMER}_declined`), 'Cancelled');
    assert.equal(await unitsOf(stack), before);
  });

  async function callBack(
    key: string,
    status: string,
    amount: number,
    id: string,
    more: {
      readonly secret?: string;
      readonly timestamp?: string;
      readonly provider?: string;
      readonly body?: string;
    } = {},
  ): Promise<Response> {
    const event = {
      id,
      type: `charge.${status}`,
      data: {
        id: 'ch_1',
        idempotency_key: key,
        status,
        amount,
        currency: 'JPY',
        metadata: { shop: 'manga' },
      },
    };
    const body = Buffer.from(more.body ?? JSON.stringify(event));
    const timestamp = more.timestamp ?? String(Math.floor(Date.now() / 1000));
    return fetch(`${stack.url}/webhooks/payments/${more.provider ?? 'card'}`, {
      method: 'POST',
      body,
      headers: {
        [TIMESTAMP_HEADER]: timestamp,
        'X-Hmac-Signature': signWebhook(body, more.secret ?? SECRET, timestamp),
      },
    });
  }

  describe('called back', () => {
    for (const [what, more, status] of [
      ['with another secret', { secret: 'another secret of tests' }, 401],
      ['with a time stamp of an hour ago', { timestamp: String(Math.floor(Date.now() / 1000) - 3600) }, 401],
      ['with no JSON', { body: '{' }, 400],
      ['with another shape', { body: '{"id":"evt"}' }, 400],
      ['by a provider that nobody knows', { provider: 'paypal' }, 404],
      ['about an intent that nobody knows', {}, 200],
    ] as const) {
      it(`${what} answers ${status} and changes nothing`, async () => {
        const count = () => sql('select count(*) from order_events');
        const before = await count();
        const response = await callBack(
          'pi_unknown',
          'succeeded',
          1,
          `evt ${what}`.replaceAll(' ', '-'),
          more,
        );
        assert.equal(response.status, status);
        assert.deepEqual(await count(), before);
      });
    }

    it('with the same secret in another Unicode form is believed', async () => {
      const response = await callBack('pi_unknown', 'succeeded', 1, 'evt-nfd', {
        secret: SECRET.normalize('NFD'),
      });
      assert.deepEqual(await response.json(), { status: 'unknown_intent' });
    });

    it('puts a refused signature on record', async () => {
      await callBack('pi_unknown', 'succeeded', 1, 'evt-bad', { secret: 'another secret of tests' });
      const [row] = await sql<{ reason: string }>(
        `select reason from audit_log where tool = 'payment_callback' order by position desc limit 1`,
      );
      assert.equal(row?.reason, 'signature_wrong');
    });
  });
});

/** Orders whose time to pay is some seconds. */
describe('a checkout that nobody pays in time', () => {
  let simulator: PaymentSimulator;
  let stack: Stack;
  let worker: { stop(): Promise<void> } | undefined;
  before(async () => {
    simulator = await startPaymentSimulator({ port: 0, key: KEY, webhook: () => undefined });
    stack = await startStack({
      // The gateway alone takes orders: whatever should follow has died.
      withoutWorker: true,
      env: {
        APP_NOW: '2024-01-22T10:30:00Z',
        PAYMENT_DUE_SECONDS: '8',
        PAYMENT_PROVIDER_URL: simulator.url,
        PAYMENT_PROVIDER_KEY: KEY,
      },
    });
  });
  after(async () => {
    await worker?.stop();
    await stack.stop();
    await simulator.stop();
  });

  it('is cancelled by whoever works next, and what the processor took goes back once', async () => {
    const before = await unitsOf(stack);
    const orderId = await buyIn(stack, `pm_${CUSTOMER}_hang`);
    const key = await intentOf(stack, orderId);
    worker = await startWorker(stack.config, createLog({ level: 'silent' }));
    await until(async () => (await intentStateOf(stack, key)) === 'charging', 'the charge');
    // The request that hangs has reached the processor after all.
    simulator.books.charge(key, { amount: 1540, currency: 'JPY', method: 'tok_approve', metadata: {} });
    await until(async () => (await intentStateOf(stack, key)) === 'refunded', 'the refund');
    assert.deepEqual(
      [await stateIn(stack, orderId), await unitsOf(stack), simulator.books.refunds().length],
      ['Cancelled', before, 1],
    );
  });
});
