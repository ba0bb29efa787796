/** Defects of the class "a date that nobody vouches for": shown as the carrier's word when it is not. */
import assert from 'node:assert/strict';
import { inTenant } from '../../adapters/postgres/pools.ts';
import type { BodyDeps } from '../../activities/index.ts';
import { parcelKey } from '../../activities/logistics/keys.ts';
import type { Cache } from '../../domain/cache.ts';
import { NUMBER } from '../adapters/carriers/support.ts';
import { openShop } from '../support/rows.ts';
import { customer, freshCache, seededWorld, staff, unreachable, type World } from '../support/world.ts';
import { ARRIVES, broken, clientOf, hang, startUps, type Ups, well } from './ups.ts';

const PROMISED = '2026-11-22T12:00:00.000Z';

describe('the arrival of an order', () => {
  let world: World;
  let ups: Ups;
  let shop: string;
  let cache: Cache;
  let shops = 0;

  before(async () => {
    [world, ups] = await Promise.all([seededWorld(), startUps()]);
  });
  after(() => Promise.all([world.close(), ups.close()]));
  beforeEach(async () => {
    ups.seen.length = 0;
    ups.script(well);
    cache = freshCache();
    shop = `arrivals-${(shops += 1)}`;
    await plant('Shipped', 'UPS');
  });

  async function plant(status: string, carrier: string) {
    const rows = await openShop(world.db.pools, shop);
    await rows.customer('c');
    await rows.order({ orderId: '1', customerId: 'c', date: '2026-11-19T00:00:00Z', status, lines: [] });
    await rows.run(
      `insert into shipments (shop_id, order_id, carrier, tracking_number, promised_delivery, estimated_delivery)
       select $1, id, $2, $3, $4, $4 from orders where shop_id = $1`,
      [shop, carrier, NUMBER, PROMISED],
    );
  }

  const bodies = (more: Partial<BodyDeps> = {}) => world.bodies({ cache, carriers: clientOf(ups), ...more });
  const status = async (more?: Partial<BodyDeps>, caller = staff(shop)) => {
    const { orders } = await bodies(more).get_order_status({ caller, input: { order_id: '1' } });
    const [order] = orders;
    assert.ok(order);
    return order;
  };
  /** As when its two minutes are over. */
  const expired = () => (cache = freshCache());

  it('is the carrier’s word now, and says when it was given', async () => {
    const { estimated_delivery, freshness, eta_as_of, eta_age_s, eta_why } = await status();
    assert.deepEqual([estimated_delivery?.slice(0, 10), freshness, eta_why], [ARRIVES, 'live', null]);
    assert.ok(eta_as_of !== null && eta_age_s === 0);
  });

  it('is shown alike by status, list, details, record and delivery', async () => {
    const all = bodies();
    const [caller, input] = [staff(shop), { order_id: '1' }];
    const { freshness, estimated_delivery } = await status();
    const [list, details, record, delivery] = [
      await all.list_recent_orders({ caller, input: { limit: 10 } }),
      await all.get_order_details({ caller, input }),
      await all.order_record({ caller, input }),
      await all.get_delivery_status({ caller, input }),
    ];
    for (const shown of [list.orders[0], details.shipment, record.shipment, delivery.shipment])
      assert.deepEqual([shown?.freshness, shown?.estimated_delivery], [freshness, estimated_delivery]);
    assert.deepEqual([details.days_late, record.days_late, delivery.shipment?.days_late], [2, 2, 2]);
  });

  it('moves the shipment on record when the carrier names another day', async () => {
    await status();
    const rows = await inTenant(
      world.db.pools.write,
      shop,
      async (sql) => (await sql.query<{ at: Date }>('select estimated_delivery as at from shipments')).rows,
    );
    assert.equal(rows[0]?.at.toISOString().slice(0, 10), ARRIVES);
  });

  it('asks the carrier once in two minutes', async () => {
    await status();
    await status();
    assert.equal(ups.seen.length, 1);
  });

  it('never says live for longer than 120 seconds', async () => {
    let ttl = Infinity;
    const seen: Cache = {
      ...cache,
      read: async (key, load, options) => {
        const found = await cache.read(key, load, options);
        if (key.kind === 'shipping_eta') ttl = found.cache.ttl_s;
        return found;
      },
    };
    await status({ cache: seen });
    assert.ok(ttl > 0 && ttl <= 120);
  });

  for (const [what, reply, why] of [
    ['hangs', hang, 'timeout'],
    ['fails', broken, 'down'],
  ] as const) {
    it(`is the last known one with its age and why, when the carrier ${what} after expiry`, async () => {
      const before = await status();
      expired();
      ups.script(reply);
      const after = await status();
      assert.deepEqual(
        [after.freshness, after.eta_why, after.estimated_delivery, after.eta_as_of],
        ['stale', why, before.estimated_delivery, before.eta_as_of],
      );
    });

    it(`is the date on file and says so, when the carrier ${what} and has never said anything`, async () => {
      ups.script(reply);
      const { freshness, estimated_delivery, eta_as_of } = await status();
      assert.deepEqual([freshness, estimated_delivery, eta_as_of], ['none', PROMISED, null]);
    });
  }

  it('costs a hanging carrier one wait, not one for each who asks', async () => {
    ups.script(hang);
    await status();
    const asked = ups.seen.length;
    await status();
    assert.equal(ups.seen.length, asked);
  });

  it('holds up an answer for a second at most', async () => {
    ups.script(hang);
    const began = performance.now();
    await status();
    assert.ok(performance.now() - began < 1_500);
  });

  it('is asked anew when a carrier has pushed something about the parcel', async () => {
    await status();
    await cache.invalidate(parcelKey(shop, { carrier: 'UPS', trackingNumber: NUMBER }));
    await status();
    assert.equal(ups.seen.length, 2);
  });

  for (const state of ['Delivered', 'Cancelled', 'DeliveryFailed', 'Refunded'])
    it(`is the date on file for an order that is ${state}, and nobody is asked`, async () => {
      shop = `${shop}-${state}`;
      await plant(state, 'UPS');
      const { freshness } = await status();
      assert.deepEqual([freshness, ups.seen.length], ['none', 0]);
    });

  it('is the date on file for a carrier without an interface', async () => {
    shop = `${shop}-yamato`;
    await plant('OutForDelivery', 'Yamato');
    const { freshness, estimated_delivery } = await status();
    assert.deepEqual([freshness, estimated_delivery, ups.seen.length], ['none', PROMISED, 0]);
  });

  it('is the date on file for a number that the carrier cannot have given', async () => {
    await inTenant(world.db.pools.write, shop, (sql) =>
      sql.query(`update shipments set tracking_number = '1Z/../x'`),
    );
    const { freshness, estimated_delivery } = await status();
    assert.deepEqual([freshness, estimated_delivery], ['none', PROMISED]);
  });

  it('is known for a shop of its own: a parcel of the same number elsewhere says nothing', async () => {
    await status();
    shop = `${shop}-foreign`;
    await plant('Shipped', 'UPS');
    ups.script(hang);
    assert.equal((await status()).freshness, 'none');
  });

  it('is shown to the customer whose order it is, and the order to nobody else', async () => {
    const theirs = await status({}, customer('c', shop));
    assert.equal(theirs.freshness, 'live');
    const { orders } = await bodies().get_order_status({
      caller: customer('somebody', shop),
      input: { order_id: '1' },
    });
    assert.deepEqual(orders, []);
  });

  it('costs no answer when the database is gone and the order is cached', async () => {
    await status();
    ups.script(hang);
    const { orders, etas } = await unreachable();
    await cache.invalidate(parcelKey(shop, { carrier: 'UPS', trackingNumber: NUMBER }));
    // Voided by the arrival that changed, so read once more while the database is there.
    await bodies().get_order_status({ caller: staff(shop), input: { order_id: '1' } });
    assert.equal((await status({ orders, etas })).order_id, '1');
  });

  it('leaves order 88213 two days late, by the date on file', async () => {
    const details = await bodies().get_order_details({ caller: staff(), input: { order_id: '88213' } });
    assert.deepEqual([details.days_late, details.shipment?.freshness], [2, 'none']);
  });

  it('says that an order is not there, whoever has one of that number', async () => {
    const { status: found, shipment } = await bodies().get_delivery_status({
      caller: staff('shop_456'),
      input: { order_id: '88213' },
    });
    assert.deepEqual([found, shipment], ['not_found', null]);
  });

  it('names the drivers, and those who called in sick', async () => {
    const all = await bodies().list_drivers({ caller: staff(), input: {} });
    const sick = await bodies().list_drivers({ caller: staff(), input: { status: 'sick' } });
    assert.deepEqual(
      [all.total, all.drivers.length, sick.drivers.map(({ status: is }) => is)],
      [4, 4, ['sick']],
    );
  });

  it('lists what is in flight with its driver, late 88213 among it', async () => {
    const { total, deliveries } = await bodies().deliveries_in_flight({ caller: staff(), input: {} });
    const late = deliveries.find(({ order_id }) => order_id === '88213');
    assert.deepEqual(
      [total, late?.days_late, late?.delivery?.driver?.status],
      [deliveries.length, 2, 'sick'],
    );
  });
});
