import assert from 'node:assert/strict';
import { mean, ndcgAt10, recallAt, reciprocalRank, rocAuc } from '../../evals/policies/measures.ts';
import { belowFloor, type Row } from '../../evals/policies/floor.ts';

const judged = (found: readonly string[], relevant: readonly string[]) => ({
  found,
  relevant: new Set(relevant),
});
const close = (is: number, expected: number) => assert.ok(Math.abs(is - expected) < 1e-4, `${is}`);

describe('The measures, against values worked out by hand', () => {
  it('nDCG: one right answer in third place is half of one in first place', () => {
    // 1/log2(4) over 1/log2(2)
    close(ndcgAt10(judged(['a', 'b', 'c'], ['c'])), 0.5);
  });

  it('nDCG: two of three right answers, in places 1 and 4', () => {
    // (1 + 0.43068) / (1 + 0.63093 + 0.5)
    close(ndcgAt10(judged(['x', 'a', 'b', 'y'], ['x', 'y', 'z'])), 0.671416);
  });

  it('nDCG: what comes after the tenth place counts for nothing', () => {
    const found = [...'abcdefghij'.split(''), 'right'];
    assert.equal(ndcgAt10(judged(found, ['right'])), 0);
  });

  it('nDCG: all in order is 1, and nothing found is 0', () => {
    assert.equal(ndcgAt10(judged(['a', 'b', 'c'], ['a', 'b'])), 1);
    assert.equal(ndcgAt10(judged([], ['a'])), 0);
  });

  it('recall: two of four among the first five', () => {
    assert.equal(recallAt(5, judged(['p', 'x', 'q', 'y', 'r', 'z'], ['x', 'y', 'z', 'w'])), 0.5);
  });

  it('reciprocal rank: the first right one counts, in fourth place a quarter', () => {
    assert.equal(reciprocalRank(judged(['a', 'b', 'c', 'd', 'e'], ['d', 'e'])), 0.25);
    assert.equal(reciprocalRank(judged(['a'], ['d'])), 0);
  });

  it('AUC: five and a half of six pairs in the right order', () => {
    // 0.9 beats 0.1 and 0.6; 0.7 beats both; 0.6 beats 0.1 and ties with 0.6
    close(rocAuc([0.9, 0.7, 0.6], [0.1, 0.6]), 5.5 / 6);
  });

  it('AUC: scores that say nothing are worth a half', () => {
    assert.equal(rocAuc([0.5, 0.5], [0.5]), 0.5);
  });

  it('mean', () => assert.equal(mean([1, 0, 0.5]), 0.5));
});

describe('The floor of the evaluation', () => {
  const figures = {
    ndcgAt10: 0.8,
    recallAt3: 0.8,
    recallAt5: 0.8,
    mrr: 0.8,
    cited: 0.8,
    verified: 1,
    abstentionAuc: 0.85,
    confidenceAuc: 0.86,
    leaked: 0,
  };
  const row = (changed: Partial<Row['figures']> = {}): Row => ({
    engine: 'embedded',
    set: 'demo shop',
    embedder: 'LSA',
    stage: 'BM25',
    figures: { ...figures, ...changed },
  });
  const floor = { 'embedded / demo shop / LSA / BM25': figures };

  it('holds for what is as good, or better', () => {
    assert.deepEqual(belowFloor([row(), row({ ndcgAt10: 0.9 })], floor), []);
  });

  for (const [name, worse] of Object.entries({
    ndcgAt10: 0.789,
    recallAt3: 0.789,
    recallAt5: 0.789,
    mrr: 0.789,
    cited: 0.789,
    verified: 0.999,
    abstentionAuc: 0.839,
    confidenceAuc: 0.849,
    leaked: 1,
  })) {
    it(`is broken by a worse ${name}`, () => {
      assert.equal(belowFloor([row({ [name]: worse })], floor).length, 1);
    });
  }

  it('holds for what is a point worse, as rounding may make it', () => {
    const { verified, leaked, ...rounded } = figures;
    const nearly = Object.fromEntries(Object.entries(rounded).map(([name, is]) => [name, is - 0.0099]));
    assert.deepEqual(belowFloor([row({ ...nearly, verified, leaked })], floor), []);
  });

  it('is each engine’s own', () => {
    const other = { ...row(), engine: 'OpenSearch' };
    assert.match(belowFloor([other], floor)[0] ?? '', /no floor is recorded/);
  });

  it('is broken by a figure that could not be computed', () => {
    assert.equal(belowFloor([row({ mrr: Number.NaN })], floor).length, 1);
  });

  it('must be recorded before a row counts', () => {
    assert.match(belowFloor([row()], {})[0] ?? '', /no floor is recorded/);
  });

  it('allows no leak, even one that was recorded', () => {
    const leaky = { 'embedded / demo shop / LSA / BM25': { ...figures, leaked: 3 } };
    assert.equal(belowFloor([row({ leaked: 3 })], leaky).length, 1);
  });
});
