import assert from 'node:assert/strict';
import { announcePromotion } from '../../activities/pricing/announce-promotion.ts';
import { createPromotionTimes } from '../../adapters/postgres/promotion-store.ts';
import { createPromotionSweep } from '../../adapters/postgres/promotion-sweep.ts';
import type { PromotionNear, PromotionOf } from '../../domain/promotions.ts';
import { keepTime, promotionTimerId } from '../../workers/keep-promotions.ts';
import { openRoom, type Room } from '../approvals/room.ts';
import { eventually } from '../chaos/eventually.ts';
import { asAdmin } from '../support/database.ts';
import { freshCache } from '../support/world.ts';
import { openStage, type Stage } from './stage.ts';
import { sweeping } from './sweeping.ts';

const now = () => new Date();
const HOUR = 3_600_000;

/** Real time and business time are one here. `writtenMs`: when it was written. */
async function promotion(
  { adminUrl }: Room,
  fromMs: number,
  toMs: number,
  { tenant = 'manga', writtenMs = Math.min(fromMs, 0) - HOUR } = {},
): Promise<PromotionOf> {
  const { rows } = await asAdmin(
    (admin) =>
      admin.query<{ id: string }>(
        `insert into promotions (shop_id, product_id, name, discount_pct, starts_at, ends_at, written_at)
         select $1, 1, 'Fair', 20, now() + $2 * interval '1 ms', now() + $3 * interval '1 ms', now() + $4 * interval '1 ms'
         returning promotion_id as id`,
        [tenant, fromMs, toMs, writtenMs],
      ),
    adminUrl,
  );
  return { tenant, promotionId: rows[0]?.id ?? assert.fail('no promotion') };
}

/** A worker that starts, and a circuit that has to close again, take their time. */
const comesTrue = (isSo: () => Promise<boolean>, what: string) => eventually(what, isSo, 60);

/** Class of defect: a boundary that nobody hears of, because the timer that waited for it is gone. */
describe('the sweep of promotions', function () {
  this.timeout(180_000);
  let stage: Stage;
  let stops: { stop(): Promise<void> }[];
  before(async () => {
    stage = await openStage();
    const times = createPromotionTimes(stage.room.pools, { now }, 0);
    stops = [
      await stage.work({ activities: { announce_promotion: announcePromotion(times, freshCache()) } }),
    ];
  });
  afterEach(async () => {
    // Those of the tests that have failed, too.
    for (const one of stops.splice(1)) await one.stop();
  });
  after(async () => {
    for (const one of stops) await one.stop();
    await stage.close();
  });

  const sweep = () => stops.push(sweeping(stage));
  const timer = (of: PromotionOf) => stage.temporal.client.workflow.getHandle(promotionTimerId(of));
  const isRunning = (of: PromotionOf) =>
    timer(of)
      .describe()
      .then(
        ({ status }) => status.name === 'RUNNING',
        () => false,
      );
  const isWaiting = async (of: PromotionOf) =>
    ((await timer(of).fetchHistory()).events ?? []).some((event) => event.timerStartedEventAttributes);
  const told = async ({ promotionId }: PromotionOf) =>
    (
      await stage.room.pools.system.query<{ topic: string }>(
        'select topic from event_outbox where key = $1 order by seq',
        [`promotion:${promotionId}`],
      )
    ).rows.map(({ topic }) => topic);
  const areTold = (of: PromotionOf, count: number) =>
    comesTrue(async () => (await told(of)).length === count, `${count} announcements`);
  const BOTH = ['promotion_started', 'promotion_ended'];

  it('has its boundaries announced, once each, after its timer was terminated', async () => {
    const of = await promotion(stage.room, 1_500, 3_000);
    await keepTime(stage.temporal, of);
    await timer(of).terminate('by hand');
    sweep();
    await areTold(of, 2);
    await timer(of).result();
    assert.deepEqual(await told(of), BOTH);
  });

  it('has a boundary announced that passed while there was no timer', async () => {
    const of = await promotion(stage.room, -60_000, HOUR);
    sweep();
    await areTold(of, 1);
    assert.deepEqual([await told(of), await isRunning(of)], [BOTH.slice(0, 1), true]);
  });

  it('keeps the time of every shop', async () => {
    const of = await promotion(stage.room, -60_000, -30_000, { tenant: 'other' });
    sweep();
    await areTold(of, 2);
  });

  it('leaves a timer that runs alone, and one that has nothing left to do', async () => {
    const [running, over] = [
      await promotion(stage.room, HOUR / 2, 2 * HOUR),
      await promotion(stage.room, -60_000, -30_000),
    ];
    for (const one of [running, over]) await keepTime(stage.temporal, one);
    await timer(over).result();
    await comesTrue(() => isWaiting(running), 'the timer to wait');
    const runs = () => Promise.all([running, over].map(async (one) => (await timer(one).describe()).runId));
    const [before, lengthBefore] = [await runs(), (await timer(running).describe()).historyLength];
    sweep();
    // Written after them, and swept in the same round at the latest.
    const next = await promotion(stage.room, -60_000, HOUR);
    await areTold(next, 1);
    assert.deepEqual([await runs(), (await timer(running).describe()).historyLength], [before, lengthBefore]);
  });

  it('starts one timer, however many sweep', async () => {
    const of = await promotion(stage.room, -60_000, -30_000);
    for (let n = 0; n < 3; n += 1) sweep();
    await areTold(of, 2);
    assert.deepEqual(await told(of), BOTH);
  });
});

