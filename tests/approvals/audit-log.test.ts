import assert from 'node:assert/strict';
import type { AuditEntry } from '../../domain/audit.ts';
import { asAdmin } from '../support/database.ts';
import { openRoom, type Room, SHOP } from './room.ts';

function entry(key: string, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    key,
    tenant: SHOP,
    callId: `call-${key}`,
    event: 'call',
    final: true,
    outcome: 'ok',
    tool: 'check_stock',
    subject: 'somebody',
    at: '2026-01-02T03:04:05.000Z',
    ...more,
  };
}

/** Class of defect: a record that can be changed, doubled, lost or read by others. */
describe('the audit log', () => {
  let room: Room;
  before(async () => {
    room = await openRoom();
  });
  after(() => room.drop());

  it('keeps what was appended, with everything it said', async () => {
    const said = entry('whole', { reason: 'none', details: { cache_hit: true }, inputHash: 'abc' });
    await room.audit.append([said]);
    const [{ position, ...read } = { position: 0 }] = await room.audit.list(SHOP, {
      callId: 'call-whole',
      limit: 1,
    });
    assert.ok(position > 0);
    assert.deepEqual(read, said);
  });

  it('writes nothing for a key it has', async () => {
    await room.audit.append([entry('twice'), entry('twice', { outcome: 'failed' })]);
    const rows = await room.audit.list(SHOP, { callId: 'call-twice', limit: 10 });
    assert.deepEqual(
      rows.map(({ outcome }) => outcome),
      ['ok'],
    );
  });

  it('keeps a second ending of a call, but not as its ending', async () => {
    await room.audit.append([entry('e1', { callId: 'c' }), entry('e2', { callId: 'c', outcome: 'failed' })]);
    const rows = await room.audit.list(SHOP, { callId: 'c', limit: 10 });
    assert.deepEqual(
      rows.map(({ outcome, final }) => [outcome, final]),
      [
        ['failed', false],
        ['ok', true],
      ],
    );
  });

  for (const sql of [
    `update audit_log set outcome = 'failed'`,
    'delete from audit_log',
    'truncate audit_log',
  ]) {
    it(`refuses: ${sql}`, async () => {
      await room.audit.append([entry('kept')]);
      // Even for the server's superuser.
      await assert.rejects(
        asAdmin((admin) => admin.query(sql), room.adminUrl),
        /append only|foreign key/,
      );
    });
  }

  it('enqueues every row for sealing in its own transaction', async () => {
    await room.audit.append([entry('queued')]);
    const { rows } = await room.pools.system.query<{ n: string }>(
      `select count(*) as n from audit_log l join audit_queue q on q.shop_id = l.shop_id and q.position = l.position
        where l.key = 'queued'`,
    );
    assert.equal(rows[0]?.n, '1');
  });

  it('keeps calls of nobody under a name that is no shop', async () => {
    await room.audit.append([entry('anon', { tenant: '_unverified' })]);
    assert.equal((await room.audit.list('_unverified', { limit: 10 })).length, 1);
    assert.equal((await room.audit.list(SHOP, { callId: 'call-anon', limit: 10 })).length, 0);
  });

  it('takes a row whatever a caller wrote into it', async () => {
    const hostile = `\0\ud800${'x'.repeat(100_000)}`;
    await room.audit.append([
      entry('hostile', { requestId: hostile, subject: hostile, details: { said: hostile } }),
    ]);
    const [row] = await room.audit.list(SHOP, { callId: 'call-hostile', limit: 1 });
    assert.match(row?.requestId ?? '', /^\uFFFDx{900,}$/);
  });

  it('pages backwards without gaps', async () => {
    await room.audit.append(Array.from({ length: 5 }, (_, i) => entry(`page${i}`, { tool: 'paged' })));
    const first = await room.audit.list(SHOP, { tool: 'paged', limit: 3 });
    const before = first.at(-1)?.position ?? 0;
    const second = await room.audit.list(SHOP, { tool: 'paged', limit: 3, before });
    assert.deepEqual(
      [...first, ...second].map(({ key }) => key),
      ['page4', 'page3', 'page2', 'page1', 'page0'],
    );
  });
});
