import assert from 'node:assert/strict';
import { catalog } from '../../catalog/index.ts';
import { freshCache, seededWorld, staff, unreachable, type World } from '../support/world.ts';

describe('get_order_details', () => {
  let world: World;
  const ask = (order_id: string, tenant = 'manga') =>
    world.bodies({ cache: freshCache() }).get_order_details({ caller: staff(tenant), input: { order_id } });

  before(async () => {
    world = await seededWorld();
  });
  after(() => world.close());

  it('carries status, items, totals, dates and shipment', async () => {
    const { as_of: _, cache: _cache, customer: _customer, ...order } = await ask('88213');
    assert.deepEqual(order, {
      order_id: '88213',
      status: 'shipped',
      message: 'Your order is on its way.',
      state: 'Shipped',
      source_status: null,
      next_step:
        'The carrier will bring it out for delivery next. Estimated delivery: 2026-11-22T12:00:00.000Z.',
      date: '2026-11-16T10:00:00.000Z',
      fulfilled_date: null,
      currency: 'JPY',
      total: 2832,
      discount_applied: 0,
      shipping_cost: 500,
      items: [
        {
          line_no: 1,
          sku: 'BER42-41',
          product: 'Berserk Vol. 41',
          manga_id: 'BER42',
          volume_number: 41,
          quantity: 1,
          unit_price: 814,
          discount: 0,
        },
        {
          line_no: 2,
          sku: 'VIN27-03',
          product: 'ヴィンランド・サガ Vol. 3',
          manga_id: 'VIN27',
          volume_number: 3,
          quantity: 2,
          unit_price: 759,
          discount: 0,
        },
      ],
      shipments: [
        {
          carrier: 'Yamato',
          tracking_number: order.shipment?.tracking_number ?? '',
          promised_delivery: '2026-11-20T12:00:00.000Z',
          estimated_delivery: '2026-11-22T12:00:00.000Z',
        },
      ],
      shipment: {
        carrier: 'Yamato',
        tracking_number: order.shipment?.tracking_number ?? '',
        promised_delivery: '2026-11-20T12:00:00.000Z',
        estimated_delivery: '2026-11-22T12:00:00.000Z',
        freshness: 'none',
        eta_as_of: null,
        eta_age_s: null,
        eta_why: null,
      },
      days_late: 2,
      payment_method: order.payment_method,
      payments: [{ kind: 'payment', amount: 2832, method: order.payments?.[0]?.method ?? null }],
      source: 'aurora_live',
    });
  });

  it('masks the e-mail address and knows no phone number and no address', async () => {
    const { customer } = await ask('88213');
    assert.deepEqual(
      [Object.keys(customer ?? {}), customer?.email],
      [['customer_id', 'name', 'email'], 'c***@example.com'],
    );
  });

  it('adds up: lines less discounts, less the discount of the order, plus shipping', async () => {
    const { orders } = await world
      .bodies({ cache: freshCache() })
      .list_recent_orders({ caller: staff('shop_123'), input: { limit: 10 } });
    for (const { order_id } of orders) {
      const { items = [], discount_applied = 0, shipping_cost = 0, total } = await ask(order_id, 'shop_123');
      const goods = items.reduce((sum, line) => sum + line.quantity * line.unit_price - line.discount, 0);
      assert.equal(Number((goods - discount_applied + shipping_cost).toFixed(2)), total, order_id);
    }
  });

  it('says not_found in words', async () => {
    const { status, order_id, message } = await ask('0');
    assert.deepEqual([status, order_id, message], ['not_found', '0', 'No order 0 was found. Do not infer.']);
  });

  it("answers to another shop's order as to none", async () => {
    assert.equal((await ask('88213', 'shop_123')).status, 'not_found');
  });

  it('says that the database cannot be reached', async () => {
    const { orders } = await unreachable();
    const body = world.bodies({ cache: freshCache(), orders }).get_order_details;
    await assert.rejects(body({ caller: staff(), input: { order_id: '1' } }), { code: 'unavailable' });
  });

  it('fits its own output schema', async () => {
    for (const answer of [await ask('88213'), await ask('0')])
      assert.deepEqual(catalog.get('get_order_details')?.output.parse(answer), answer);
  });
});
