import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { Client } from '@opensearch-project/opensearch';
import { searchPolicies } from '../../activities/policies/search-policies.ts';
import { searchPolicies as spec } from '../../catalog/policies/search-policies.ts';
import { type PolicyIndex, PolicyIndexError } from '../../domain/policies.ts';
import type {
  PolicyFinder,
  PolicyQuestion,
  PolicyVersions,
  StandingPolicy,
} from '../../domain/policy-answers.ts';
import { Refusal } from '../../domain/refusal.ts';
import { LSA_TOKENIZER } from '../../policy-index/embedders/lsa.ts';
import { withLexicalCopy } from '../../policy-index/lexical-copy.ts';
import { openOpenSearchIndex } from '../../policy-index/opensearch/opensearch-index.ts';
import { opensearchUrl } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { customer, freshCache, NOW, staff } from '../support/world.ts';
import { type AnswerRoom, answerRoom, document } from './answer-room.ts';

const RETURNS = '# Returns\n\n## Window\n\nAn unread book may be returned within 30 days of delivery.';
const OLD = '# Returns\n\n## Window\n\nAn unread book may be returned within 14 days of delivery.';
const QUESTION = 'Within how many days may an unread book be returned?';
const REPLACED = '2026-03-31T00:00:00.000Z';

const PUBLISHED = [
  document(OLD, {
    docVersion: '1-aaaaaaaaaaaa',
    effectiveFrom: '2025-01-01',
    effectiveTo: '2026-04-01',
  }),
  document(RETURNS, { docVersion: '2-bbbbbbbbbbbb', effectiveFrom: '2026-04-01' }),
  document('# Returns desk\n\nStaff may return an unread book within 90 days.', {
    docId: 'returns-desk',
    audience: 'staff',
  }),
  document('# Returns\n\nAn unread book may be returned within 5 days.', { tenant: 'shop-b' }),
  document('# 返品\n\n未読の本は配達から30日以内に返品できます。', { docId: 'returns-ja', language: 'ja' }),
].map((one) =>
  one.docVersion.startsWith('1-aaaa') && one.text === OLD ? { ...one, supersededAt: REPLACED } : one,
);

const ASKED: PolicyQuestion = {
  text: QUESTION,
  tenant: 'manga',
  audiences: ['customer'],
  effectiveAt: NOW.toISOString(),
  inThePast: false,
};

/** An index that can be taken away and given back. */
function mortal(index: PolicyIndex) {
  const state = { isAway: false, calls: 0, fails: (): Promise<never> => Promise.reject(unreachable()) };
  const through =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>) =>
    (...args: Args): Promise<T> => {
      state.calls += 1;
      return state.isAway ? state.fails() : work(...args);
    };
  const mortalIndex: PolicyIndex = {
    ...index,
    search: through((target, query) => index.search(target, query)),
    resolveAlias: through((alias) => index.resolveAlias(alias)),
    info: through((target) => index.info(target)),
  };
  return { state, index: mortalIndex };
}

function unreachable() {
  return new PolicyIndexError('unreachable', 'nobody answers');
}

