import assert from 'node:assert/strict';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import type { Bodies } from '../../catalog/index.ts';
import { schedulePromotion } from '../../catalog/pricing/schedule-promotion.ts';
import { approved, callOf, claimed, planOf } from '../support/approved.ts';
import { asAdmin } from '../support/database.ts';
import { staff } from '../support/world.ts';
import {
  ask,
  type Draft,
  openPromotions,
  processOn,
  type PromotionShop,
  schedule,
  withdraw,
} from './shop.ts';

const NOW = Date.parse('2027-01-01T00:00:00Z');
const iso = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const HOUR = 3600;

describe('promotions', () => {
  let shop: PromotionShop;
  let work: Bodies;
  let now: Date;

  before(async () => {
    shop = await openPromotions();
  });
  beforeEach(async () => {
    await asAdmin((admin) => admin.query('delete from promotions'), shop.adminUrl);
    now = new Date(NOW);
    work = processOn(shop, createInProcessCache(), () => now);
  });
  after(() => shop.drop());

  const write = (draft: Draft = {}, tenant?: string) =>
    schedule(shop, work, { starts_at: iso(HOUR), ends_at: iso(2 * HOUR), ...draft }, tenant);
  const check = (draft: Draft) => {
    const input = { name: 'Fair', discount_pct: 20, starts_at: iso(HOUR), ends_at: iso(2 * HOUR), ...draft };
    return work.check_promotion({ caller: staff('manga'), input });
  };
  const listed = async (tenant = 'manga') =>
    (await work.promotions({ caller: staff(tenant), input: {} })).promotions;
  const count = async () =>
    Number((await asAdmin((admin) => admin.query('select from promotions'), shop.adminUrl)).rowCount);

  it('are written in UTC, whatever zone they were asked in', async () => {
    const { promotion_id, ...written } = await write({
      starts_at: '2027-02-01T00:00:00+09:00',
      ends_at: '2027-02-08T00:00:00+09:00',
      discount_pct: 12.5,
    });
    assert.match(promotion_id, /^prm_[A-Za-z0-9]+$/);
    assert.deepEqual(written, {
      sku: 'M-01',
      manga_id: 'M',
      volume_number: 1,
      discount_pct: 12.5,
      starts_at: '2027-01-31T15:00:00.000Z',
      ends_at: '2027-02-07T15:00:00.000Z',
    });
  });

  it('are written once, however often the call is retried', async () => {
    const input = { sku: 'M-01', name: 'F', discount_pct: 5, starts_at: iso(HOUR), ends_at: iso(2 * HOUR) };
    const plan = await approved(shop, planOf(schedulePromotion, input));
    const first = await work.schedule_promotion(callOf(plan, input));
    assert.deepEqual(await work.schedule_promotion(callOf(plan, input)), first);
    assert.equal(await count(), 1);
  });

  it('are not written before somebody of finance says yes', async () => {
    const input = { sku: 'M-01', name: 'F', discount_pct: 5, starts_at: iso(HOUR), ends_at: iso(2 * HOUR) };
    const plan = await claimed(shop, planOf(schedulePromotion, input));
    assert.equal(plan.approval.role, 'finance');
    await assert.rejects(work.schedule_promotion(callOf(plan, input)), { code: 'approval_missing' });
    assert.equal(await count(), 0);
  });

  const IMPOSSIBLE: readonly (readonly [string, Draft, string])[] = [
    ['has begun', { starts_at: iso(-1) }, 'promotion_in_past'],
    ['begins before every process can know', { starts_at: iso(4) }, 'promotion_in_past'],
    ['was over long ago', { starts_at: iso(-2 * HOUR), ends_at: iso(-HOUR) }, 'promotion_in_past'],
    ['ends before it starts', { ends_at: iso(HOUR - 1) }, 'invalid_arguments'],
    ['ends as it starts', { ends_at: iso(HOUR) }, 'invalid_arguments'],
    ['names a product that is not there', { sku: 'NOPE' }, 'product_not_found'],
    ['names a volume that is not there', { manga_id: 'M', volume_number: 9 }, 'product_not_found'],
    ['names a title alone', { manga_id: 'M' }, 'invalid_arguments'],
    ['names a product twice', { sku: 'M-01', manga_id: 'M', volume_number: 1 }, 'invalid_arguments'],
    ['names SQL', { sku: "' or 1=1 --" }, 'product_not_found'],
  ];
  for (const [what, draft, code] of IMPOSSIBLE) {
    const named = 'sku' in draft || 'manga_id' in draft ? draft : { ...draft, sku: 'M-01' };
    it(`are refused when one ${what}, before anybody is asked and after`, async () => {
      await assert.rejects(check(named), { code });
      await assert.rejects(write(named), { code });
      assert.equal(await count(), 0);
    });
  }

  for (const [what, more] of [
    ['no discount', { discount_pct: 0 }],
    ['a discount below nothing', { discount_pct: -5 }],
    ['more than everything', { discount_pct: 100.01 }],
    ['three decimals', { discount_pct: 12.345 }],
    ['a text for a discount', { discount_pct: '20' }],
    ['no number for a discount', { discount_pct: NaN }],
    ['a time without a zone', { starts_at: '2027-02-01T00:00:00' }],
    ['a day that is none', { starts_at: '2027-02-01' }],
    ['a name that is empty', { name: '' }],
    ['a name that is huge', { name: 'x'.repeat(10_000) }],
    ['something extra', { approved: true }],
    ['no product but a shop', { shop_id: 'other' }],
  ] as const) {
    it(`are invalid with ${what}`, () => {
      const good = { sku: 'M-01', name: 'F', discount_pct: 5, starts_at: iso(HOUR), ends_at: iso(2 * HOUR) };
      assert.equal(schedulePromotion.input.safeParse(good).success, true);
      assert.equal(schedulePromotion.input.safeParse({ ...good, ...more }).success, false);
    });
  }

  it('are refused when they overlap, with the other one’s id, and fit when they touch', async () => {
    const { promotion_id } = await write();
    for (const [from, to] of [
      [HOUR + 60, HOUR + 120],
      [60, 3 * HOUR],
      [2 * HOUR - 1, 3 * HOUR],
    ] as const) {
      await assert.rejects(write({ starts_at: iso(from), ends_at: iso(to) }), {
        code: 'promotion_overlaps',
        facts: { promotion_id, starts_at: iso(HOUR), ends_at: iso(2 * HOUR) },
      });
    }
    await write({ starts_at: iso(2 * HOUR), ends_at: iso(3 * HOUR) });
    await write({ sku: 'THING' });
    assert.equal(await count(), 3);
  });

  it('of ten rivals for one time are one', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => write()));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(await count(), 1);
  });

  it('of another shop are neither found, nor listed, nor in the way', async () => {
    const { promotion_id } = await write({}, 'other');
    await write();
    assert.equal((await listed()).length, 1);
    await assert.rejects(withdraw(shop, work, promotion_id), { code: 'not_found' });
    await assert.rejects(work.check_withdrawal({ caller: staff('manga'), input: { promotion_id } }), {
      code: 'not_found',
    });
  });

  it('judges the beginning when it is done, not when it was asked', async () => {
    const input = { sku: 'M-01', name: 'F', discount_pct: 7, starts_at: iso(HOUR), ends_at: iso(2 * HOUR) };
    const plan = await approved(shop, planOf(schedulePromotion, input));
    now = new Date(NOW + HOUR * 1000);
    await assert.rejects(work.schedule_promotion(callOf(plan, input)), { code: 'promotion_in_past' });
  });

  it('end early when they are withdrawn, and once', async () => {
    const { promotion_id } = await write();
    now = new Date(NOW + 1.5 * HOUR * 1000);
    assert.equal((await ask(work)).price_jpy, 800);
    const { ends_at } = await withdraw(shop, work, promotion_id);
    assert.equal(ends_at, iso(1.5 * HOUR + 5));
    assert.equal((await ask(work)).valid_until, ends_at);
    now = new Date(Date.parse(ends_at));
    assert.equal((await ask(work)).price_jpy, 1000);
    await assert.rejects(withdraw(shop, work, promotion_id), { code: 'promotion_over' });
  });

  it('cannot be withdrawn when they are over', async () => {
    const { promotion_id } = await write();
    now = new Date(NOW + 2 * HOUR * 1000);
    await assert.rejects(withdraw(shop, work, promotion_id), { code: 'promotion_over' });
  });

  it('never start, and leave their time free, when they are withdrawn before', async () => {
    const { promotion_id } = await write();
    const { starts_at, ends_at } = await withdraw(shop, work, promotion_id);
    assert.equal(starts_at, ends_at);
    await write({ discount_pct: 50 });
    now = new Date(NOW + HOUR * 1000);
    assert.equal((await ask(work)).price_jpy, 500);
    assert.deepEqual(
      (await listed()).map(({ discount_pct, running }) => [discount_pct, running]),
      [[50, true]],
    );
  });

  it('change the title’s price, too, which had been cached before they were written', async () => {
    const title = { manga_id: 'M' };
    assert.equal((await ask(work, title)).price_jpy, 1000);
    await write();
    assert.equal((await ask(work, title)).valid_until, iso(HOUR));
    now = new Date(NOW + HOUR * 1000);
    assert.equal((await ask(work, title)).price_jpy, 800);
  });

  it('never promise a price past their end', async () => {
    await write();
    for (const [second, until] of [
      [0, HOUR],
      [HOUR, 2 * HOUR],
      [2 * HOUR - 1, 2 * HOUR],
    ] as const) {
      now = new Date(NOW + second * 1000);
      assert.equal((await ask(work)).valid_until, iso(until));
    }
  });
});

