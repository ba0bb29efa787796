import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mortals } from '../support/mortals.ts';
import { until } from '../support/until.ts';
import { type Office, openOffice, signed, tracker } from './office.ts';

const DOOR = new URL('./mortal-door.ts', import.meta.url);
const NUMBER = '449044304100001';
const SCANS = [
  ['in_transit', '2026-11-20T09:00:00.000Z'],
  ['out_for_delivery', '2026-11-20T10:00:00.000Z'],
] as const;

/** Class of defect: a scan that is lost, or counts twice, because the door died between keeping it and saying so. */
describe('when the gateway is killed right after it kept what a carrier pushed', function () {
  this.timeout(180_000);
  let office: Office;
  let reader: { stop(): Promise<void> } | undefined;
  const { start, kill, killedItself, close } = mortals();
  beforeEach(async () => {
    reader = undefined;
    office = await openOffice();
    await office.order('1001', 'Packed', [{ carrier: 'FedEx', number: NUMBER }]);
  });
  afterEach(async () => {
    await close();
    await reader?.stop();
    await office.close();
  });

  const body = tracker(NUMBER, SCANS);
  const door = async (more: Readonly<Record<string, string>> = {}) => {
    const child = start(DOOR, { DATABASE: office.writeUrl, ...more });
    const [url] = await once(child, 'message');
    assert.ok(typeof url === 'string');
    return { child, push: () => fetch(`${url}/webhooks/carriers/fedex`, request()) };
  };
  const request = () => ({
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...signed(body) },
  });
  const told = () =>
    office.rows<{ kind: string; n: number }>(
      'select kind, count(*)::int as n from order_events group by kind order by min(id)',
    );
  const TOLD = [
    { kind: 'shipped', n: 1 },
    { kind: 'out_for_delivery', n: 1 },
  ];

  async function assertCountsOnce(): Promise<void> {
    await until(
      async () => (await office.receipts()).every(({ state }) => state === 'applied'),
      'every receipt to be read',
    );
    assert.equal(await office.stateOf('1001'), 'OutForDelivery');
    assert.deepEqual([(await office.receipts()).length, await told()], [1, TOLD]);
  }

  for (const isReadFirst of [true, false]) {
    const when = isReadFirst ? 'after' : 'before';
    it(`before it answered: the carrier’s repeat, ${when} it was read, counts for nothing`, async () => {
      const { child, push } = await door({ DIES_BEFORE_ANSWER: 'yes' });
      await assert.rejects(push(), { message: 'fetch failed' });
      await killedItself(child);
      assert.equal((await office.receipts()).length, 1);
      if (isReadFirst) {
        reader = office.reader();
        await assertCountsOnce();
      }
      assert.equal((await office.push('fedex', body)).status < 300, true);
      reader ??= office.reader();
      await assertCountsOnce();
    });
  }

  it('after it answered: what it promised to see to is seen to, once', async () => {
    const { child, push } = await door();
    assert.equal((await push()).status < 300, true);
    await kill(child);
    reader = office.reader();
    await assertCountsOnce();
    assert.equal((await office.push('fedex', body)).status < 300, true);
    await assertCountsOnce();
  });

  it('again and again, while the carrier repeats itself: it counts once', async () => {
    reader = office.reader();
    for (let n = 0; n < 3; n += 1) {
      const { child, push } = await door({ DIES_BEFORE_ANSWER: 'yes' });
      await Promise.allSettled([push(), push(), push()]);
      await killedItself(child);
    }
    await assertCountsOnce();
  });
});
