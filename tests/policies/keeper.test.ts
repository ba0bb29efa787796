import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { createPolicyRuns } from '../../adapters/postgres/policy-runs.ts';
import { POLICY_KEEPER_ID } from '../../domain/policy-keeping.ts';
import type { PolicyRunKind } from '../../domain/policy-registry.ts';
import { queueName } from '../../domain/queues.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { wakePolicyKeeper } from '../../workers/keep-policies.ts';
import { openSession, type RawSession } from '../gateway/wire.ts';
import { startStack, type Stack } from '../gateway/stack.ts';
import { until } from '../support/until.ts';
import { policy } from './support.ts';

const OLD = 'You may return a book within 30 days of delivery. Write to us first.';
const NEW = 'You may return a book within 14 days of delivery. Write to us first.';
const QUESTION = 'How many days do I have to return a book?';

const ANSWER = z.object({
  structuredContent: z.object({
    status: z.string(),
    passages: z.array(z.object({ text: z.string(), doc_version: z.string() })),
    index: z.object({ build: z.string() }),
  }),
});

/** Class of defect: a publication that goes live by halves, or that nobody sees to. The product as it runs. */
describe('the keeper of policies', function () {
  this.timeout(120_000);
  let stack: Stack;
  let folder: string;
  let session: RawSession;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'policies-'));
    await mkdir(join(folder, 'manga'));
    await put(OLD, '2026-01-01');
    stack = await startStack({
      env: { POLICY_FOLDER: folder, POLICY_SUPERSEDED_SECONDS: '8', POLICY_EMBEDDER: 'lsa' },
    });
    session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    await until(async () => (await live()) === 1, 'the first publication');
  });
  after(async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const put = (text: string, from: string, name = 'returns') =>
    writeFile(
      join(folder, 'manga', `${name}.md`),
      policy(text, { id: name, effective_from: from, questions: `[${QUESTION}]` }),
    );
  const registry = () => createPolicyRegistry(stack.db.pools);
  const runs = () => createPolicyRuns(stack.db.pools);
  const live = async () => (await registry().publications()).find(({ state }) => state === 'live')?.number;
  const wake = () =>
    wakePolicyKeeper({ client: stack.temporal.client, queuePrefix: stack.config.temporal.queuePrefix });
  const ran = async (kind: PolicyRunKind) => {
    const { id } = await runs().request({ kind, target: null, requestedBy: 'test' });
    await wake();
    await until(async () => (await runs().find(id))?.endedAt !== null, 'the run to end');
    return (await runs().find(id))?.outcome?.status;
  };
  const ask = async (question = QUESTION) =>
    ANSWER.parse(
      (await session.ask('tools/call', { name: 'search_policies', arguments: { question } })).result,
    ).structuredContent;

  it('publishes what the source holds when the stack starts, and says so in the health', async () => {
    assert.equal((await ask()).passages[0]?.text.trim(), OLD);
    const health = z
      .object({ policies: z.object({ status: z.string(), build: z.string(), embedder: z.string() }) })
      .parse(await (await fetch(`${stack.url}/health`)).json());
    assert.deepEqual([health.policies.status, health.policies.build], ['live', 'policy-v000001']);
    assert.match(health.policies.embedder, /^LSA/);
  });

  it('brings a new text live under a loop of questions: no error, nothing empty, nothing mixed, the old never again', async () => {
    const seen: { readonly asked: number; readonly text: string }[] = [];
    let isOver = false;
    const asking = Array.from({ length: 8 }, async (_, reader) => {
      for (let n = 0; !isOver; n += 1) {
        const asked = performance.now();
        // Some from the cache, some not.
        const { status, passages } = await ask(n % 2 === 0 ? QUESTION : `${QUESTION} (${reader}.${n})`);
        assert.ok(status === 'answered' || status === 'partial', status);
        const texts = new Set(passages.map(({ text }) => text.trim()));
        assert.equal(texts.size, 1, JSON.stringify(passages));
        seen.push({ asked, text: [...texts][0] ?? '' });
      }
    });
    await until(async () => seen.length > 20, 'some answers');
    await put(NEW, '2026-02-01');
    assert.equal(await ran('sync'), 'published');
    const published = performance.now();
    await until(async () => seen.filter(({ asked }) => asked > published).length > 20, 'some answers more');
    isOver = true;
    await Promise.all(asking);
    assert.deepEqual(
      [...new Set(seen.map(({ text }) => text))].toSorted(compare),
      [NEW, OLD].toSorted(compare),
    );
    assert.deepEqual(
      [...new Set(seen.filter(({ asked }) => asked > published).map(({ text }) => text))],
      [NEW],
    );
  });

  it('deletes the old text by a timer, and brings it back when somebody goes back', async () => {
    const folders = ['policy-v000001', 'policy-record-v000001'];
    const index = openEmbeddedIndex({ folder: stack.config.policies.indexFolder });
    await until(async () => {
      const names = (await index.builds()).map(({ name }) => name);
      return folders.every((name) => !names.includes(name));
    }, 'the timer');
    assert.equal((await ask()).passages[0]?.text.trim(), NEW);
    assert.equal(await ran('rollback'), 'published');
    assert.equal((await ask()).passages[0]?.text.trim(), OLD);
    assert.equal(await ran('sync'), 'held');
    assert.equal(await ran('ingest'), 'published');
    assert.equal((await ask()).passages[0]?.text.trim(), NEW);
    await index.close();
  });

  it('believes no signal and no workflow that somebody sends by hand', async () => {
    const { client } = stack.temporal;
    const before = await registry().publications();
    const { queuePrefix } = stack.config.temporal;
    await client.workflow.getHandle(POLICY_KEEPER_ID).signal('policy_news', { kind: 'rollback', target: 1 });
    const args = [{ runId: 'rollback-1', kind: 'rollback', target: 1, publication: 1 }];
    await client.workflow.execute('policyIngest', {
      workflowId: 'by-hand',
      taskQueue: queueName(queuePrefix, 'lifecycle'),
      args,
    });
    assert.equal(await ran('sync'), 'unchanged');
    assert.deepEqual(await registry().publications(), before);
  });

  it('puts a run on record as failed whose workflow was terminated, and goes on', async () => {
    await rm(folder, { recursive: true });
    const { id } = await runs().request({ kind: 'sync', target: null, requestedBy: 'test' });
    await wake();
    await until(async () => (await runs().find(id))?.progress.startsWith('read: ') === true, 'the outage');
    await stack.temporal.client.workflow.getHandle(`policy-ingest-${id}`).terminate('by hand');
    await until(async () => (await runs().find(id))?.endedAt !== null, 'the end');
    const { outcome } = (await runs().find(id)) ?? {};
    assert.equal(outcome?.status, 'failed');
    assert.match(outcome.detail[0] ?? '', /The policy folder .* cannot be read: ENOENT/);
    assert.equal((await ask()).passages[0]?.text.trim(), NEW);
    await mkdir(join(folder, 'manga'), { recursive: true });
    await put(NEW, '2026-02-01');
    assert.equal(await ran('sync'), 'unchanged');
  });

  it('is started again where it was ended', async () => {
    await stack.temporal.client.workflow.getHandle(POLICY_KEEPER_ID).terminate('by hand');
    assert.equal(await ran('sync'), 'unchanged');
  });
});

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