describe('every change of a promotion', () => {
  let shop: PromotionShop;
  const told = async () =>
    (
      await asAdmin(
        (admin) =>
          admin.query<{ told: string }>(
            `select shop_id || ' ' || (payload->>'manga_id') || ' ' || (payload->>'volume_number') as told
               from event_outbox where topic = 'promotion_changed' order by seq`,
          ),
        shop.adminUrl,
      )
    ).rows.map((row) => row.told);

  beforeEach(async () => {
    shop = await openPromotions();
    await shop.rows.product({ sku: 'M-02', volume: ['M', 2] });
    await shop.rows.promotion({
      sku: 'M-01',
      discountPct: 20,
      from: '2027-06-01T00:00:00Z',
      to: '2027-06-02T00:00:00Z',
    });
  });
  afterEach(() => shop.drop());

  it('is told of, once, by whatever means it is made', async () => {
    await shop.rows.run('update promotions set discount_pct = 30');
    await shop.rows.run('update promotions set discount_pct = 30');
    await shop.rows.run('delete from promotions');
    assert.deepEqual(
      await told(),
      Array.from({ length: 3 }, () => 'manga M 1'),
    );
  });

  it('is told to both products when it moves from one to another', async () => {
    await shop.rows.run(`update promotions set product_id = (select id from products where sku = 'M-02')`);
    assert.deepEqual((await told()).toSorted(), ['manga M 1', 'manga M 1', 'manga M 2']);
  });

  it('is not told when it is taken back', async () => {
    await assert.rejects(shop.rows.run('update promotions set discount_pct = 30, ends_at = starts_at'));
    assert.equal((await told()).length, 1);
  });

  it('does not keep a product from being deleted', async () => {
    await shop.rows.run(`delete from prices`);
    await shop.rows.run(`delete from products where sku = 'M-01'`);
    assert.equal((await told()).length, 1);
  });
});
