import assert from 'node:assert/strict';
import { createEtaStore } from '../../adapters/postgres/eta-store.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { shipmentEtaChanged } from '../../catalog/events/shipments.ts';
import type { EtaStore, LastKnownEta } from '../../domain/carriers.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { openShop, type Rows } from '../support/rows.ts';

const NUMBER = '1Z999AA10123456784';
const FRIDAY = '2026-11-20T18:00:00.000Z';
const MONDAY = '2026-11-23T18:00:00.000Z';
const [NOON, LATER] = ['2026-11-19T12:00:00.000Z', '2026-11-19T13:00:00.000Z'];

const said = (more: Partial<LastKnownEta> = {}): LastKnownEta => ({
  carrier: 'UPS',
  trackingNumber: NUMBER,
  state: 'in_transit',
  estimatedDelivery: MONDAY,
  seenAt: NOON,
  ...more,
});

describe('the store of arrivals', () => {
  let db: TestDatabase;
  let etas: EtaStore;
  let rows: Rows;
  let shop: string;
  let shops = 0;

  const query = <T extends object>(text: string, tenant = shop) =>
    inTenant(db.pools.write, tenant, async (sql) => (await sql.query<T>(text)).rows);
  const published = () =>
    query<{ payload: object }>(
      `select payload from event_outbox where topic = 'shipment_eta_changed' order by seq`,
    );
  const onRecord = async () =>
    (await query<{ at: Date | null }>('select estimated_delivery as at from shipments order by id')).map(
      ({ at }) => at?.toISOString(),
    );

  before(async () => {
    db = await freshDatabase();
    etas = createEtaStore(db.pools);
  });
  after(() => db.drop());
  beforeEach(async () => {
    shop = `etas-${(shops += 1)}`;
    rows = await openShop(db.pools, shop);
    await rows.customer('c');
    await rows.order({ orderId: 'o_1', customerId: 'c', date: NOON, status: 'Shipped', lines: [] });
    await rows.run(
      `insert into shipments (shop_id, order_id, carrier, tracking_number, promised_delivery, estimated_delivery)
       select $1, id, 'UPS', $2, $3, $3 from orders where order_id = 'o_1'`,
      [shop, NUMBER, FRIDAY],
    );
  });

  it('knows what was kept, and nothing of other parcels', async () => {
    await etas.keep(shop, said());
    assert.deepEqual(
      [await etas.lastKnown(shop, 'UPS', NUMBER), await etas.lastKnown(shop, 'UPS', '1Z0')],
      [said(), undefined],
    );
  });

  it('keeps shops apart', async () => {
    await etas.keep(shop, said());
    await openShop(db.pools, `${shop}-other`);
    assert.equal(await etas.lastKnown(`${shop}-other`, 'UPS', NUMBER), undefined);
  });

  it('moves nothing of a shop that has a parcel of the same number', async () => {
    const mine = shop;
    await openShop(db.pools, `${mine}-other`);
    assert.deepEqual(await etas.keep(`${mine}-other`, said()), []);
    assert.deepEqual(await onRecord(), [FRIDAY]);
  });

  it('is not overwritten by what was said earlier', async () => {
    await etas.keep(shop, said({ seenAt: LATER, estimatedDelivery: MONDAY }));
    await etas.keep(shop, said({ seenAt: NOON, estimatedDelivery: FRIDAY }));
    assert.equal((await etas.lastKnown(shop, 'UPS', NUMBER))?.estimatedDelivery, MONDAY);
    assert.deepEqual(await onRecord(), [MONDAY]);
  });

  it('does not forget a day because the carrier names none', async () => {
    await etas.keep(shop, said());
    await etas.keep(shop, said({ seenAt: LATER, estimatedDelivery: null, state: 'unknown' }));
    assert.deepEqual(await etas.lastKnown(shop, 'UPS', NUMBER), said());
  });

  it('moves the shipment, says whose order it is, and publishes it once', async () => {
    const touched = await etas.keep(shop, said());
    const again = await etas.keep(shop, said());
    assert.deepEqual(
      [touched, again, await onRecord()],
      [[{ orderId: 'o_1', customerId: 'c' }], [], [MONDAY]],
    );
    const [event, ...more] = await published();
    assert.deepEqual(more, []);
    assert.deepEqual(shipmentEtaChanged.payload.parse(event?.payload), {
      order_id: 'o_1',
      carrier: 'UPS',
      tracking_number: NUMBER,
      parcel_state: 'in_transit',
      from: FRIDAY,
      to: MONDAY,
      seen_at: NOON,
    });
  });

  it('publishes nothing when the day is the one on record', async () => {
    await etas.keep(shop, said({ estimatedDelivery: FRIDAY }));
    assert.deepEqual(await published(), []);
  });

  it('leaves a parcel alone that has arrived', async () => {
    await rows.run('update shipments set delivered_at = now() where shop_id = $1', [shop]);
    assert.deepEqual([await etas.keep(shop, said()), await onRecord()], [[], [FRIDAY]]);
  });

  it('lets twenty at once publish each change in its order', async () => {
    const day = (i: number) => new Date(Date.parse(MONDAY) + i * 86_400_000).toISOString();
    const seen = (i: number) => new Date(Date.parse(NOON) + i * 60_000).toISOString();
    const all = Array.from({ length: 20 }, (_, i) => said({ estimatedDelivery: day(i), seenAt: seen(i) }));
    await Promise.all(all.map((eta) => etas.keep(shop, eta)));
    assert.deepEqual(await onRecord(), [day(19)]);
    const told = await query<{ before: string; after: string }>(
      `select payload->>'from' as before, payload->>'to' as after from event_outbox order by seq`,
    );
    assert.deepEqual(told.at(-1)?.after, day(19));
    assert.deepEqual(
      told.slice(1).map(({ before }) => before),
      told.slice(0, -1).map(({ after }) => after),
    );
  });

  it('takes hostile text as text', async () => {
    const trackingNumber = `'; drop table carrier_etas; --`;
    await etas.keep(shop, said({ trackingNumber }));
    assert.equal((await etas.lastKnown(shop, 'UPS', trackingNumber))?.trackingNumber, trackingNumber);
  });
});
