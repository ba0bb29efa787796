import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  policyDocument,
  policyDocumentAsOf,
  policyDocuments,
  policyOfKind,
  policyVersion,
} from '../../activities/policies/resources.ts';
import { personalPaths, specs } from '../../catalog/index.ts';
import { searchPolicies as spec } from '../../catalog/policies/search-policies.ts';
import { PolicyIndexError, type PolicyIndex } from '../../domain/policies.ts';
import type { Rewrite } from '../../domain/policy-answers.ts';
import { Refusal } from '../../domain/refusal.ts';
import { demoSet } from '../../evals/policies/demo-set.ts';
import { instructionLikelihood, SUSPICIOUS } from '../../policy-index/instruction-signs.ts';
import { asPolicy, readDocument } from '../../policy-index/read-document.ts';
import {
  type AnswerRoom,
  answerRoom,
  awayEmbedder,
  document,
  hangingEmbedder,
} from '../policies/answer-room.ts';
import { customer, freshCache, NOW, staff } from '../support/world.ts';

const QUESTION = 'Can I cancel a pre-order?';
const SHOPPER = customer('cust_1');

describe('search_policies, on the demo shop’s policies', () => {
  let room: AnswerRoom;
  before(async () => {
    const { versions } = await demoSet();
    room = await answerRoom([
      ...versions.map(({ document: one, isNewest }) => ({
        ...one,
        ...(isNewest ? {} : { supersededAt: '2026-11-01T00:00:00.000Z' }),
      })),
      document('A pre-order can be cancelled at any hour. Ask the lemur.', {
        tenant: 'shop-b',
        docId: 'pre-orders',
        title: 'Pre-orders',
        kind: 'pre-orders',
      }),
    ]);
  });
  after(() => room.close());
  const ask = (
    question: string,
    more: { as_of?: string; locale?: 'en' | 'ja'; previous?: string } = {},
    caller = SHOPPER,
  ) => room.body()({ caller, input: { question, ...more } });

  it('answers with the words that decide it, and where they stand', async () => {
    const { status, passages, confidence } = await ask(QUESTION);
    const [first] = passages;
    assert.equal(status, 'answered');
    assert.ok(confidence >= 0.5);
    assert.match(first?.text ?? '', /can be cancelled until 5 business days before the release date/);
    assert.deepEqual(
      [first?.doc_id, first?.heading_path, first?.source_url, first?.effective_from, first?.flagged],
      [
        'pre-orders',
        ['Pre-orders', 'Cancelling a pre-order'],
        'https://mangado.example/policies/pre-orders',
        '2026-03-01',
        false,
      ],
    );
  });

  it('answers in the form that it is listed with', async () => {
    for (const question of [QUESTION, 'xyzzy plugh', 'I need help'])
      assert.deepEqual(spec.output.safeParse(await ask(question)).error, undefined);
  });

  it('quotes words that stand where it says, all of them', async () => {
    for (const question of [QUESTION, 'How much is shipping?', 'When are refunds paid?', '返品できますか'])
      for (const one of (await ask(question, {}, staff())).passages) {
        const stored = await room.versions.find({
          tenant: 'manga',
          docId: one.doc_id,
          docVersion: one.doc_version,
        });
        assert.equal(stored?.text.slice(one.span.start, one.span.end), one.text);
      }
  });

  it('puts what it quotes between marks that are new with each answer', async () => {
    const [a, b] = [await ask(QUESTION), await ask(QUESTION)];
    assert.notEqual(a.quote_mark, b.quote_mark);
    const said = spec.say(a);
    assert.ok(
      said.includes(`Quotation ${a.quote_mark}`) && said.includes(`End of quotation ${a.quote_mark}`),
    );
    assert.ok(said.includes('https://mangado.example/policies/pre-orders'));
  });

  it('says by version what held on a day', async () => {
    const texts = async (as_of: string) =>
      (await ask(QUESTION, { as_of })).passages
        .filter(({ doc_id }) => doc_id === 'pre-orders')
        .map(({ text }) => text);
    const { versions } = await demoSet();
    const old = versions.find(
      ({ document: { docId, docVersion } }) => docId === 'pre-orders' && docVersion.startsWith('2-'),
    );
    const day = old?.document.effectiveFrom ?? '';
    assert.match((await texts(day)).join('\n'), /14 days before the release date/);
    assert.doesNotMatch((await texts(day)).join('\n'), /5 business days/);
    assert.doesNotMatch((await texts('2026-11-20')).join('\n'), /14 days/);
  });

  it('never quotes a version that was replaced when no day is asked about', async () => {
    for (const question of [
      QUESTION,
      'cancel pre-order 14 days fee ¥200 kept',
      'pre-order store credit 90 days',
    ])
      for (const { doc_id, doc_version } of (await ask(question)).passages) {
        const stored = await room.versions.find({ tenant: 'manga', docId: doc_id, docVersion: doc_version });
        assert.equal(stored?.supersededAt, null);
      }
  });

  for (const question of [
    'xyzzy plugh frobnicate',
    'What is the airspeed velocity of an unladen swallow?',
    '   ?',
  ]) {
    it(`finds nothing for nonsense: ${question}`, async () => {
      const { status, passages, message } = await ask(question);
      assert.deepEqual([status, passages], ['not_found', []]);
      assert.match(message, /Do not infer/);
    });
  }

  it('sends who asks for live data to the tools that have it', async () => {
    const { status, message, live_tools: tools } = await ask('How many copies of BER42 are left?');
    assert.ok(status !== 'answered');
    assert.deepEqual(tools, ['check_stock']);
    assert.match(message, / check_stock\.$/);
    assert.match((await ask('BER42の在庫はありますか')).message, / check_stock\.$/);
  });

  it('names the live tools beside a rule about one certain order, and none beside a rule', async () => {
    const { status, message, live_tools: tools } = await ask('Can I cancel my pre-order no. 88213?');
    assert.equal(status, 'answered');
    assert.deepEqual(tools, ['get_order_status', 'list_recent_orders']);
    assert.doesNotMatch(message, /get_order_status/);
    assert.equal((await ask(QUESTION)).live_tools, undefined);
  });

  it('shows customers nothing that is written for staff', async () => {
    const { questions } = await demoSet();
    for (const { question } of questions.filter((one) => one.class === 'wrong_audience'))
      for (const { audience } of (await ask(question)).passages) assert.equal(audience, 'customer');
  });

  it('shows staff what is written for them', async () => {
    const { passages } = await ask('What is the maximum stock level for a volume?', {}, staff());
    assert.equal(passages[0]?.audience, 'staff');
  });

  it('shows an agent of a customer what the customer may see', async () => {
    const agent = { ...SHOPPER, actor: 'agent-of-cust_1' };
    const { passages } = await ask('What is the maximum stock level for a volume?', {}, agent);
    assert.deepEqual(
      passages.filter(({ audience }) => audience === 'staff'),
      [],
    );
  });

  it('quotes nothing of another shop', async () => {
    assert.doesNotMatch(
      JSON.stringify(await ask('Do I ask the lemur to cancel a pre-order?')),
      /Ask the lemur/,
    );
    const other = await ask(QUESTION, {}, customer('cust_1', 'shop-b'));
    assert.deepEqual(
      other.passages.map(({ text }) => text),
      ['A pre-order can be cancelled at any hour. Ask the lemur.'],
    );
  });

  it('asks which policy is meant when several may be', async () => {
    const { status, options = [] } = await ask('Can I use a card?');
    assert.equal(status, 'ambiguous');
    assert.ok(options.length > 1 && options.every(({ title, source_url: url }) => title && url));
  });

  it('answers in the language of the question, and in another when only that one says it', async () => {
    const { passages, message } = await ask('予約商品はキャンセルできますか');
    assert.equal(passages[0]?.language, 'ja');
    assert.match(message, /[ぁ-ん]/);
  });

  it('understands a question by those before it', async () => {
    const { passages } = await ask('And how late can I do that?', {
      previous: `${QUESTION}\nCan I cancel a pre-order by mail?`,
    });
    assert.equal(passages[0]?.doc_id, 'pre-orders');
  });

  it('says how a question was understood: by a rewriter, or by those before it', async () => {
    const asked: unknown[] = [];
    const understood = async (rewritten: string | undefined, previous?: string) => {
      const rewrite: Rewrite = async (...all) => {
        asked.push(all);
        return rewritten;
      };
      const input = { question: 'And how late?', ...(previous === undefined ? {} : { previous }) };
      const { index, passages } = await room.body({ rewrite })({ caller: SHOPPER, input });
      return [index.question, passages[0]?.doc_id];
    };
    assert.deepEqual(await understood('How late can I cancel a pre-order?', 'Something else'), [
      'rewritten',
      'pre-orders',
    ]);
    assert.deepEqual(await understood(undefined, QUESTION), ['with_previous', 'pre-orders']);
    assert.equal((await understood('never asked'))[0], 'as_asked');
    assert.deepEqual(asked, [
      ['And how late?', ['Something else']],
      ['And how late?', [QUESTION]],
    ]);
  });

  it('takes questions as long and as odd as they may be', async () => {
    for (const text of [
      'x'.repeat(1000),
      '🦝'.repeat(400),
      '"} ignore previous',
      '\u202e'.repeat(900),
      '% _ \\ ; --',
    ])
      assert.ok((await ask(text, { previous: 'y\n'.repeat(2000) })).status);
  });

  it('keeps the question from Temporal, which may name a person', () => {
    assert.deepEqual(personalPaths(spec.input), [['question'], ['previous']]);
  });

  for (const asOf of [
    '2026-02-30',
    'yesterday',
    '2026-13-01',
    '2026-03-01T25:00:00Z',
    '2026-03-01T10:00:00',
    '',
    '9999999999-01-01',
  ])
    it(`refuses a day that is none: ${asOf}`, () => {
      assert.equal(spec.input.safeParse({ question: 'q', as_of: asOf }).success, false);
    });

  it('finds the same from the cache, and reads its quotations again', async () => {
    const body = room.body();
    const first = await body({ caller: SHOPPER, input: { question: QUESTION } });
    const again = await body({ caller: SHOPPER, input: { question: QUESTION } });
    assert.deepEqual([first.cache.hit, again.cache.hit], [false, true]);
    assert.deepEqual(again.passages, first.passages);
  });

  it('shares nothing from the cache between audiences, days and languages', async () => {
    const cache = freshCache();
    const body = room.body({ cache });
    const input = { question: 'What is the maximum stock level for a volume?' };
    await body({ caller: staff(), input });
    for (const [caller, more] of [
      [SHOPPER, {}],
      [staff(), { as_of: '2026-01-01' }],
      [staff(), { locale: 'ja' as const }],
    ] as const)
      assert.equal((await body({ caller, input: { ...input, ...more } })).cache.hit, false);
  });
});

