import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { POLICY_ALIAS, RECORD_ALIAS } from '../../policy-index/ingest/deps.ts';
import { runPolicies } from '../../policy-index/ingest/run.ts';
import { type IngestRoom, ingestRoom } from './ingest-room.ts';
import { policy } from './support.ts';

const OLD = 'You may return a book within 30 days of delivery.';
const NEW = 'You may return a book within 14 days of delivery.';
const QUESTIONS = '[How long may I return a book?]';

/** Changes of index and registry that a run makes, in their order. */
const CHANGES = [
  'stage 1',
  'begin 1',
  'openBuild 1',
  'add 1',
  'keepModel 1',
  'seal 1',
  'openBuild 2',
  'add 2',
  'seal 2',
  'supersede 1',
  'release 1',
  'pointAlias 1',
  'pointAlias 2',
  'publish 1',
  'end 1',
];

/** Class of defect: what half an ingest leaves behind. Kills runs before each change that they make. */
describe('a run of policies that is killed', function () {
  this.timeout(240_000);
  let room: IngestRoom;
  beforeEach(async () => {
    room = await ingestRoom();
    await room.put('manga/returns.md', policy(OLD, { questions: QUESTIONS }));
    await room.run();
    await room.put('manga/returns.md', policy(NEW, { questions: QUESTIONS, effective_from: '2026-05-01' }));
  });
  afterEach(() => room.close());

  /** Kills it when it is about to make the change; false: it ended without one. */
  async function killed(runId: string, change: string): Promise<boolean> {
    const { db, home, folder, history } = room;
    const script = new URL('mortal-run.ts', import.meta.url).pathname;
    const args = [runId, change, db.writeUrl, home, folder, history, room.deps.moment().at];
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    let isPaused = false;
    child.stdout.once('data', () => {
      isPaused = true;
      child.kill('SIGKILL');
    });
    await gone;
    return isPaused;
  }

  const answers = async (alias: string) => {
    const { hits } = await room.deps.index.search(alias, {
      text: 'return a book',
      mode: 'bm25',
      k: 10,
      filter: { tenant: 'manga', audiences: ['customer'], effectiveAt: room.deps.moment().today },
    });
    const quotable = await Promise.all(
      hits.map(async ({ chunk }) => {
        const found = await room.deps.registry.find(chunk);
        return found?.supersededAt === null ? chunk.text.trim() : `not quotable: ${chunk.text.trim()}`;
      }),
    );
    return quotable;
  };

  it('answers by the old text or by the new at every moment, and ends as if nothing had happened', async () => {
    const { id } = await room.deps.runs.request({ kind: 'sync', target: null, requestedBy: 'test' });
    for (const change of CHANGES) {
      // Each life goes on where the last one was killed: what that one did is not done again.
      await killed(id, change.replace(/\d+$/, '1'));
      const [now, ...more] = await answers(POLICY_ALIAS);
      assert.ok(more.length === 0 && (now === OLD || now === NEW), `${change}: ${now}`);
    }
    await runPolicies(room.deps, id);
    assert.equal((await room.deps.runs.find(id))?.outcome?.status, 'published');
    assert.deepEqual(await answers(POLICY_ALIAS), [NEW]);
    assert.deepEqual(await room.deps.index.resolveAlias(POLICY_ALIAS), ['policy-v000002']);
    assert.deepEqual(await room.deps.index.resolveAlias(RECORD_ALIAS), ['policy-record-v000002']);
    const publications = await room.deps.registry.publications();
    assert.deepEqual(
      publications.map(({ number, state }) => [number, state]),
      [
        [1, 'replaced'],
        [2, 'live'],
      ],
    );
    const versions = await room.deps.registry.list('manga');
    assert.deepEqual(
      versions.map(({ docVersion, supersededAt }) => [docVersion.split('-')[0], supersededAt === null]),
      [
        ['1', false],
        ['2', true],
      ],
    );
  });

  it('is gone on with by another process, wherever it was killed', async () => {
    await room.run();
    let before = NEW;
    for (const [place, change] of CHANGES.entries()) {
      const after = `${NEW} That is rule ${place}.`;
      await room.put(
        'manga/returns.md',
        policy(after, { questions: QUESTIONS, effective_from: '2026-05-01' }),
      );
      const { id } = await room.deps.runs.request({ kind: 'ingest', target: null, requestedBy: 'test' });
      assert.ok(await killed(id, change), change);
      const [now, ...more] = await answers(POLICY_ALIAS);
      assert.ok(more.length === 0 && (now === before || now === after), `${change}: ${now}`);
      await runPolicies(room.deps, id);
      assert.equal((await room.deps.runs.find(id))?.outcome?.status, 'published', change);
      assert.deepEqual(await answers(POLICY_ALIAS), [after], change);
      before = after;
    }
  });
});
