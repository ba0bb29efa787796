import assert from 'node:assert/strict';
import { publishWithin } from '../../adapters/postgres/outbox.ts';
import { inTenant } from '../../adapters/postgres/pools.ts';
import { asAdmin } from '../support/database.ts';
import { type Events, openEvents, outgoing, SHOP } from './room.ts';

/** Class of defect: an event without its change, a change without its event, or word of one shop in another. */
describe('the outbox', () => {
  let events: Events;
  before(async () => {
    events = await openEvents();
  });
  after(() => events.close());

  const count = async (table: string, where = 'true') => {
    const { rows } = await events.pools.system.query<{ n: number }>(
      `select count(*)::int as n from ${table} where ${where}`,
    );
    return rows[0]?.n;
  };

  it('keeps an event if, and only if, the change commits', async () => {
    const undone = inTenant(events.pools.write, SHOP, async (sql) => {
      await publishWithin(sql, SHOP, [outgoing('undone')]);
      throw new Error('undo');
    });
    await assert.rejects(undone, /undo/);
    await events.publish([outgoing('done')]);
    assert.equal(await count('event_outbox', `event_id = 'undone'`), 0);
    assert.equal(await count('event_queue', `event_id = 'undone'`), 0);
    assert.equal(await count('event_outbox', `event_id = 'done'`), 1);
    assert.equal(await count('event_queue', `event_id = 'done'`), 1);
  });

  it('writes nothing for an id that the shop has used, within one call and over several', async () => {
    await events.publish([outgoing('again'), outgoing('again', { key: 'other' })]);
    await events.publish([outgoing('again', { payload: { order_id: 'o_2', intent_id: 'i_1' } })]);
    assert.equal(await count('event_outbox', `event_id = 'again' and payload->>'order_id' = 'o_1'`), 1);
    assert.equal(await count('event_queue', `event_id = 'again'`), 1);
  });

  it('takes the same id from another shop', async () => {
    await events.publish([outgoing('mine')]);
    await events.publish([outgoing('mine')], 'other');
    assert.equal(await count('event_outbox', `event_id = 'mine'`), 2);
  });

  it('lets nobody publish for another shop', async () => {
    const forged = inTenant(events.pools.write, SHOP, (sql) =>
      publishWithin(sql, 'other', [outgoing('forged')]),
    );
    await assert.rejects(forged, { code: '42501' });
  });

  it('takes a payload whatever a text in it holds', async () => {
    await events.publish([
      outgoing('hostile', { payload: { order_id: `\0\ud800'; drop table event_log --`, intent_id: '' } }),
    ]);
    assert.equal(await count('event_outbox', `event_id = 'hostile'`), 1);
  });

  for (const [what, wrong] of [
    ['without an id', { eventId: '' }],
    ['without a key', { key: '' }],
    ['with a version below 1', { version: 0 }],
    ['with an endless key', { key: 'x'.repeat(401) }],
  ] as const) {
    it(`refuses an event ${what}`, async () => {
      await assert.rejects(events.publish([outgoing('wrong', wrong)]), { code: '23514' });
    });
  }

  for (const table of ['event_outbox', 'event_log']) {
    for (const sql of [`update ${table} set shop_id = 'x'`, `truncate ${table} cascade`]) {
      it(`refuses, even to the server’s superuser: ${sql}`, async () => {
        await assert.rejects(
          asAdmin((admin) => admin.query(sql), events.adminUrl),
          /append only/,
        );
      });
    }
  }

  it('keeps the log from everybody but the drainer', async () => {
    const insert = inTenant(events.pools.write, SHOP, (sql) =>
      sql.query(`insert into event_log (shop_id, position, event_id) values ($1, 1, 'done')`, [SHOP]),
    );
    await assert.rejects(insert, { code: '42501' });
  });

  it('has no room for a position twice', async () => {
    await events.publish([outgoing('first'), outgoing('second')]);
    await assert.rejects(
      asAdmin(
        (admin) =>
          admin.query(
            `insert into event_log (shop_id, position, event_id) values ($1, 7, 'first'), ($1, 7, 'second')`,
            [SHOP],
          ),
        events.adminUrl,
      ),
      { code: '23P01' },
    );
  });
});
