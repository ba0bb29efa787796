import assert from 'node:assert/strict';
import { until } from '../support/until.ts';
import { type Office, openOffice, SECRETS, signed, tracker } from './office.ts';

const FEDEX = { carrier: 'FedEx' };
const DAY = '2026-11-20';
const at = (time: string) => `${DAY}T${time}:00.000Z`;

describe('what carriers push, once it is read', () => {
  let office: Office;
  let reader: { stop(): Promise<void> };
  let n = 0;

  beforeEach(async () => {
    office = await openOffice();
    reader = office.reader();
  });
  afterEach(async () => {
    await reader.stop();
    await office.close();
  });

  const number = () => `4490443041${String((n += 1)).padStart(5, '0')}`;
  const pushed = async (body: string, carrier = 'fedex', headers?: Record<string, string>) => {
    const { status } = await office.push(carrier, body, headers);
    assert.ok(status < 300, `${status}`);
    await until(
      async () => (await office.receipts()).every(({ state }) => state !== 'received'),
      'every receipt to be read',
    );
  };
  const told = async () =>
    (await office.rows<{ kind: string }>('select kind from order_events order by id')).map(
      ({ kind }) => kind,
    );
  const states = async () => (await office.receipts()).map(({ state }) => state);

  it('brings an order from Packed to Delivered, scan by scan', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    const seen = [];
    for (const scans of [
      [['pre_transit', at('08:00')]],
      [['in_transit', at('09:00')]],
      [['out_for_delivery', at('10:00')]],
      [['delivered', at('11:00')]],
    ] as const) {
      await pushed(tracker(parcel.number, scans));
      seen.push(await office.stateOf('1001'));
    }
    assert.deepEqual(seen, ['Packed', 'Shipped', 'OutForDelivery', 'Delivered']);
  });

  it('tells each scan once, when every push brings the whole history', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    const scans = [
      ['in_transit', at('09:00')],
      ['out_for_delivery', at('10:00')],
      ['delivered', at('11:00')],
    ] as const;
    for (const length of [1, 2, 3, 3]) await pushed(tracker(parcel.number, scans.slice(0, length)));
    assert.deepEqual(await told(), ['shipped', 'out_for_delivery', 'delivered']);
  });

  it('bears scans that come in the wrong order', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    for (const scan of [
      ['delivered', at('11:00')],
      ['in_transit', at('09:00')],
      ['out_for_delivery', at('10:00')],
    ] as const) {
      await pushed(tracker(parcel.number, [scan]));
      assert.equal(await office.stateOf('1001'), 'Delivered');
    }
    const [note] = await office.rows<{ status: string }>('select status from deliveries');
    assert.equal(note?.status, 'delivered');
  });

  it('keeps a failed attempt as a note, in words of ours', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'OutForDelivery', [parcel]);
    await pushed(tracker(parcel.number, [['failure', at('10:00')]]));
    assert.equal(await office.stateOf('1001'), 'OutForDelivery');
    const [note] = await office.rows<{ status: string; note: string }>('select status, note from deliveries');
    assert.equal(note?.status, 'failed');
    assert.doesNotMatch(note?.note ?? '', /Doe/);
  });

  it('delivers an order of two parcels with the second of them', async () => {
    const parcels = [
      { ...FEDEX, number: number() },
      { ...FEDEX, number: number() },
    ];
    await office.order('1001', 'OutForDelivery', parcels);
    const seen = [];
    for (const parcel of parcels) {
      await pushed(tracker(parcel.number, [['delivered', at('11:00')]]));
      seen.push(await office.stateOf('1001'));
    }
    assert.deepEqual(
      [seen, await told()],
      [
        ['OutForDelivery', 'Delivered'],
        ['delivered', 'delivered'],
      ],
    );
  });

  it('says how many of them are there, also when the other moves on', async () => {
    const [first, second] = [
      { ...FEDEX, number: number() },
      { ...FEDEX, number: number() },
    ];
    await office.order('1001', 'Packed', [first, second]);
    const seen = [];
    for (const [parcel, scan] of [
      [first, ['delivered', at('11:00')]],
      [second, ['in_transit', at('12:00')]],
      [second, ['delivered', at('13:00')]],
    ] as const) {
      await pushed(tracker(parcel.number, [scan]));
      const state = await office.stateOf('1001');
      const [note] = await office.rows<{ note: string | null }>('select note from deliveries');
      seen.push([state, note?.note]);
    }
    assert.deepEqual(seen, [
      ['OutForDelivery', '1 of 2 parcels delivered.'],
      ['OutForDelivery', '1 of 2 parcels delivered.'],
      ['Delivered', null],
    ]);
  });

  it('tells both orders of one parcel', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    await office.order('1002', 'Packed', [parcel]);
    await pushed(tracker(parcel.number, [['in_transit', at('09:00')]]));
    assert.deepEqual([await office.stateOf('1001'), await office.stateOf('1002')], ['Shipped', 'Shipped']);
  });

  it('finds the parcel however the number is written', async () => {
    await office.order('1001', 'Packed', [{ ...FEDEX, number: '4490-4430 4137-821' }]);
    await pushed(tracker('449044304137821', [['in_transit', at('09:00')]]));
    assert.equal(await office.stateOf('1001'), 'Shipped');
  });

  it('touches no parcel of another carrier that has the same number', async () => {
    const parcel = { carrier: 'Yamato', number: number() };
    await office.order('1001', 'Packed', [parcel]);
    await pushed(tracker(parcel.number, [['delivered', at('09:00')]]));
    assert.deepEqual([await states(), await told()], [['unmatched'], []]);
  });

  it('touches no order of a shop whose secret did not sign it', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'OutForDelivery', [parcel], 'manga');
    const body = tracker(parcel.number, [['delivered', at('11:00')]]);
    await pushed(body, 'fedex', signed(body, SECRETS.fedex.other[0]));
    assert.deepEqual([await states(), await told()], [['unmatched'], []]);
    assert.equal(await office.stateOf('1001'), 'OutForDelivery');
    assert.deepEqual(office.etas, []);
  });

  it('waits with a parcel that nobody knows yet, and reads it when its shipment is written', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', []);
    await pushed(tracker(parcel.number, [['in_transit', at('09:00')]]));
    assert.deepEqual(await states(), ['unmatched']);
    await office.parcel('1001', parcel);
    await until(async () => (await states())[0] === 'applied', 'the parcel to be matched');
    assert.equal(await office.stateOf('1001'), 'Shipped');
  });

  it('refuses, and keeps on record, what the diagram does not allow', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Cancelled', [parcel]);
    await pushed(tracker(parcel.number, [['delivered', at('11:00')]]));
    assert.equal(await office.stateOf('1001'), 'Cancelled');
    const [event] = await office.rows<{ verdict: string }>('select verdict from order_events');
    assert.equal(event?.verdict, 'refused');
  });

  it('keeps what the carrier said of the arrival, dated by the scan', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Shipped', [parcel]);
    await pushed(tracker(parcel.number, [['in_transit', at('09:00')]], { eta: '2026-11-23T00:00:00Z' }));
    assert.deepEqual(office.etas, [
      {
        tenant: 'manga',
        carrier: 'FedEx',
        trackingNumber: parcel.number,
        state: 'in_transit',
        estimatedDelivery: '2026-11-23T00:00:00.000Z',
        seenAt: at('09:00'),
      },
    ]);
  });

  it('does not believe a scan from the future in its time', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    await pushed(tracker(parcel.number, [['in_transit', '2999-01-01T00:00:00Z']]));
    const [event] = await office.rows<{ ahead: boolean }>(
      `select happened_at > now() + interval '1 minute' as ahead from order_events`,
    );
    assert.equal(event?.ahead, false);
  });

  it('drops the body of what was read, and keeps that of what cannot be', async () => {
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    await pushed(tracker(parcel.number, [['in_transit', at('09:00')]]));
    await pushed('{"id":"evt_batch","object":"Event","result":{"object":"Batch"}}');
    assert.deepEqual(await office.receipts(), [
      { shop_id: 'manga', state: 'applied', kept: false },
      { shop_id: 'manga', state: 'unreadable', kept: true },
    ]);
  });

  it('reads a UPS Track Alert', async () => {
    await office.order('1001', 'Packed', [{ carrier: 'UPS', number: '1Z204W4R0308071865' }]);
    const alert = JSON.stringify({
      trackingNumber: '1Z204W4R0308071865',
      activityStatus: { type: 'I', code: 'OT', descriptionCode: '021' },
      gmtActivityDate: '20261120',
      gmtActivityTime: '101519',
      scheduledDeliveryDate: '20261120',
    });
    await pushed(alert, 'ups', { credential: SECRETS.ups.manga[0] ?? '' });
    assert.equal(await office.stateOf('1001'), 'OutForDelivery');
  });

  for (const hostile of [
    '{"object":"Event","result":{"object":"Tracker","tracking_code":"1"}}',
    '{"object":"Event","result":{"object":"Tracker","tracking_code":"1","tracking_details":{"a":1}}}',
    '{"object":"Event","result":{"object":"Tracker","tracking_code":"1","status":"__proto__","tracking_details":[null,7,{"status":["x"]}]}}',
    '{"object":"Event","result":{"object":"Tracker","tracking_code":"1","tracking_details":[{"status":"delivered","datetime":"not a time"}]}}',
  ]) {
    it(`ends with one receipt that is read, whatever it holds: ${hostile.slice(40, 130)}`, async () => {
      await pushed(hostile);
      assert.equal((await states()).length, 1);
    });
  }

  it('reads what was accepted before the reader stopped', async () => {
    await reader.stop();
    const parcel = { ...FEDEX, number: number() };
    await office.order('1001', 'Packed', [parcel]);
    await office.push('fedex', tracker(parcel.number, [['in_transit', at('09:00')]]));
    assert.deepEqual(await states(), ['received']);
    reader = office.reader();
    await until(async () => (await states())[0] === 'applied', 'the receipt to be read');
    assert.equal(await office.stateOf('1001'), 'Shipped');
  });
});
