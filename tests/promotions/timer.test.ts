import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { announcePromotion } from '../../activities/pricing/announce-promotion.ts';
import { voidPrices } from '../../activities/pricing/void-prices.ts';
import { broadcasting } from '../../adapters/cache/broadcasting.ts';
import { createInProcessCache } from '../../adapters/cache/in-process.ts';
import { createPromotionTimes } from '../../adapters/postgres/promotion-store.ts';
import { invalidationChannel, redisInvalidationBus } from '../../adapters/redis/invalidation-bus.ts';
import type { CacheStore } from '../../domain/cache.ts';
import { timetable } from '../../domain/promotions.ts';
import { queueName, WORKFLOWS } from '../../domain/queues.ts';
import { createLog } from '../../platform/log.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { keepPromotions, promotionTimerId } from '../../workers/keep-promotions.ts';
import { temporalLogger } from '../../workers/runtime.ts';
import { type Running, startOn } from '../../workers/worker.ts';
import { asAdmin } from '../support/database.ts';
import { redisUrl } from '../support/skip.ts';
import { freshNamespace, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { ask, openPromotions, processOn, type PromotionShop, SHOP } from './shop.ts';

const silent = createLog({ level: 'silent' });

describe('the time of a promotion', function () {
  this.timeout(60_000);
  let shop: PromotionShop;
  let temporal: TestTemporal;
  let bundle: { readonly code: string };
  let store: CacheStore;
  let worker: Running;
  let dispatcher: { stop(): Promise<void> };
  const now = () => new Date();

  before(async () => {
    temporal = await freshNamespace();
    bundle = await workflowBundle(temporalLogger(silent));
  });
  beforeEach(async () => {
    shop = await openPromotions();
    store = createInProcessCache();
    worker = await work();
    const { client, queuePrefix } = temporal;
    dispatcher = startDispatcher({
      pools: shop.pools,
      reactions: [voidPrices(processOn(shop, store, now).cache), keepPromotions({ client, queuePrefix })],
      sinks: [],
      log: silent,
      pollMs: 20,
    });
  });
  afterEach(async () => {
    await dispatcher.stop();
    await worker.stop();
    await shop.drop();
  });
  after(() => temporal.close());

  const work = () => {
    const { cache } = processOn(shop, store, now);
    const times = createPromotionTimes(shop.pools, { now }, 0);
    return startOn('lifecycle', {
      ...temporal,
      activities: { announce_promotion: announcePromotion(times, cache) },
      bundle,
      log: silent,
      onDeath: () => undefined,
    });
  };
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const write = async (fromMs: number, toMs: number) => {
    await shop.rows.promotion({ sku: 'M-01', discountPct: 20, from: at(fromMs), to: at(toMs) });
    const { rows } = await asAdmin(
      (admin) =>
        admin.query<{ id: string }>('select promotion_id as id from promotions order by id desc limit 1'),
      shop.adminUrl,
    );
    return rows[0]?.id ?? assert.fail('no promotion');
  };
  const told = async () =>
    (
      await asAdmin(
        (admin) =>
          admin.query<{ topic: string }>(
            `select topic from event_outbox where topic in ('promotion_started', 'promotion_ended') order by seq`,
          ),
        shop.adminUrl,
      )
    ).rows.map(({ topic }) => topic);
  const runOf = (promotionId: string) =>
    temporal.client.workflow.getHandle(promotionTimerId({ tenant: SHOP, promotionId }));
  const isRunning = async (promotionId: string) =>
    runOf(promotionId)
      .describe()
      .then(
        ({ status }) => status.name === 'RUNNING',
        () => false,
      );
  const BOTH = ['promotion_started', 'promotion_ended'];

  it('announces its start and its end, once each, and ends', async () => {
    const id = await write(300, 900);
    await until(async () => (await told()).length === 2, 'both announcements');
    await runOf(id).result();
    assert.deepEqual(await told(), BOTH);
  });

  it('voids the price in every process when it starts and when it ends, over pub/sub of Redis', async function () {
    const [url, channel] = [redisUrl(this), invalidationChannel(`test-${randomUUID()}`)];
    const elsewhere = redisInvalidationBus({ url, channel });
    let heard = 0;
    await elsewhere.listen({
      heard: ({ key }) => (heard += key === `${SHOP}:price:M:1` ? 1 : 0),
      missed: () => undefined,
    });
    await worker.stop();
    store = await broadcasting(() => createInProcessCache(), redisInvalidationBus({ url, channel }));
    worker = await work();
    const id = await write(500, 5_000);
    await until(async () => (await told()).length === 1 && heard > 0, 'the start to be heard of');
    const soFar = heard;
    await runOf(id).result();
    await until(async () => heard > soFar, 'the end to be heard of');
    assert.deepEqual(await told(), BOTH);
    await Promise.all([elsewhere.close(), store.close()]);
  });

  it('goes on after the worker that kept it is gone', async () => {
    const end = Date.now() + 1_500;
    const id = await write(600, 1_500);
    await until(() => isRunning(id), 'the timer');
    await worker.stop();
    // Both boundaries pass while nobody works.
    await until(async () => Date.now() > end + 100, 'the end to pass');
    worker = await work();
    await runOf(id).result();
    assert.deepEqual(await told(), BOTH);
  });

  it('announces nothing of one that is withdrawn before it starts', async () => {
    const id = await write(3_600_000, 7_200_000);
    await until(() => isRunning(id), 'the timer');
    await shop.rows.run(
      `update promotions set withdrawn_at = now(), planned_end = ends_at, ends_at = starts_at where promotion_id = $1`,
      [id],
    );
    await runOf(id).result();
    assert.deepEqual(await told(), []);
  });

  it('hears of a change by hand, and so do the prices', async () => {
    const mine = processOn(shop, store, now);
    const id = await write(3_600_000, 7_200_000);
    await until(() => isRunning(id), 'the timer');
    assert.equal((await ask(mine)).price_jpy, 1000);
    await shop.rows.run(`update promotions set starts_at = now(), ends_at = now() + interval '800 ms'`);
    await until(async () => (await ask(mine)).price_jpy === 800, 'the discount');
    await runOf(id).result();
    assert.deepEqual(await told(), BOTH);
    assert.equal((await ask(mine)).price_jpy, 1000);
  });

  it('ends with a promotion that is deleted', async () => {
    const id = await write(3_600_000, 7_200_000);
    await until(() => isRunning(id), 'the timer');
    await shop.rows.run('delete from promotions');
    await runOf(id).result();
    assert.deepEqual(await told(), []);
  });

  it('announces nothing for a workflow that somebody smuggled in, or woke', async () => {
    const id = await write(3_600_000, 7_200_000);
    await until(() => isRunning(id), 'the timer');
    await runOf(id).signal('promotion_changed', { starts_at: at(0), promotion_id: 'prm_other' });
    for (const of of [
      { tenant: SHOP, promotionId: id },
      { tenant: 'other', promotionId: id },
      { tenant: SHOP, promotionId: 'prm_nothing' },
    ]) {
      const run = await temporal.client.workflow.start(WORKFLOWS.promotion, {
        workflowId: `smuggled-${of.tenant}-${of.promotionId}`,
        taskQueue: queueName(temporal.queuePrefix, 'lifecycle'),
        args: [of],
      });
      if (of.tenant === 'other' || of.promotionId === 'prm_nothing') await run.result();
      else await run.terminate();
    }
    assert.deepEqual(await told(), []);
    assert.equal(await isRunning(id), true);
    await runOf(id).terminate();
  });
});

describe('the timetable of a promotion', () => {
  const HOUR = 3_600_000;
  const T0 = Date.parse('2027-01-01T00:00:00Z');
  const on = (hours: number) => new Date(T0 + hours * HOUR);
  const of = (from: number, to: number) => ({
    startsAt: on(from).toISOString(),
    endsAt: on(to).toISOString(),
  });
  const look = (period: ReturnType<typeof of>, written: number, now: number) => {
    const { passed, nextInMs } = timetable(period, on(written), on(now));
    return [
      passed.map(({ topic }) => topic.replace('promotion_', '')),
      nextInMs === null ? null : nextInMs / HOUR,
    ];
  };

  for (const [what, period, written, now, expected] of [
    ['to come', of(1, 2), 0, 0, [[], 1]],
    ['at its start', of(1, 2), 0, 1, [['started'], 1]],
    ['running', of(1, 2), 0, 1.5, [['started'], 0.5]],
    ['at its end', of(1, 2), 0, 2, [['started', 'ended'], null]],
    ['long over, and seen late', of(1, 2), 0, 99, [['started', 'ended'], null]],
    ['written while it ran', of(1, 3), 2, 2, [['started'], 1]],
    ['over when it was written', of(1, 2), 3, 3, [[], null]],
    ['withdrawn before it began', of(2, 2), 0, 1, [[], null]],
  ] as const) {
    it(`of one ${what} is ${JSON.stringify(expected)}`, () =>
      assert.deepEqual(look(period, written, now), expected));
  }
});
