import assert from 'node:assert/strict';
import { PolicyIndexError, type Embedder, type EmbedderChoice } from '../../domain/policies.ts';
import { POLICY_STEPS } from '../../domain/policy-registry.ts';
import { POLICY_ALIAS, RECORD_ALIAS } from '../../policy-index/ingest/deps.ts';
import { nextRun } from '../../policy-index/ingest/next.ts';
import { policyStep, runPolicies } from '../../policy-index/ingest/run.ts';
import { opensearchUrl } from '../support/skip.ts';
import { type IngestRoom, ingestRoom } from './ingest-room.ts';
import { policy } from './support.ts';

const OLD = 'You may return a book within 30 days of delivery.';
const NEW = 'You may return a book within 14 days of delivery.';
const RETURNS = 'manga/returns.md';

/** Class of defect: an answer that its publisher has taken back, or one that was never published. */
for (const engine of ['embedded', 'opensearch'] as const)
  describe(`ingesting policies into the ${engine} index`, function () {
    this.timeout(120_000);
    let room: IngestRoom;
    beforeEach(async function () {
      room = await ingestRoom(engine === 'opensearch' ? opensearchUrl(this) : undefined);
      await room.put(RETURNS, policy(OLD, { questions: '[How long may I return a book?]' }));
      await room.put(
        'manga/shipping.md',
        policy('We ship within two days.', { id: 'shipping', title: 'Shipping', kind: 'shipping' }),
      );
    });
    afterEach(() => room?.close());

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

    it('takes an empty source for a mistake', async () => {
      await room.run();
      await room.remove(RETURNS);
      await room.remove('manga/shipping.md');
      assert.deepEqual(await room.run('ingest'), {
        status: 'refused',
        detail: ['the source holds no policies at all: is it the right one?'],
      });
      assert.equal((await current()).length, 2);
    });

    it('does not go live when it no longer answers the questions of its documents, unless somebody accepts that', async () => {
      await room.run();
      const questions = '[How long may I return a book?]';
      const vague = policy('Please write to us.', { questions, effective_from: '2026-05-01', title: 'Help' });
      await room.put(RETURNS, vague);
      for (const n of [1, 2, 3, 4, 5])
        await room.put(
          `manga/b${n}.md`,
          policy(`How long may I return book number ${n}? A long time may pass.`, {
            id: `b${n}`,
            title: `B${n}`,
          }),
        );
      const refused = await room.run('sync');
      assert.equal(refused?.status, 'refused');
      assert.match(refused?.detail[0] ?? '', /^manga\/returns no longer answers one of its questions/);
      assert.deepEqual(await current(), [`returns 1: ${OLD}`, 'shipping 1: We ship within two days.']);
      assert.equal((await room.run('sync'))?.detail[0], 'publication 2 was refused before');
      assert.equal((await builds()).length, 2);
      assert.equal((await room.run('accept'))?.status, 'published');
      assert.equal((await current()).length, 7);
    });

    it('shows nobody what was not published', async () => {
      await room.run();
      await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      const { id } = await room.deps.runs.request({ kind: 'sync', target: null, requestedBy: 'test' });
      await policyStep(room.deps, 'read', id);
      await policyStep(room.deps, 'build', id);
      const versions = await room.deps.registry.versionsOf(2, room.deps.moment());
      const fresh = versions.find(({ text }) => text.trim() === NEW);
      assert.ok(fresh !== undefined);
      assert.equal(await room.deps.registry.find(fresh), undefined);
      await assert.rejects(room.deps.registry.publish(2, room.deps.moment(), false), /was not checked/);
      await assert.rejects(policyStep(room.deps, 'publish', id), /was not checked/);
      assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
    });

    it('mends an alias that somebody moved', async () => {
      await room.run();
      await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      await room.run('sync');
      await room.deps.index.pointAlias(POLICY_ALIAS, 'policy-v000001', 'policy-v000002');
      await room.run('sync');
      assert.deepEqual(await room.deps.index.resolveAlias(POLICY_ALIAS), ['policy-v000002']);
    });

    it('makes new builds when those that should answer are gone, and leaves alone those of others', async () => {
      await room.run();
      await room.lose('policy-v000001');
      const { fingerprint } = await room.deps.index.info(RECORD_ALIAS);
      await room.deps.index.openBuild('policy-v000007', fingerprint);
      if (room.deps.index.engine === 'embedded') await room.deps.index.close();
      assert.equal((await room.run('sync'))?.status, 'published');
      assert.deepEqual(await found(POLICY_ALIAS, 'return a book'), [OLD]);
      assert.ok((await builds()).includes('policy-v000007'));
      assert.deepEqual(await room.deps.index.resolveAlias(POLICY_ALIAS), ['policy-v000008']);
    });

    it('refuses to go back where there is nothing', async () => {
      assert.equal((await room.run('rollback'))?.status, 'failed');
      await room.run();
      assert.equal((await room.run('rollback'))?.status, 'failed');
      assert.equal((await room.run('rollback', 1))?.status, 'unchanged');
    });

    it('does nothing for a run that has ended, or never was', async () => {
      const { id } = await room.deps.runs.request({ kind: 'ingest', target: null, requestedBy: 'test' });
      await runPolicies(room.deps, id);
      const ended = await room.deps.runs.find(id);
      for (const step of POLICY_STEPS) {
        assert.equal(await policyStep(room.deps, step, id), true);
        assert.equal(await policyStep(room.deps, step, 'no-such-run'), true);
      }
      assert.deepEqual(await room.deps.runs.find(id), ended);
    });

    it('looks at its source every hour, sooner after a failure, and at once when nothing could answer', async () => {
      const next = async () => {
        const { runId, waitMs } = await nextRun(room.deps, () => undefined);
        return runId === null ? Math.round(waitMs / 60_000) : (await room.deps.runs.find(runId))?.kind;
      };
      room.moveTo(new Date().toISOString());
      assert.equal(await next(), 'sync');
      await runPolicies(room.deps, (await room.deps.runs.open())?.id ?? '');
      assert.equal(await next(), 60);
      room.wait(0.5);
      assert.equal(await next(), 30);
      await room.lose('policy-v000001');
      if (room.deps.index.engine === 'embedded') await room.deps.index.close();
      assert.equal(await next(), 'sync');
      const { id = '' } = (await room.deps.runs.open()) ?? {};
      await room.deps.runs.end(id, { status: 'failed', detail: [] });
      assert.equal(await next(), 'sync');
    });

    it('wakes when a text is to be deleted, and on the day on which another begins to hold', async () => {
      room.moveTo(new Date().toISOString());
      await room.run('sync');
      await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
      await room.run('sync');
      assert.equal(await room.settle(), 24 * 3_600_000);
      const tomorrow = new Date(Date.parse(room.deps.moment().at) + 3_600_000).toISOString();
      await room.put(RETURNS, policy(`${NEW} Please.`, { effective_from: tomorrow }));
      await room.run('sync');
      assert.equal(await room.settle(), 3_600_000);
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

/** Class of defect: a bill for every text at every change of one. */
describe('embedding policies', () => {
  it('is done once for each passage, whatever is published beside it later', async () => {
    const asked: string[] = [];
    const room = await ingestRoom(undefined, counting(asked));
    await room.put(RETURNS, policy(OLD));
    await room.put(
      'manga/shipping.md',
      policy('We ship within two days.', { id: 'shipping', title: 'Shipping' }),
    );
    await room.run();
    assert.equal(asked.length, 2);
    await room.put(RETURNS, policy(NEW, { effective_from: '2026-05-01' }));
    await room.run();
    assert.equal(asked.length, 3);
    await room.run('rebuild');
    assert.equal(asked.length, 3);
    await room.close();
  });

  it('is done again with another embedder', async () => {
    const asked: string[] = [];
    const room = await ingestRoom(undefined, counting(asked));
    await room.put(RETURNS, policy(OLD));
    await room.run();
    const other = { ...room.deps, embedders: counting(asked, 'other') };
    const { id } = await room.deps.runs.request({ kind: 'sync', target: null, requestedBy: 'test' });
    await runPolicies(other, id);
    assert.equal(asked.length, 2);
    await room.close();
  });
});

/** Vectors by the letters of a text; says which texts it was given. */
function counting(asked: string[], name = 'letters'): EmbedderChoice {
  const embedder: Embedder = {
    name,
    fingerprint: name,
    dimensions: 26,
    maxTokens: 512,
    countTokens: (text) => text.split(/\s+/).length,
    embed: async (texts) => {
      asked.push(...texts);
      return texts.map((text) => {
        const vector = new Float32Array(26);
        for (const letter of text.toLowerCase()) {
          const place = letter.charCodeAt(0) - 97;
          if (place >= 0 && place < 26) vector[place] = (vector[place] ?? 0) + 1;
        }
        return vector;
      });
    },
  };
  return {
    description: name,
    tokenizer: embedder,
    building: async () => ({ embedder, model: null }),
    reading: async ({ embedder: made }) => {
      if (made !== name) throw new PolicyIndexError('other_embedder', 'It was made with another.');
      return embedder;
    },
  };
}
