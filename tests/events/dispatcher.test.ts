import assert from 'node:assert/strict';
import { publishWithin } from '../../adapters/postgres/outbox.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { eventLag } from '../../adapters/postgres/event-log.ts';
import { asAdmin } from '../support/database.ts';
import { until } from '../support/until.ts';
import { type Events, memory, openEvents, outgoing, SHOP } from './room.ts';

const STOCK = {
  manga_id: 'BER42',
  volume_number: 42,
  quantity: 3,
  warehouse: 'WH-2',
  at: '2026-01-02T03:04:05.678Z',
  request_id: 'check_stock-1',
  subject_hash: 'a'.repeat(32),
};

/** Class of defect: an event lost, given a place twice, skipped, brought out of order, or held up by a stranger. */
describe('the dispatcher', () => {
  let events: Events;
  beforeEach(async () => {
    events = await openEvents();
  });
  afterEach(() => events.close());

  const many = (n: number, key = (i: number) => `o_${i % 7}`) =>
    Array.from({ length: n }, (_, i) =>
      outgoing(`e${i}`, { key: key(i), payload: { order_id: key(i), intent_id: `i_${i}` } }),
    );

  it('gives positions that are dense and in the order of the queue', async () => {
    await events.publish(many(1_200));
    await events.dispatch();
    await until(async () => (await events.all()).length === 1_200, 'all to be published');
    const log = await events.all();
    assert.deepEqual(
      log.map(({ position, eventId }) => [position, eventId]),
      many(1_200).map(({ eventId }, i) => [i + 1, eventId]),
    );
  });

  it('tells all that was said, and when', async () => {
    const { seen, reaction } = memory('one');
    await events.publish([outgoing('whole')]);
    await events.dispatch([reaction]);
    await until(async () => seen.length > 0, 'the reaction');
    assert.deepEqual(seen, [{ ...outgoing('whole'), tenant: SHOP, position: 1 }]);
  });

  it('skips nothing when a lower id commits later', async () => {
    const { seen, reaction } = memory('one');
    await events.dispatch([reaction]);
    await inTenant(events.pools.write, SHOP, async (sql) => {
      await publishWithin(sql, SHOP, [outgoing('slow')]);
      await events.publish([outgoing('fast')]);
      await until(async () => seen.length === 1, 'the faster one');
    });
    await until(async () => seen.length === 2, 'the slower one');
    assert.deepEqual(
      seen.map(({ eventId, position }) => [eventId, position]),
      [
        ['fast', 1],
        ['slow', 2],
      ],
    );
  });

  it('is woken by a commit, long before it would look by itself', async () => {
    const { seen, reaction } = memory('one');
    await events.publish([outgoing('before')]);
    await events.dispatch([reaction], [], 60_000);
    await until(async () => seen.length === 1, 'it to be on duty');
    await events.publish([outgoing('bell')]);
    await until(async () => seen.length === 2, 'the bell');
  });

  it('finds what rings no bell when it looks', async () => {
    const { seen, reaction } = memory('one', ['stock_check_event']);
    await events.dispatch([reaction]);
    await events.publish([outgoing('quiet', { topic: 'stock_check_event', payload: STOCK })]);
    await until(async () => seen.length === 1, 'the look');
  });

  it('keeps the order of each key, and shows a reaction its own topics only', async () => {
    const { seen, reaction } = memory('one');
    await events.publish([
      ...many(300),
      outgoing('not for it', { topic: 'stock_check_event', payload: STOCK }),
    ]);
    await events.dispatch([reaction]);
    await until(async () => seen.length === 300, 'all');
    for (const key of new Set(seen.map((event) => event.key))) {
      const positions = seen.filter((event) => event.key === key).map(({ position }) => position);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
    }
    assert.ok(seen.every(({ topic }) => topic === 'refund_due'));
  });

  it('tries again what throws, and holds up nobody else meanwhile', async () => {
    const well = memory('well');
    const ill = memory('ill');
    let faults = 3;
    const react: typeof ill.reaction.react = async (event) => {
      if (faults-- > 0) throw new Error('not now');
      await ill.reaction.react(event);
    };
    await events.publish([outgoing('e')]);
    await events.dispatch([{ ...ill.reaction, react }, well.reaction]);
    await until(async () => well.seen.length === 1, 'the well one');
    await until(async () => ill.seen.length === 1, 'the ill one');
  });

  it('holds up nobody with a consumer that fails for ever, and shows how far behind it is', async () => {
    const well = memory('well');
    const ill = { ...memory('ill').reaction, react: () => Promise.reject(new Error('never')) };
    await events.publish(many(450));
    await events.dispatch([ill, well.reaction]);
    await until(async () => (await events.log.cursor('well')) === 450, 'the well one');
    assert.equal(await events.log.cursor('ill'), 0);
    const { published, queued, behind } = await eventLag(events.pools);
    assert.deepEqual(
      { published, queued, behind },
      { published: 450, queued: 0, behind: { ill: 450, well: 0 } },
    );
  });

  it('tries nothing more once it is told to stop', async () => {
    let faults = 0;
    const react = () => Promise.reject(new Error(`fault ${(faults += 1)}`));
    await events.publish([outgoing('e')]);
    const dispatcher = await events.dispatch([{ ...memory('ill').reaction, react }]);
    await until(async () => faults >= 4, 'a few faults');
    const soFar = faults;
    await dispatcher.stop();
    assert.equal(faults, soFar);
  });

  it('resumes where it stopped', async () => {
    const first = memory('one');
    const dispatcher = await events.dispatch([first.reaction]);
    await events.publish([outgoing('a')]);
    await until(async () => (await events.log.cursor('one')) === 1, 'the first');
    await dispatcher.stop();
    await events.publish([outgoing('b')]);
    const second = memory('one');
    await events.dispatch([second.reaction]);
    await until(async () => second.seen.length > 0, 'the second');
    assert.deepEqual(
      second.seen.map(({ eventId }) => eventId),
      ['b'],
    );
  });

  it('delivers once while several processes run one', async () => {
    const { seen, reaction } = memory('one');
    await Promise.all([1, 2, 3].map(() => events.dispatch([reaction])));
    await events.publish(many(300));
    await until(async () => (await events.log.cursor('one')) === 300, 'all');
    assert.equal(seen.length, 300);
  });

  it('is succeeded by another process when its connection breaks', async () => {
    const { seen, reaction } = memory('one');
    await Promise.all([1, 2].map(() => events.dispatch([reaction])));
    await events.publish([outgoing('a')]);
    await until(async () => seen.length === 1, 'the first');
    const ended = await asAdmin(
      (admin) =>
        admin.query(
          `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
              and database = (select oid from pg_database where datname = current_database())`,
        ),
      events.adminUrl,
    );
    assert.equal(ended.rowCount, 1);
    await events.publish([outgoing('b')]);
    await until(async () => seen.some(({ eventId }) => eventId === 'b'), 'the successor');
    assert.deepEqual(
      (await events.all()).map(({ position }) => position),
      [1, 2],
    );
  });

  it('never moves a cursor back', async () => {
    await events.log.advance('one', 5);
    await events.log.advance('one', 3);
    assert.equal(await events.log.cursor('one'), 5);
  });
});
