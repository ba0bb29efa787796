/** Orders that move by themselves: the simulated carrier, the gateway's door and the worker behind it. */
import assert from 'node:assert/strict';
import { type Following, followParcels } from '../../cli/follow-parcels.ts';
import { webhooksOf } from '../../cli/carrier-simulator.ts';
import { type CarrierSimulator, startCarrierSimulator } from '../../simulator/carriers/server.ts';
import { startStack, type Stack } from '../gateway/stack.ts';
import { openSession } from '../gateway/wire.ts';
import { asAdmin } from '../support/database.ts';
import { until } from '../support/until.ts';
import { part } from './carrier.ts';

const CREDENTIALS = { clientId: 'an-id', clientSecret: 'a-secret' };
const SECRETS = { ups: { shop_123: ['the-secret-of-shop-123'], shop_456: ['the-secret-of-shop-456'] } };
const DAY_S = 86_400;

type Way = { readonly status: string; readonly delivered: Date | null; readonly tracking_number: string };

describe('orders whose parcels the simulated carrier has', function () {
  this.timeout(120_000);
  let stack: Stack;
  let simulator: CarrierSimulator;
  let following: Following;
  before(async () => {
    simulator = await startCarrierSimulator({ port: 0, ...CREDENTIALS });
    stack = await startStack({
      env: {
        CARRIER_UPS_URL: simulator.url,
        CARRIER_UPS_CLIENT_ID: CREDENTIALS.clientId,
        CARRIER_UPS_CLIENT_SECRET: CREDENTIALS.clientSecret,
        CARRIER_WEBHOOK_SECRETS: JSON.stringify(SECRETS),
      },
    });
  });
  after(async () => {
    await following?.stop();
    await simulator?.stop();
    await stack?.stop();
  });
  beforeEach(async () => {
    await following?.stop();
    await simulator.control({ reset: true });
    const { database, profile } = stack.config;
    following = await followParcels(simulator, { ...database, profile }, () => undefined);
  });

  const wayOf = async (orderId: string): Promise<Way | undefined> => {
    const rows = await asAdmin(
      async (admin) =>
        admin.query<Way>(
          `select o.status, s.delivered_at as delivered, s.tracking_number
             from orders o join shipments s on s.shop_id = o.shop_id and s.order_id = o.id
            where o.order_id = $1`,
          [orderId],
        ),
      stack.db.adminUrl,
    );
    return rows.rows[0];
  };
  const isNow = (orderId: string, state: string) =>
    until(async () => (await wayOf(orderId))?.status === state, `${orderId} to be ${state}`);
  /** An order of the shop whose parcel is under way; each is handed out once. */
  const taken: string[] = [];
  const anOrder = async (...states: readonly ('Shipped' | 'OutForDelivery')[]): Promise<string> => {
    const { rows } = await asAdmin(
      async (admin) =>
        admin.query<{ order_id: string }>(
          `select o.order_id from orders o join shipments s on s.shop_id = o.shop_id and s.order_id = o.id
            where o.shop_id = 'shop_123' and s.tracking_number like '1Z%' and o.status = any($1)
              and o.order_id <> all($2) order by o.order_id`,
          [states.length === 0 ? ['Shipped', 'OutForDelivery'] : states, taken],
        ),
      stack.db.adminUrl,
    );
    const [first] = rows;
    assert.ok(first, 'no order is under way any more');
    taken.push(first.order_id);
    return first.order_id;
  };
  const numberOf = async (orderId: string) => (await wayOf(orderId))?.tracking_number ?? '';
  /** The carrier has this parcel and no other, booked just now, and pushes what happens to it. */
  const only = async (orderId: string, shop = 'shop_123') => {
    const now = Date.now();
    await simulator.control({ reset: true });
    await simulator.control({
      webhooks: webhooksOf(SECRETS, stack.url),
      parcels: [
        {
          tracking_number: await numberOf(orderId),
          shop,
          booked_at: new Date(now).toISOString(),
          estimated_delivery: new Date(now + DAY_S * 1_000).toISOString(),
        },
      ],
    });
  };

  it('are known to it from the start', async () => {
    const { total, parcels } = simulator.state();
    assert.deepEqual(
      [total, parcels.map(({ shop }) => shop).includes('shop_123')],
      [following.registered, true],
    );
  });

  it('are out for delivery at the carrier if they are with us', async () => {
    const number = await numberOf(await anOrder('OutForDelivery'));
    const parcel = simulator.state().parcels.find(({ tracking_number }) => tracking_number === number);
    assert.equal(parcel?.state, 'out_for_delivery');
  });

  it('go out and are delivered when its clock moves', async () => {
    const order = await anOrder();
    await only(order);
    await simulator.control({ clock: { advance_s: 2 * DAY_S } });
    await isNow(order, 'Delivered');
    assert.ok((await wayOf(order))?.delivered);
  });

  it('show the day that it names, as live', async () => {
    const orderId = await anOrder();
    const arrival = '2031-01-02T03:04:05.000Z';
    await simulator.control({
      etas: [{ tracking_number: await numberOf(orderId), estimated_delivery: arrival }],
    });
    const session = await openSession(
      stack.url,
      await stack.mint('supply_chain_manager', { shop: 'shop_123' }),
    );
    const { result } = await session.ask('tools/call', {
      name: 'get_order_status',
      arguments: { order_id: orderId },
    });
    const order = part({ json: result?.['structuredContent'] }, 'orders', 0);
    assert.deepEqual(
      ['estimated_delivery', 'freshness'].map((name) => part({ json: order }, name)),
      [arrival, 'live'],
    );
  });

  it('stay as they are when another shop’s carrier tells of them', async () => {
    const [order, other] = [await anOrder(), await anOrder()];
    const before = await wayOf(order);
    const pushedBefore = simulator.state().pushed;
    await only(order, 'shop_456');
    await simulator.control({ scans: [{ tracking_number: await numberOf(order), state: 'delivered' }] });
    assert.equal(simulator.state().pushed, pushedBefore + 1);
    await only(other);
    await simulator.control({ scans: [{ tracking_number: await numberOf(other), state: 'delivered' }] });
    // What came later has been read, so what came before would have been, too.
    await isNow(other, 'Delivered');
    assert.deepEqual(await wayOf(order), before);
  });

  it('end in the same state when every scan comes twice and in no order', async () => {
    const order = await anOrder();
    await only(order);
    await simulator.control({ fault: 'duplicates', clock: { advance_s: DAY_S } });
    await simulator.control({ fault: 'out_of_order', clock: { advance_s: 2 * DAY_S } });
    await isNow(order, 'Delivered');
  });
});
