import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createEventKeeping } from '../../adapters/postgres/event-upkeep.ts';
import type { EventSink, Reaction } from '../../domain/events.ts';
import { asAdmin } from '../support/database.ts';
import { until } from '../support/until.ts';
import { type Events, memory, openEvents, outgoing, SHOP } from './room.ts';

/** Class of defect: an event forgotten while somebody needs it, or a consumer that one event stops for ever. */
describe('the care of the log', function () {
  this.timeout(60_000);
  let events: Events;
  beforeEach(async () => {
    events = await openEvents();
  });
  afterEach(() => events.close());

  const keeping = () => createEventKeeping(events.pools);
  const sql = (text: string, values: unknown[] = []) =>
    asAdmin((admin) => admin.query<Record<string, unknown>>(text, values), events.adminUrl);
  const positions = async () => (await events.all()).map(({ position }) => position);
  const published = async (n: number) => {
    await events.publish(Array.from({ length: n }, (_, i) => outgoing(`e${i}`, { key: `o_${i}` })));
    await until(async () => (await positions()).length === n, 'all to be published');
  };
  const grow = (upTo: number, days: number) =>
    sql(`alter table event_log disable trigger user;
         update event_log set published_at = now() - ${days} * interval '1 day' where position <= ${upTo};
         alter table event_log enable trigger user`);

  describe('forgetting', () => {
    beforeEach(async () => {
      await events.dispatch();
      await published(5);
      await grow(4, 40);
      await events.log.advance('one', 5);
      await events.log.advance('two', 3);
    });

    it('takes what is old and what every consumer has passed, in batches', async () => {
      assert.deepEqual([await keeping().forget(30, 2), await keeping().forget(30, 2)], [2, 1]);
      assert.deepEqual(await positions(), [4, 5]);
      assert.equal((await sql('select from event_outbox')).rowCount, 2);
    });

    it('leaves what is not old enough', async () => {
      assert.equal(await keeping().forget(50, 100), 0);
    });

    it('is refused by the database before every consumer has passed, even to the system role', async () => {
      await assert.rejects(
        events.pools.system.query('delete from event_log where position = 4'),
        /still needed/,
      );
    });

    it('is refused by the database within a day, even to the superuser', async () => {
      await events.log.advance('two', 5);
      await assert.rejects(sql('delete from event_log where position = 5'), /still needed/);
    });

    it('is nothing for the roles that serve callers', async () => {
      for (const table of ['event_log', 'event_outbox'])
        await assert.rejects(events.pools.write.query(`delete from ${table}`), /permission denied/);
    });

    it('lets nobody change a row', async () => {
      for (const table of ['event_log', 'event_outbox'])
        await assert.rejects(sql(`update ${table} set event_id = event_id`), /append only/);
    });

    it('is refused in the outbox for what is in the log', async () => {
      await assert.rejects(sql(`delete from event_outbox where event_id = 'e4'`), /foreign key/);
    });

    it('gives a new consumer what is left, and counts no more than that as its lag', async () => {
      await keeping().forget(30, 100);
      await events.log.advance('new', 0);
      const lags = (await keeping().consumers()).map(({ consumer, lag }) => [consumer, lag]);
      assert.deepEqual(lags, [
        ['new', 2],
        ['one', 0],
        ['two', 2],
      ]);
      assert.deepEqual(await positions(), [4, 5]);
    });
  });

  describe('an event that a consumer cannot deal with', () => {
    const poisonous =
      (reaction: Reaction): Reaction['react'] =>
      (event) =>
        event.eventId === 'e1' ? Promise.reject(new Error('poison')) : reaction.react(event);
    const failing = (consumer: string, position: number) =>
      until(async () => {
        const one = (await keeping().consumers()).find((standing) => standing.consumer === consumer);
        return one?.failures.some((failure) => failure.position === position) === true;
      }, 'the failure on record');
    const cli = (...args: readonly string[]) =>
      promisify(execFile)(process.execPath, ['cli/countersign.mjs', 'events', ...args], {
        env: {
          PATH: process.env['PATH'],
          COUNTERSIGN_PROFILE: 'development',
          DATABASE_URL: events.writeUrl,
        },
      });

    it('is the only one that is left out, on the audit record', async () => {
      const { seen, reaction } = memory('ill');
      await events.dispatch([{ ...reaction, react: poisonous(reaction) }]);
      await published(3);
      await failing('ill', 2);
      assert.match((await cli('consumers')).stdout, /fails at 2 .*poison/);
      await cli('skip', 'ill', '--position', '2');
      await until(async () => (await events.log.cursor('ill')) === 3, 'the consumer to pass');
      assert.deepEqual(seen.map(({ eventId }) => eventId).toSorted(), ['e0', 'e2']);
      const { rows } = await sql(
        `select shop_id, outcome, details->>'position' as position from audit_log where tool = 'events_skip' order by outcome`,
      );
      assert.deepEqual(
        rows.map((row) => [row['shop_id'], row['outcome'], row['position']]),
        [
          [SHOP, 'executed', '2'],
          [SHOP, 'pending', '2'],
        ],
      );
    });

    it('is found by a stream, too, which takes the rest', async () => {
      const taken = new Set<string>();
      const sink: EventSink = {
        name: 'sink:ill',
        publish: async (all) => {
          if (all.some(({ eventId }) => eventId === 'e1')) throw new Error('too large');
          for (const { eventId } of all) taken.add(eventId);
        },
        close: async () => undefined,
      };
      await published0();
      await events.dispatch([], [sink]);
      await failing('sink:ill', 2);
      assert.equal(await keeping().skip('sink:ill', 2), true);
      await until(async () => (await events.log.cursor('sink:ill')) === 3, 'the stream to pass');
      assert.deepEqual([...taken], ['e0', 'e2']);
    });

    it('cannot be left out before anything has failed at it', async () => {
      await events.dispatch([memory('well').reaction]);
      await published(2);
      await until(async () => (await events.log.cursor('well')) === 2, 'the consumer');
      for (const args of [['well', '--position', '2'], ['nobody', '--position', '1'], ['well']])
        await assert.rejects(cli('skip', ...args), /fails nowhere|no consumer|--position/);
    });

    const published0 = () => events.publish([0, 1, 2].map((i) => outgoing(`e${i}`, { key: `o_${i}` })));
  });
});
