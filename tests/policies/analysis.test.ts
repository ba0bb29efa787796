import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client } from '@opensearch-project/opensearch';
import { assert as check, constantFrom, property, string } from 'fast-check';
import { analyse, ANALYZER } from '../../policy-index/analysis.ts';
import { rememberedLength } from '../../policy-index/embedded/length-norm.ts';
import { opensearchUrl } from '../support/skip.ts';

const TEXTS = [
  'Can I cancel a pre-order? The company’s answer: YES, within 24 hours.',
  "Don't return $3.50, 1,000.25 or 50% of U.S.A. goods; e-mail a.b@shop.example",
  '予約商品は24時間以内にキャンセルできます。ご返品・交換',
  'ｶﾅとＡＢＣ１２３、ラーメン らーめん',
  '한국어 반품 정책',
  'naïve café résumé Straße ΑΒΓ Привет',
  "_ __ a_ _b c_d __'s 's",
  'snake_case camelCase x86_64 don’t rock’n’roll O’Neil’s',
  'relational conditional rationally happily skies dying agreed hopping generalizations',
  'a b c I to be or not to be',
  `${'x'.repeat(300)} end`,
];

describe('The analysis of policies', () => {
  it('parts words where Unicode does, in any text without Chinese, Japanese or Korean', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
    const letters = 'abcXYZ019 .,:;\'’_-!?()éßΩд\n"/%$'.split('');
    const text = string({ unit: constantFrom(...letters), maxLength: 60 });
    check(
      property(text, (sample) => {
        const words = [...segmenter.segment(sample)].filter(({ isWordLike }) => isWordLike);
        const terms = words.flatMap(({ segment }) => analyse(segment));
        assert.deepEqual(analyse(sample), terms);
      }),
    );
  });

  it('gives the terms that OpenSearch gives', async function () {
    const client = new Client({ node: opensearchUrl(this) });
    const index = `policy-test-${randomUUID().slice(0, 8)}`;
    await client.transport.request({
      method: 'PUT',
      path: `/${index}`,
      body: { settings: { analysis: ANALYZER } },
    });
    try {
      for (const text of TEXTS) {
        const { body } = await client.indices.analyze({ index, body: { analyzer: 'policy_text', text } });
        assert.deepEqual(
          analyse(text),
          (body.tokens ?? []).map(({ token }) => token),
        );
      }
    } finally {
      await client.indices.delete({ index });
      await client.close();
    }
  });

  it('answers any text within a moment', () => {
    const start = performance.now();
    for (const text of [
      "a'".repeat(100_000),
      '1,'.repeat(100_000),
      '_'.repeat(200_000),
      '日'.repeat(200_000),
    ]) {
      analyse(text);
    }
    assert.ok(performance.now() - start < 3000);
  });

  for (const [terms, kept] of [
    [0, 0],
    [23, 23],
    [39, 39],
    [40, 40],
    [41, 40],
    [56, 56],
    [59, 56],
    [100, 96],
    [1000, 984],
  ] as const) {
    it(`remembers a text of ${terms} terms as one of ${kept}, as Lucene does`, () => {
      assert.equal(rememberedLength(terms), kept);
    });
  }
});
