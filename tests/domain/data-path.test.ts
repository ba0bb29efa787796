import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { toolsOf } from '../../catalog/index.ts';
import { LIVE_TOOLS } from '../../catalog/policies/live-tools.ts';
import { type LiveTopic, routeOf } from '../../domain/data-path.ts';

/** Asked in the words of customers and staff; the first are those of document 000. */
const LIVE: readonly (readonly [string, LiveTopic])[] = [
  ['Where is my order?', 'orders'],
  ['Is vol 3 available?', 'stock'],
  ['How much is Berserk vol 1?', 'prices'],
  ['Where’s my package? It should have come yesterday.', 'orders'],
  ['Has order 88213 shipped?', 'orders'],
  ['Which status does order 88213 have?', 'orders'],
  ['Have you already shipped my stuff?', 'orders'],
  ['When will my parcel arrive?', 'orders'],
  ['Show me my last orders', 'orders'],
  ['What did I order last week?', 'orders'],
  ['Do you have volume 42 of Berserk in stock?', 'stock'],
  ['How many copies of BER42 are left?', 'stock'],
  ['Is Chainsaw Man volume 12 sold out?', 'stock'],
  ['What is the price of One Piece 100?', 'prices'],
  ['Is Berserk 42 on sale now?', 'prices'],
  ['注文88213の状況を教えてください', 'orders'],
  ['注文した本はいつ届きますか', 'orders'],
  ['BER42の在庫はありますか', 'stock'],
  ['ベルセルク42巻はいくらですか', 'prices'],
];

const POLICY: readonly string[] = [
  'Can I cancel a pre-order?',
  'How long do I have to return a book?',
  'What happens if my parcel is lost?',
  'Do you ship to Germany?',
  'Is it possible to exchange a volume with a bent cover?',
  'When is my card charged?',
  'How much does it cost to return a box set?',
  'Do you match the price of another shop?',
  'What is the status of Gold members?',
  'Where can I read the terms of sale?',
  '予約はキャンセルできますか',
  '返品の送料はいくらですか',
  '',
];

describe('Where the answer to a question is', () => {
  for (const [question, topic] of LIVE)
    it(`is in the live data: ${question}`, () => {
      const { path, topics } = routeOf(question);
      assert.deepEqual([path, topics.includes(topic)], ['live', true]);
    });

  for (const question of POLICY)
    it(`is in the policies: ${question}`, () => assert.equal(routeOf(question).path, 'policy'));

  it('is in both, when a rule is asked about for one certain order, and for what shipping costs', () => {
    assert.deepEqual(routeOf('Can I still cancel order 88213?'), { path: 'policy', topics: ['orders'] });
    assert.deepEqual(routeOf('How much is shipping to Osaka?'), { path: 'policy', topics: ['shipping'] });
    assert.deepEqual(routeOf('注文88213は返品できますか'), { path: 'policy', topics: ['orders'] });
  });

  it('is in the policies for every question of the demo shop’s evaluation', () => {
    const lines = readFileSync(new URL('../../evals/policies/questions.jsonl', import.meta.url), 'utf8');
    const questions = lines
      .trim()
      .split('\n')
      .map((line) => z.object({ question: z.string() }).parse(JSON.parse(line)).question);
    assert.ok(questions.length > 150);
    assert.deepEqual(
      questions.filter((question) => routeOf(question).path === 'live'),
      [],
    );
  });

  it('is found in time, whatever is asked', () => {
    for (const part of ['where is my ', 'how much is ', 'order ', '注文', '  ', 'a']) {
      const began = performance.now();
      routeOf(part.repeat(Math.ceil(5_000 / part.length)));
      assert.ok(performance.now() - began < 1_000, part);
    }
  });
});

describe('The live tools that a policy answer names', () => {
  it('are reads of the catalog', () => {
    const reads = toolsOf().filter((tool) => tool.effect === 'read');
    const names = new Set(reads.map(({ name }) => name));
    for (const name of Object.values(LIVE_TOOLS).flat()) assert.ok(names.has(name), name);
  });
});
