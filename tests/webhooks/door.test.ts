import assert from 'node:assert/strict';
import { asAdmin } from '../support/database.ts';
import { NOW, type Office, openOffice, SECRETS, signed, tracker } from './office.ts';

const NUMBER = '449044304137821';
const seconds = (n: number) => new Date(NOW.getTime() + n * 1000);

describe('the door for carriers', () => {
  let office: Office;
  before(async () => {
    office = await openOffice();
  });
  beforeEach(() => asAdmin((admin) => admin.query('delete from webhook_receipts'), office.adminUrl));
  after(() => office.close());

  const kept = async () => (await office.receipts()).length;

  it('keeps what is signed, with the event that has it read, and says 202', async () => {
    const answer = await office.push('fedex', tracker(NUMBER, [['in_transit', '2026-11-20T10:00:00Z']]));
    assert.deepEqual([answer.status, await answer.json()], [202, { status: 'accepted' }]);
    assert.deepEqual(await office.receipts(), [{ shop_id: 'manga', state: 'received', kept: true }]);
    const told = await office.rows(
      `select event_id from event_outbox where topic = 'carrier_webhook_received'
          and payload->>'receipt' = (select max(id)::text from webhook_receipts)`,
    );
    assert.equal(told.length, 1);
  });

  it('says the same with 200 to a repeat, and keeps one', async () => {
    const body = tracker(NUMBER, [['in_transit', '2026-11-20T10:00:00Z']]);
    const answers = [await office.push('fedex', body), await office.push('fedex', body)];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 200],
    );
    assert.deepEqual(await answers[0]?.json(), await answers[1]?.json());
    assert.equal(await kept(), 1);
  });

  it('keeps one of fifty that come at once', async () => {
    const body = tracker(NUMBER, [['in_transit', '2026-11-20T10:00:00Z']]);
    const answers = await Promise.all(Array.from({ length: 50 }, () => office.push('fedex', body)));
    assert.equal(answers.filter(({ status }) => status === 202).length, 1);
    assert.equal(answers.filter(({ status }) => status === 200).length, 49);
    assert.equal(await kept(), 1);
  });

  it('takes a repeat for one when the sender has changed what is beside the event', async () => {
    // EasyPost counts its attempts in the body.
    const first = tracker(NUMBER, [['in_transit', '2026-11-20T10:00:00Z']], { id: 'evt_same' });
    await office.push('fedex', first);
    const again = await office.push('fedex', first.replace('"Event"', '"Event","completed_urls":["x"]'));
    assert.deepEqual([again.status, await kept()], [200, 1]);
  });

  it('gives each shop its own, by the secret, whatever the body says', async () => {
    const body = tracker(NUMBER, [['in_transit', '2026-11-20T10:00:00Z']]);
    await office.push('fedex', body, signed(body, SECRETS.fedex.other[0]));
    await office.push('fedex', body, signed(body, SECRETS.fedex.manga[1]));
    assert.deepEqual(
      (await office.receipts()).map(({ shop_id }) => shop_id),
      ['other', 'manga'],
    );
  });

  const body = tracker(NUMBER, [['delivered', '2026-11-20T10:00:00Z']]);
  const refusals: readonly (readonly [string, number, Record<string, string>, string?])[] = [
    ['no signature', 401, {}],
    ['a signature over another body', 401, signed(`${body} `)],
    ['a secret of nobody', 401, signed(body, 'a secret of nobody')],
    ['the secret of another carrier', 401, signed(body, SECRETS.ups.manga[0])],
    ['an old time stamp', 401, signed(body, undefined, seconds(-301))],
    ['a time stamp ahead', 401, signed(body, undefined, seconds(301))],
    ['a time stamp that was not signed', 401, { ...signed(body), 'X-Countersign-Timestamp': '1795262400' }],
    ['the secret itself', 401, { credential: 'the secret of manga' }],
    ['a carrier that is not known', 404, signed(body), 'pigeon'],
    ['a carrier by a name of the runtime', 404, signed(body), '__proto__'],
    ['a carrier by a name of the runtime, too', 404, signed(body), 'constructor'],
  ];
  for (const [what, status, headers, carrier = 'fedex'] of refusals) {
    it(`keeps nothing and says ${status} to ${what}`, async () => {
      const answer = await office.push(carrier, body, headers);
      assert.deepEqual([answer.status, await kept()], [status, 0]);
    });
  }

  it('takes a time stamp that is signed and not old', async () => {
    assert.equal((await office.push('fedex', body, signed(body, undefined, seconds(-299)))).status, 202);
  });

  it('records who was turned away, without the body', async () => {
    const before = office.wire.rows.length;
    await office.push('fedex', body, signed(body, undefined, seconds(-600)));
    const row = office.wire.rows[before];
    assert.deepEqual([row?.tool, row?.reason], ['carrier_webhook', 'signature_stale']);
    assert.doesNotMatch(JSON.stringify(row), /449044304137821|Doe/);
  });

  for (const [what, hostile] of [
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['half of it', body.slice(0, 100)],
    ['null', 'null'],
    ['a list', '[1]'],
    ['a number', '7'],
    ['a bare NUL', '{"id":"\u0000"}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a hundred thousand brackets', '['.repeat(100_000)],
  ] as const) {
    it(`says 400 to a signed body that holds ${what}`, async () => {
      const answer = await office.push('fedex', hostile);
      assert.deepEqual([answer.status, await kept()], [400, 0]);
    });
  }

  it('says 413 to a body over a megabyte, and does not read it', async () => {
    const huge = JSON.stringify({ id: 'x'.repeat(1_100_000) });
    assert.deepEqual([(await office.push('fedex', huge)).status, await kept()], [413, 0]);
  });

  it('does not unpack', async () => {
    const answer = await office.push('fedex', body, { ...signed(body), 'content-encoding': 'gzip' });
    assert.deepEqual([answer.status, await kept()], [415, 0]);
  });

  for (const strange of [
    '{}',
    '{"id":{"a":1},"result":7}',
    '{"id":"\\u0000\\ud800","trackingNumber":"\\u0000"}',
    `{"id":"${'x'.repeat(5_000)}","trackingNumber":"${'9'.repeat(5_000)}"}`,
    `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    '{"result":{"tracking_code":["1"]}}',
    '{"id":"\'; drop table webhook_receipts; --","trackingNumber":"\' or 1=1"}',
  ]) {
    it(`keeps a signed object of a strange shape: ${strange.slice(0, 60)}`, async () => {
      assert.deepEqual([(await office.push('fedex', strange)).status, await kept()], [202, 1]);
    });
  }

  describe('for UPS, which sends its secret', () => {
    const alert = JSON.stringify({
      trackingNumber: '1Z204W4R0308071865',
      activityStatus: { type: 'I', code: 'OT', descriptionCode: '021' },
      gmtActivityDate: '20261121',
      gmtActivityTime: '101519',
    });

    for (const [name, value] of [
      ['credential', 'ups-secret-of-manga'],
      ['authorization', 'Bearer ups-secret-of-manga'],
    ] as const) {
      it(`looks at ${name}`, async () => {
        assert.deepEqual(
          [(await office.push('ups', alert, { [name]: value })).status, await kept()],
          [200, 1],
        );
      });
    }

    it('believes no other secret, none, and nothing that begins like it', async () => {
      for (const credential of ['', 'ups-secret', 'ups-secret-of-manga2', 'the secret of manga'])
        assert.equal((await office.push('ups', alert, { credential })).status, 401);
      assert.equal(await kept(), 0);
    });

    it('keeps the same alert once', async () => {
      const credential = { credential: 'ups-secret-of-manga' };
      await office.push('ups', alert, credential);
      await office.push('ups', alert, credential);
      assert.equal(await kept(), 1);
    });
  });

  it('asks for it again while nothing can be kept', async () => {
    const broken = await openOffice({ keep: () => Promise.reject(new Error('connect ECONNREFUSED')) });
    const answer = await broken.push('fedex', body);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '5']);
    assert.doesNotMatch(await answer.text(), /ECONNREFUSED/);
    await broken.close();
  });
});