/** Class of defect: the index server is away, and policy questions fail, lie or hang although the texts are there. */
describe('policy questions while the index is away', () => {
  let room: AnswerRoom;
  let index: ReturnType<typeof mortal>;
  let lists: number;
  beforeEach(async () => {
    room = await answerRoom(PUBLISHED);
    index = mortal(room.index);
    lists = 0;
  });
  afterEach(() => room.close());

  const counted = (): Pick<PolicyVersions, 'list'> => ({
    list: (tenant) => {
      lists += 1;
      return room.versions.list(tenant);
    },
  });
  const copying = (
    more: Partial<Parameters<typeof withLexicalCopy>[1]> = {},
    primary: PolicyFinder = room.finderOver(index.index),
  ) =>
    withLexicalCopy(primary, {
      versions: counted(),
      tokenizer: LSA_TOKENIZER,
      firstTrialMs: 1,
      ...more,
    });
  const texts = async (finder: PolicyFinder, question: Partial<PolicyQuestion> = {}) =>
    (await finder.find({ ...ASKED, ...question })).passages.map(({ text }) => text);

  it('are answered by the index as long as it answers', async () => {
    const finder = copying();
    const { isStale, mode } = await finder.find(ASKED);
    assert.deepEqual(
      { isStale, mode, build: await finder.build(), lists },
      {
        isStale: false,
        mode: 'hybrid',
        build: room.first,
        lists: 0,
      },
    );
  });

  it('are answered from the stored versions, by words, and marked', async () => {
    index.state.isAway = true;
    const { passages, mode, isStale, build } = await copying().find(ASKED);
    assert.match(passages[0]?.text ?? '', /30 days/);
    assert.deepEqual({ mode, isStale }, { mode: 'bm25', isStale: true });
    assert.match(build, /^lexical-copy\//);
  });

  it('never show another shop’s policies', async () => {
    index.state.isAway = true;
    const finder = copying();
    assert.deepEqual(
      [await texts(finder, { tenant: 'shop-b' }), await texts(finder, { tenant: 'shop-c' })],
      [['An unread book may be returned within 5 days.'], []],
    );
    assert.ok(!(await texts(finder)).some((text) => text.includes('5 days')));
  });

  it('never show another shop’s policies, though the store hands them over', async () => {
    index.state.isAway = true;
    const all = [...(await room.versions.list('manga')), ...(await room.versions.list('shop-b'))];
    const finder = copying({ versions: { list: async () => all } });
    assert.ok(!(await texts(finder)).some((text) => text.includes('5 days')));
  });

  it('show what is written for staff to staff alone', async () => {
    index.state.isAway = true;
    const finder = copying();
    assert.ok(!(await texts(finder)).some((text) => text.includes('90 days')));
    assert.ok((await texts(finder, { audiences: ['staff'] })).some((text) => text.includes('90 days')));
  });

  it('are answered by what held on the day that is asked about', async () => {
    index.state.isAway = true;
    const finder = copying();
    const then = { effectiveAt: '2026-02-01T00:00:00Z', inThePast: true };
    assert.match((await texts(finder, then))[0] ?? '', /14 days/);
    assert.ok(!(await texts(finder)).some((text) => text.includes('14 days')));
  });

  it('are answered in the language that is asked for', async () => {
    index.state.isAway = true;
    const found = await texts(copying(), { text: '未読の本は返品できますか', languages: ['ja'] });
    assert.deepEqual(found, ['未読の本は配達から30日以内に返品できます。']);
  });

  it('are not answered by what its source has not shown of late', async () => {
    index.state.isAway = true;
    const old: PolicyVersions['list'] = async (tenant) =>
      (await room.versions.list(tenant)).map((one) => ({ ...one, verifiedAt: '2026-01-01T00:00:00.000Z' }));
    const finder = copying({ versions: { list: old } });
    const verifiedSince = new Date(Date.now() - 86_400_000).toISOString();
    assert.deepEqual(await texts(finder, { verifiedSince }), []);
  });

  it('follow a version that is published meanwhile, and one that is only confirmed again', async () => {
    index.state.isAway = true;
    let versions: readonly StandingPolicy[] = await room.versions.list('manga');
    const finder = copying({ versions: { list: async () => versions }, refreshMs: 1 });
    await texts(finder);
    const at = new Date().toISOString();
    const current = versions.find(({ docVersion }) => docVersion.startsWith('2-'));
    assert.ok(current);
    const next = {
      ...current,
      docVersion: '3-cccccccccccc',
      text: RETURNS.replace('30', '45'),
      verifiedAt: at,
    };
    versions = [...versions.map((one) => (one === current ? { ...one, supersededAt: at } : one)), next];
    await until(async () => (await texts(finder))[0]?.includes('45 days') === true, 'the new version');
    assert.ok(!(await texts(finder)).some((text) => text.includes('30 days')));

    versions = versions.map((one) => ({ ...one, verifiedAt: '2026-01-01T00:00:00.000Z' }));
    const verifiedSince = new Date(Date.now() - 86_400_000).toISOString();
    await until(async () => (await texts(finder, { verifiedSince })).length === 0, 'the old confirmation');
  });

  it('make one copy for all who ask at a time', async () => {
    index.state.isAway = true;
    const finder = copying({ refreshMs: 60_000 });
    await Promise.all(Array.from({ length: 20 }, () => finder.find(ASKED)));
    await finder.find(ASKED);
    assert.equal(lists, 1);
  });

  it('keep no more copies than there is room for', async () => {
    index.state.isAway = true;
    const size = (await room.versions.list('manga')).reduce((sum, { text }) => sum + text.length, 0);
    const finder = copying({ refreshMs: 60_000, mostCharacters: size });
    for (const tenant of ['manga', 'shop-b', 'manga']) await texts(finder, { tenant });
    assert.equal(lists, 3);
  });

  it('are refused where the policies are too many for a copy, without reading them each time', async () => {
    index.state.isAway = true;
    const finder = copying({ refreshMs: 60_000, mostCharacters: 20 });
    for (let i = 0; i < 3; i += 1)
      await assert.rejects(finder.find(ASKED), { name: 'PolicyIndexError', problem: 'unreachable' });
    assert.equal(lists, 1);
  });

  for (const [what, list] of [
    ['is away', () => Promise.reject(new Error('connection refused'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ] as const) {
    it(`are refused plainly when the registry ${what} as well`, async () => {
      index.state.isAway = true;
      const finder = copying({ versions: { list } });
      await assert.rejects(finder.find(ASKED), { name: 'PolicyIndexError', problem: 'unreachable' });
    });
  }

  it('leave an index alone that does not answer', async () => {
    index.state.isAway = true;
    const finder = copying({ firstTrialMs: 60_000 });
    await finder.find(ASKED);
    const before = index.state.calls;
    for (let i = 0; i < 10; i += 1)
      await finder.find({ ...ASKED, text: `${QUESTION} ${await finder.build()}` });
    assert.equal(index.state.calls, before);
  });

  it('do not wait for the one that tries whether the index is back', async () => {
    index.state.isAway = true;
    const finder = copying();
    await finder.find(ASKED);
    index.state.fails = () => new Promise(() => undefined);
    const before = index.state.calls;
    let isTried = false;
    const trial = async () => {
      while (index.state.calls === before) await finder.find(ASKED);
    };
    const trying = trial().finally(() => (isTried = true));
    await until(async () => index.state.calls > before, 'the trial');
    assert.equal((await finder.find(ASKED)).isStale, true);
    assert.equal(isTried, false);
    await trying;
  });

  it('go to the index again once it is back, and say so', async () => {
    const news: boolean[] = [];
    index.state.isAway = true;
    const finder = copying({ onIndexChange: (isAvailable) => news.push(isAvailable) });
    assert.equal((await finder.find(ASKED)).isStale, true);
    index.state.isAway = false;
    await until(async () => !(await finder.find(ASKED)).isStale, 'the index');
    assert.deepEqual([news, await finder.build()], [[false, true], room.first]);
  });

  it('stay problems of the index when it is there and broken', async () => {
    index.state.isAway = true;
    index.state.fails = () => Promise.reject(new PolicyIndexError('alias_broken', 'two'));
    const finder = copying();
    await assert.rejects(finder.find(ASKED), { problem: 'alias_broken' });
    await assert.rejects(finder.build(), { problem: 'alias_broken' });
    assert.equal(lists, 0);
  });

  it('are never answered from the cache of what a copy found', async () => {
    index.state.isAway = true;
    const finder = copying({ firstTrialMs: 60_000 });
    await finder.find(ASKED);
    assert.notEqual(await finder.build(), await finder.build());
  });

  describe('through search_policies', () => {
    const body = (finder: PolicyFinder, versions = room.versions) =>
      searchPolicies({
        cache: freshCache(),
        versions,
        finder,
        clock: { now: () => NOW },
        realTime: { now: () => new Date() },
      });
    const input = { question: QUESTION };

    it('quote verified words, and say in both languages that the index is away', async () => {
      index.state.isAway = true;
      const answer = await body(copying())({ caller: customer('cust_1'), input });
      assert.match(answer.passages[0]?.text ?? '', /30 days/);
      assert.match(answer.message, /The policy index does not answer.*words alone/);
      assert.deepEqual([answer.index.stale, answer.index.mode], [true, 'lexical']);
      assert.equal(spec.output.safeParse(answer).error, undefined);
      const japanese = await body(copying())({
        caller: customer('cust_1'),
        input: { question: '未読の本は返品できますか' },
      });
      assert.match(japanese.message, /応答しない/);
    });

    it('say nothing of a copy once the index is back', async () => {
      const answer = await body(copying())({ caller: staff(), input });
      assert.equal(answer.index.stale, false);
      assert.doesNotMatch(answer.message, /does not answer/);
    });

    it('are refused as unavailable when index and registry are away', async () => {
      index.state.isAway = true;
      const list = () => Promise.reject(new Error('connection refused'));
      const answering = body(copying({ versions: { list } }))({ caller: staff(), input });
      await assert.rejects(
        answering,
        (error) =>
          error instanceof Refusal && error.code === 'unavailable' && /Do not infer/.test(error.message),
      );
    });
  });
});

describe('policy questions while a real OpenSearch is cut off', () => {
  let room: AnswerRoom;
  let line: Awaited<ReturnType<typeof cuttable>>;
  let server: Client;
  const live = `policy-copy-${randomUUID().slice(0, 8)}`;
  before(async function () {
    this.timeout(60_000);
    const url = opensearchUrl(this);
    server = new Client({ node: url });
    line = await cuttable(url);
    room = await answerRoom(PUBLISHED, { index: openOpenSearchIndex({ url: line.url }), live });
  });
  after(async () => {
    await room?.close();
    await line?.close();
    await server?.indices.delete({ index: `${live}-*` });
    await server?.close();
  });

  for (const how of ['refuses', 'hangs'] as const) {
    it(`are answered from the copy while it ${how}, and by the index afterwards`, async () => {
      const finder = withLexicalCopy(room.finder, {
        versions: room.versions,
        tokenizer: LSA_TOKENIZER,
        firstTrialMs: 1,
      });
      assert.equal((await finder.find(ASKED)).isStale, false);
      line.cut(how);
      const away = await finder.find(ASKED);
      assert.deepEqual([away.isStale, away.passages[0]?.text.includes('30 days')], [true, true]);
      line.cut('no');
      await until(async () => !(await finder.find(ASKED)).isStale, 'the index');
    }).timeout(60_000);
  }
});

/** A line to a server that can be cut: new and old connections are reset, or nothing comes through. */
async function cuttable(to: string) {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let how: 'no' | 'refuses' | 'hangs' = 'no';
  const server = createServer((near) => {
    if (how === 'refuses') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.on('data', (data) => {
        if (how === 'no') other.write(data);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut: (next: 'no' | 'refuses' | 'hangs') => {
      how = next;
      // What was swallowed never comes; whoever waits for it opens a new connection.
      if (next !== 'hangs') for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
