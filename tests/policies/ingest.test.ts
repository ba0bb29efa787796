import assert from 'node:assert/strict';
import { POLICY_ALIAS, RECORD_ALIAS } from '../../policy-index/ingest/deps.ts';
import { type IngestRoom, ingestRoom } from './ingest-room.ts';
import { policy } from './support.ts';

const OLD = 'You may return a book within 30 days of delivery.';
const NEW = 'You may return a book within 14 days of delivery.';
const RETURNS = 'manga/returns.md';

/** Class of defect: an answer that its publisher has taken back, or one that was never published. */
describe('ingesting policies', function () {
  this.timeout(60_000);
  let room: IngestRoom;
  beforeEach(async () => {
    room = await ingestRoom();
    await room.put(RETURNS, policy(OLD, { questions: '[How long may I return a book?]' }));
    await room.put(
      'manga/shipping.md',
      policy('We ship within two days.', { id: 'shipping', title: 'Shipping', kind: 'shipping' }),
    );
  });
  afterEach(() => room.close());

  const texts = async () => (await room.deps.registry.list('manga')).map(({ text }) => text.trim());
  const current = async () =>
    (await room.deps.registry.list('manga'))
      .filter(({ supersededAt }) => supersededAt === null)
      .map(({ docId, docVersion, text }) => `${docId} ${docVersion.split('-')[0]}: ${text.trim()}`);
  const found = async (alias: string, text: string) => {
    const { hits } = await room.deps.index.search(alias, {
      text,
      mode: 'bm25',
      k: 10,
      filter: {
        tenant: 'manga',
        audiences: ['customer'],
        effectiveAt: room.deps.moment().today,
        ...(alias === RECORD_ALIAS ? { withSuperseded: true } : {}),
      },
    });
    return hits.map(({ chunk }) => chunk.text.trim());
  };
  const builds = async () => (await room.deps.index.builds()).map(({ name }) => name);

  it('makes what was published findable, and quotable only then', async () => {
    assert.deepEqual(await texts(), []);
    assert.equal((await room.run())?.status, 'published');
    assert.deepEqual(await current(), [`returns 1: ${OLD}`, 'shipping 1: We ship within two days.']);
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
  });

  it('does nothing for the same bytes', async () => {
    await room.run();
    const before = await builds();
    assert.equal((await room.run('sync'))?.status, 'unchanged');
    assert.deepEqual(await builds(), before);
  });

  it('replaces a version at once, keeps it for questions about its time, and deletes it after a day', async () => {
    await room.run();
    room.wait(5);
    await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
    assert.equal((await room.run('sync'))?.status, 'published');
    assert.deepEqual(await current(), [`returns 2: ${NEW}`, 'shipping 1: We ship within two days.']);
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [NEW]);
    assert.deepEqual(await builds(), [
      'policy-record-v000001',
      'policy-record-v000002',
      'policy-v000001',
      'policy-v000002',
    ]);
    room.wait(23.9);
    await room.settle();
    assert.equal((await builds()).length, 4);
    room.wait(0.2);
    await room.settle();
    assert.deepEqual(await builds(), ['policy-record-v000002', 'policy-v000002']);
    assert.deepEqual(await texts(), [OLD, NEW, 'We ship within two days.']);
    assert.deepEqual(
      (
        await room.deps.index.search(RECORD_ALIAS, {
          text: 'return a book',
          mode: 'bm25',
          k: 10,
          filter: {
            tenant: 'manga',
            audiences: ['customer'],
            effectiveAt: '2026-04-15',
            withSuperseded: true,
          },
        })
      ).hits.map(({ chunk }) => chunk.text.trim()),
      [OLD],
    );
  });

  it('lets a version answer until the day of its successor, without another build', async () => {
    await room.run();
    await room.put(RETURNS, policy(NEW, { effective_from: '2026-06-01' }));
    await room.run('sync');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
    assert.equal((await current()).length, 3);
    const before = await builds();
    room.moveTo('2026-06-01T00:00:01Z');
    await room.run('sync');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [NEW]);
    assert.deepEqual(await current(), [`returns 2: ${NEW}`, 'shipping 1: We ship within two days.']);
    room.wait(25);
    await room.settle();
    assert.ok((await builds()).length < before.length);
    const held = await room.deps.index.versions(POLICY_ALIAS);
    assert.deepEqual(new Set(held.map(({ docVersion }) => docVersion.split('-')[0])), new Set(['1', '2']));
  });

  it('withdraws what its source deletes', async () => {
    await room.run();
    await room.remove('manga/shipping.md');
    assert.equal((await room.run('sync'))?.status, 'published');
    assert.deepEqual(await current(), [`returns 1: ${OLD}`]);
    assert.deepEqual(await found(POLICY_ALIAS, 'ship'), []);
    assert.deepEqual(await found(RECORD_ALIAS, 'ship'), []);
  });

  it('publishes the rest when one document has a problem, and lets that one grow stale', async () => {
    await room.run();
    room.wait(1);
    await room.put(RETURNS, policy('', { effective_from: '2026-05-01' }));
    await room.put(
      'manga/gifts.md',
      policy('Gifts are wrapped.', { id: 'gifts', title: 'Gifts', kind: 'gifts' }),
    );
    await room.run('sync');
    const list = await room.deps.registry.list('manga');
    const seen = Object.fromEntries(list.map(({ docId, verifiedAt }) => [docId, verifiedAt]));
    assert.deepEqual(seen, {
      gifts: '2026-05-01T13:00:00.000Z',
      returns: '2026-05-01T12:00:00.000Z',
      shipping: '2026-05-01T13:00:00.000Z',
    });
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
  });

  it('goes back, stays there while the source says the same, and goes on when it says something else', async () => {
    await room.run();
    await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
    await room.run('sync');
    room.wait(1);
    assert.equal((await room.run('rollback'))?.status, 'published');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
    assert.deepEqual(await current(), [`returns 1: ${OLD}`, 'shipping 1: We ship within two days.']);
    assert.equal((await room.run('sync'))?.status, 'held');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
    await room.put(RETURNS, policy(`${NEW} Really.`, { effective_from: '2026-05-01' }));
    assert.equal((await room.run('sync'))?.status, 'published');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [`${NEW} Really.`]);
  });

  it('goes back after the old builds were deleted, too', async () => {
    await room.run();
    await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
    await room.run('sync');
    room.wait(25);
    await room.settle();
    assert.equal((await room.run('rollback'))?.status, 'published');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
  });

  it('publishes what was withdrawn when somebody asks for it', async () => {
    await room.run();
    await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
    await room.run('sync');
    await room.run('rollback');
    assert.equal((await room.run('ingest'))?.status, 'published');
    assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [NEW]);
  });
});