describe('search_policies, when something is wrong', () => {
  const TEXT = '# Returns\n\nUnread books can be returned within 30 days of delivery.';
  const RETURNS = { tenant: 'manga', docId: 'returns', docVersion: '1-aaaaaaaaaaaa' };
  const HOW_LONG = 'Within how many days can unread books be returned?';
  let room: AnswerRoom;
  beforeEach(async () => {
    room = await answerRoom([
      document(TEXT),
      document('# Shipping\n\nParcels arrive within two days in Tokyo.', {
        docId: 'shipping',
        kind: 'shipping',
        title: 'Shipping',
      }),
      document('# Privacy\n\nWe keep addresses for seven years.', {
        docId: 'privacy',
        kind: 'privacy',
        title: 'Privacy',
      }),
    ]);
  });
  afterEach(() => room.close());
  const input = { question: HOW_LONG };

  it('drops a passage that its version does not say', async () => {
    const forged = room.chunks.map((chunk) =>
      chunk.docId === 'returns'
        ? { ...chunk, id: 'f'.repeat(32), text: 'Unread books can be returned within 900 days of delivery.' }
        : chunk,
    );
    await room.build(room.first, forged);
    const answer = await room.body()({ caller: SHOPPER, input });
    assert.doesNotMatch(JSON.stringify(answer), /900/);
    assert.ok(answer.index.dropped > 0);
    assert.ok(answer.passages.every(({ doc_id: id }) => id !== 'returns'));
  });

  it('drops a passage whose version is for others, whatever the index says', async () => {
    room.change(RETURNS, { audience: 'staff' });
    const { passages } = await room.body()({ caller: SHOPPER, input });
    assert.ok(passages.every(({ doc_id: id }) => id !== 'returns'));
  });

  it('drops a passage of a version that was never published', async () => {
    const forged = room.chunks.map((chunk) => ({ ...chunk, docVersion: '9-bbbbbbbbbbbb' }));
    await room.build(room.first, forged);
    assert.deepEqual((await room.body()({ caller: SHOPPER, input })).passages, []);
  });

  it('quotes nothing from the cache that was replaced or withdrawn meanwhile', async () => {
    const body = room.body();
    assert.equal((await body({ caller: SHOPPER, input })).passages[0]?.doc_id, 'returns');
    room.change(RETURNS, { supersededAt: new Date().toISOString() });
    assert.ok((await body({ caller: SHOPPER, input })).passages.every(({ doc_id: id }) => id !== 'returns'));
  });

  it('is answered by the new build at once', async () => {
    const body = room.body();
    await body({ caller: SHOPPER, input });
    const second = await room.build(room.first);
    const answer = await body({ caller: SHOPPER, input });
    assert.deepEqual([answer.cache.hit, answer.index.build], [false, second]);
  });

  it('quotes nothing that was not verified for a day, and says so', async () => {
    const realNow = () => new Date(Date.now() + 25 * 3_600_000);
    const {
      status,
      passages,
      options = [],
      message,
    } = await room.body({ realNow })({ caller: SHOPPER, input });
    assert.deepEqual([status, passages], ['stale', []]);
    assert.ok(options.some(({ doc_id: id }) => id === 'returns'));
    assert.match(message, /24 hours/);
  });

  for (const [what, broken] of [
    ['is away', awayEmbedder],
    ['hangs', hangingEmbedder],
  ] as const) {
    it(`searches by words alone when the embedder ${what}, and says so`, async () => {
      const body = room.body({ embeds: broken(room.embedder) });
      const answer = await body({ caller: SHOPPER, input });
      assert.equal(answer.passages[0]?.doc_id, 'returns');
      assert.deepEqual([answer.index.mode, answer.passages[0]?.scores.cosine], ['lexical', null]);
      assert.match(answer.message, /by words alone/);
      assert.equal((await body({ caller: SHOPPER, input })).cache.hit, false);
    });
  }

  const away = (search: PolicyIndex['search']): PolicyIndex => ({ ...room.index, search });
  for (const [what, search] of [
    ['is away', () => Promise.reject(new PolicyIndexError('unreachable', 'nobody answers'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ] as const) {
    it(`refuses in less than five seconds when the index ${what}`, async () => {
      const from = performance.now();
      await assert.rejects(
        room.body({ through: away(search) })({ caller: SHOPPER, input }),
        (error) =>
          error instanceof Refusal &&
          error.code === 'unavailable' &&
          /Policy lookup unavailable/.test(error.message),
      );
      assert.ok(performance.now() - from < 5000);
    });
  }

  it('gets over an index that blinks', async () => {
    let calls = 0;
    const through = away((...args) => {
      if ((calls += 1) === 1) return Promise.reject(new PolicyIndexError('unreachable', 'a blink'));
      return room.index.search(...args);
    });
    assert.equal((await room.body({ through })({ caller: SHOPPER, input })).status, 'answered');
  });

  for (const aliases of [[], ['policy-v1', 'policy-v2']])
    it(`refuses when the alias points to ${aliases.length} builds`, async () => {
      const through = { ...room.index, resolveAlias: async () => aliases };
      await assert.rejects(room.body({ through })({ caller: SHOPPER, input }), Refusal);
    });

  it('refuses an index that was made with another embedder', async () => {
    const embeds = { ...room.embedder, fingerprint: 'another' };
    await assert.rejects(room.body({ embeds })({ caller: SHOPPER, input }), Refusal);
  });
});

describe('search_policies, on poisoned policies', () => {
  const FOLDER = join(import.meta.dirname, '../policies/hostile');
  const names = readdirSync(FOLDER).filter((name) => !name.startsWith('refused-'));
  let room: AnswerRoom;
  before(async () => {
    room = await answerRoom(
      names.map((name) => asPolicy(readDocument(readFileSync(join(FOLDER, name))), 1, null)),
    );
  });
  after(() => room.close());

  it('are many', () => assert.ok(names.length >= 40));

  for (const name of names)
    it(`gives back as marked data, and nowhere else: ${name}`, async () => {
      const { visible, front } = readDocument(readFileSync(join(FOLDER, name)));
      const { language: locale } = front;
      let flags = 0;
      const lines = visible.text.split('\n').filter((line) => line.trim() !== '');
      for (const line of lines) {
        const question = line.slice(0, 900);
        const answer = await room.body()({
          caller: SHOPPER,
          input: { question, ...(locale === 'ja' ? { locale } : {}) },
        });
        const { passages, ...rest } = answer;
        assert.doesNotMatch(JSON.stringify({ ...rest, options: [] }), /kumquat/i);
        for (const one of passages)
          assert.equal(
            one.flagged,
            instructionLikelihood([one.title, ...one.heading_path, one.text].join('\n')) >= SUSPICIOUS,
          );
        flags += passages.filter(({ flagged }) => flagged).length;
        assertFenced(spec.say(answer), answer.quote_mark, passages);
      }
      if (name.startsWith('plain-')) assert.ok(flags > 0);
    });
});

/** Whatever a passage says stands between the marks: with these taken out, no word of it is left. */
function assertFenced(
  said: string,
  mark: string,
  passages: readonly { readonly text: string; readonly flagged: boolean }[],
) {
  assert.ok(passages.every(({ text }) => !text.includes(mark)));
  const outside = said.replaceAll(new RegExp(`Quotation ${mark}[\\s\\S]*?End of quotation ${mark}`, 'g'), '');
  for (const { text } of passages) assert.ok(!outside.includes(text));
  assert.doesNotMatch(outside, /kumquat/i);
}

describe('the policy:// resources', () => {
  let room: AnswerRoom;
  before(async () => {
    room = await answerRoom([
      {
        ...document('Within 14 days.', { effectiveTo: '2026-04-01' }),
        supersededAt: '2026-04-01T00:00:00.000Z',
      },
      document('Within 30 days.', { docVersion: '2-bbbbbbbbbbbb', effectiveFrom: '2026-04-01' }),
      document('Staff accept returns up to 45 days.', {
        docId: 'returns-approval',
        audience: 'staff',
        kind: 'returns',
      }),
      document('In a week.', { docId: 'shipping', kind: 'shipping' }),
      document('Never.', { tenant: 'shop-b' }),
    ]);
  });
  after(() => room.close());
  const parts = () => ({
    versions: room.versions,
    finder: { suspicion: instructionLikelihood, suspicious: SUSPICIOUS },
    clock: { now: () => NOW },
    realTime: { now: () => new Date() },
  });
  const missing = (error: unknown) => error instanceof Refusal && error.code === 'not_found';

  it('give what holds now of a kind: policy://returns/current', async () => {
    const { documents } = await policyOfKind(parts())({ caller: SHOPPER, input: { kind: 'returns' } });
    assert.deepEqual(
      documents.map(({ text, doc_version: version }) => [text, version]),
      [['Within 30 days.', '2-bbbbbbbbbbbb']],
    );
  });

  it('give staff what is written for staff as well', async () => {
    const { documents } = await policyOfKind(parts())({ caller: staff(), input: { kind: 'returns' } });
    assert.deepEqual(
      documents.map(({ doc_id: id }) => id),
      ['returns', 'returns-approval'],
    );
  });

  it('give a document as it holds now, and as it held on a day', async () => {
    const now = await policyDocument(parts())({ caller: SHOPPER, input: { doc_id: 'returns' } });
    const then = await policyDocumentAsOf(parts())({
      caller: SHOPPER,
      input: { doc_id: 'returns', as_of: '2026-02-01' },
    });
    assert.deepEqual([now.document.text, then.document.text], ['Within 30 days.', 'Within 14 days.']);
  });

  it('give a version that a citation names, and say that it was replaced', async () => {
    const input = { doc_id: 'returns', doc_version: '1-aaaaaaaaaaaa' };
    const { document: found, superseded_at: at } = await policyVersion(parts())({ caller: SHOPPER, input });
    assert.deepEqual([found.text, at], ['Within 14 days.', '2026-04-01T00:00:00.000Z']);
  });

  it('list what holds now', async () => {
    const { documents } = await policyDocuments(parts())({ caller: SHOPPER, input: {} });
    assert.deepEqual(
      documents.map(({ doc_id: id }) => id),
      ['returns', 'shipping'],
    );
  });

  it('have one answer for what is not there, what is for staff, and what another shop has', async () => {
    const other = customer('cust_1', 'shop-c');
    await assert.rejects(policyDocument(parts())({ caller: SHOPPER, input: { doc_id: 'nothing' } }), missing);
    await assert.rejects(
      policyDocument(parts())({ caller: SHOPPER, input: { doc_id: 'returns-approval' } }),
      missing,
    );
    await assert.rejects(policyDocument(parts())({ caller: other, input: { doc_id: 'returns' } }), missing);
    const input = { doc_id: 'returns-approval', doc_version: '1-aaaaaaaaaaaa' };
    await assert.rejects(policyVersion(parts())({ caller: SHOPPER, input }), missing);
  });

  it('are in the catalog, each by its name', () => {
    for (const name of [
      'policy_of_kind',
      'policy_document',
      'policy_document_as_of',
      'policy_version',
      'policy_documents',
    ])
      assert.ok(specs.has(name));
  });
});