describe('which promotions are swept', () => {
  let room: Room;
  before(async () => {
    room = await openRoom();
  });
  after(() => room.drop());

  const near = (graceSeconds: number, limit = 1_000, after?: PromotionNear) =>
    createPromotionSweep(room.pools, { now }, 0).near(graceSeconds, limit, after);
  const isLate = async ({ promotionId }: PromotionOf, graceSeconds = 60) =>
    (await near(graceSeconds)).find((one) => one.promotionId === promotionId)?.isLate;

  for (const [what, from, to, writtenMs, expected] of [
    ['begins soon', HOUR / 2, 3 * HOUR, -HOUR, false],
    ['begins far from now', 30 * HOUR, 40 * HOUR, -HOUR, undefined],
    ['runs, and ends far from now', -30 * HOUR, 30 * HOUR, -40 * HOUR, undefined],
    ['has just begun', -30_000, 3 * HOUR, -HOUR, false],
    ['began some time ago', -HOUR / 2, 3 * HOUR, -HOUR, true],
    ['ended some time ago', -3 * HOUR, -HOUR, -4 * HOUR, true],
    ['ended long ago', -40 * HOUR, -30 * HOUR, -50 * HOUR, undefined],
    ['was over when it was written', -3 * HOUR, -2 * HOUR, -HOUR, undefined],
  ] as const)
    it(`${expected === undefined ? 'leaves out' : expected ? 'is late for' : 'names'} one that ${what}`, async () =>
      assert.equal(await isLate(await promotion(room, from, to, { writtenMs })), expected));

  it('leaves out one that was announced', async () => {
    const of = await promotion(room, -2 * HOUR, -HOUR);
    await createPromotionTimes(room.pools, { now }, 0).announce(of);
    assert.equal(await isLate(of), undefined);
  });

  it('leaves out one that was withdrawn before it began', async () => {
    const of = await promotion(room, HOUR / 2, HOUR);
    await asAdmin(
      (admin) =>
        admin.query(
          'update promotions set withdrawn_at = now(), planned_end = ends_at, ends_at = starts_at where promotion_id = $1',
          [of.promotionId],
        ),
      room.adminUrl,
    );
    assert.equal(await isLate(of), undefined);
  });

  it('goes by business time', async () => {
    const of = await promotion(room, 100 * HOUR - 1_800_000, 200 * HOUR);
    const later = createPromotionSweep(
      room.pools,
      { now: () => new Date(Date.now() + 100 * HOUR) },
      100 * HOUR,
    );
    const found = (await later.near(60, 1_000)).find(({ promotionId }) => promotionId === of.promotionId);
    assert.deepEqual([await isLate(of), found?.isLate], [undefined, true]);
  });

  it('comes in pages that leave nothing out, over all shops', async () => {
    await promotion(room, HOUR / 2, HOUR, { tenant: 'other' });
    const whole = await near(60);
    assert.equal(new Set(whole.map(({ tenant }) => tenant)).size, 2);
    const paged: PromotionNear[] = [];
    for (let page = await near(60, 1); page.length > 0; page = await near(60, 1, page.at(-1)))
      paged.push(...page);
    assert.deepEqual(paged, whole);
  });
});
