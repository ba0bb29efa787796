import assert from 'node:assert/strict';
import type { Pools } from '../../adapters/postgres/pools.ts';
import { type Life, orderBook, type OrderBook } from '../support/orders.ts';
import { startStack, type Stack } from './stack.ts';

describe('the door of the warehouse', function () {
  this.timeout(120_000);
  let stack: Stack;
  let pools: Pools;
  let book: OrderBook;
  before(async () => {
    stack = await startStack();
    ({ pools } = stack.db);
    book = await orderBook(pools, 'manga');
  });
  after(() => stack.stop());

  const post = async (orderId: string, body: unknown, as = 'warehouse_lead', shop = 'manga') =>
    fetch(`${stack.url}/v1/orders/${encodeURIComponent(orderId)}/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await stack.mint(as, { shop })}`,
        'content-type': 'application/json',
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const packed = { event_id: 'w-1', kind: 'packed' };
  const kept = async (life: Life) => (await book.told(life)).length;
  const rows = async (event: string) => {
    const answer = await fetch(`${stack.url}/v1/audit?tool=${event}&limit=1`, {
      headers: { authorization: `Bearer ${await stack.mint('supply_chain_manager')}` },
    });
    const { rows: found }: { rows: readonly Record<string, unknown>[] } = JSON.parse(await answer.text());
    return found;
  };
  const until = async (life: Life, state: string) => {
    const deadline = Date.now() + 20_000;
    while ((await book.state(life)) !== state) {
      assert.ok(Date.now() < deadline, `the order is not ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it('keeps what it is told, answers at once, and the order moves', async () => {
    const life = await book.place('Confirmed');
    const response = await post(life.orderId, packed);
    assert.equal(response.status, 202);
    assert.deepEqual(await response.json(), {
      order_id: life.orderId,
      kind: 'packed',
      event_id: 'w-1',
      status: 'accepted',
    });
    await until(life, 'Packed');
  });

  it('makes a shipment of what was shipped', async () => {
    const life = await book.place('Packed');
    const parcel = { carrier: 'UPS', tracking_number: '1Z999AA10123456784' };
    assert.equal((await post(life.orderId, { event_id: 's', kind: 'shipped', ...parcel })).status, 202);
    await until(life, 'Shipped');
    assert.deepEqual(
      await book.query('select carrier, tracking_number from shipments where order_id = $1', [life.order]),
      [parcel],
    );
  });

  it('counts a repeat once, however the order is spelled', async () => {
    const life = await book.place('Placed');
    const statuses = [];
    for (const orderId of [life.orderId, life.orderId, life.orderId.replace('ord_', '#')])
      statuses.push((await post(orderId, packed)).status);
    assert.deepEqual([statuses, await kept(life)], [[202, 200, 200], 1]);
  });

  it('takes the same event_id for another order and for another kind', async () => {
    const [one, two] = [await book.place('Placed'), await book.place('Placed')];
    for (const [life, kind] of [
      [one, 'packed'],
      [two, 'packed'],
      [two, 'return_initiated'],
    ] as const)
      assert.equal((await post(life.orderId, { ...packed, kind })).status, 202);
  });

  for (const [what, body] of [
    ['nothing', {}],
    ['no id', { kind: 'packed' }],
    ['an empty id', { ...packed, event_id: '' }],
    ['an endless id', { ...packed, event_id: 'x'.repeat(129) }],
    ['an id with a line break', { ...packed, event_id: 'a\nb' }],
    ['money', { ...packed, kind: 'payment_succeeded' }],
    ['a delivery', { ...packed, kind: 'delivered' }],
    ['a refund', { ...packed, kind: 'refunded' }],
    ['a state', { ...packed, state: 'Delivered' }],
    ['somebody else’s name', { ...packed, actor: 'somebody' }],
    ['a parcel that was not shipped', { ...packed, carrier: 'UPS', tracking_number: '1Z999' }],
    ['a shipment without a number', { event_id: 'x', kind: 'shipped', carrier: 'UPS' }],
    ['a carrier with a tag', { event_id: 'x', kind: 'shipped', carrier: '<b>', tracking_number: '1Z999' }],
    [
      'a number of NUL',
      { event_id: 'x', kind: 'shipped', carrier: 'UPS', tracking_number: '\u0000\u0000\u0000\u0000\u0000' },
    ],
    ['a time of no zone', { ...packed, happened_at: '2026-01-01T00:00:00' }],
    ['a time of the year 0', { ...packed, happened_at: '0000-01-01T00:00:00Z' }],
    ['a list', [packed]],
    ['no JSON', '{"kind":'],
  ] as const) {
    it(`refuses a body with ${what}, and keeps nothing`, async () => {
      const life = await book.place('Confirmed');
      const response = await post(life.orderId, body);
      assert.deepEqual([response.status, await kept(life)], [400, 0], await response.text());
    });
  }

  it('answers an unknown order, another shop’s and nonsense alike', async () => {
    const theirs = await (await orderBook(pools, 'shop_456')).place('Confirmed');
    const answers = new Set<string>();
    for (const orderId of ['none', theirs.orderId, "' or 1=1 --", 'x'.repeat(300), '\u0000']) {
      const response = await post(orderId, packed);
      answers.add(`${response.status} ${(await response.text()).replace(/"request_id":"[^"]+"/, '')}`);
    }
    assert.equal(answers.size, 1, [...answers].join('\n'));
    assert.match([...answers][0] ?? '', /^404/);
  });

  for (const as of ['supply_chain_manager', 'customer:cust_123', 'finance', 'analyst'] as const) {
    it(`is closed to ${as}`, async () => {
      const life = await book.place('Confirmed');
      const response = await post(life.orderId, packed, as);
      assert.deepEqual([response.status, await kept(life)], [403, 0]);
    });
  }

  it('is closed to an agent, whoever it acts for', async () => {
    const life = await book.place('Confirmed');
    const response = await post(life.orderId, packed, 'agent:warehouse_lead');
    assert.ok([401, 403].includes(response.status), String(response.status));
    assert.equal(await kept(life), 0);
  });

  it('leaves a row of the record for what was told and for what was refused', async () => {
    const life = await book.place('Placed');
    await post(life.orderId, packed);
    const [kept] = await rows('orders.events');
    assert.deepEqual(
      [kept?.['outcome'], kept?.['subject'], kept?.['details']],
      [
        'ok',
        'warehouse_lead',
        { order_id: life.orderId, kind: 'packed', event_id: packed.event_id, status: 'accepted' },
      ],
    );
    await post('none', packed);
    const [refused] = await rows('orders.events');
    assert.deepEqual([refused?.['outcome'], refused?.['reason']], ['refused', 'not_found']);
  });
});
