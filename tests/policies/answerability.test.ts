import assert from 'node:assert/strict';
import { foldsOf, type Sample } from '../../evals/policies/logistic.ts';
import {
  type Calibration,
  calibrationFor,
  confidenceOf,
  type Evidence,
  evidenceOf,
  readCalibrations,
} from '../../policy-index/answerability.ts';
import type { RankedHit } from '../../policy-index/rerank.ts';
import { chunkNumber, VERIFIED } from './embedded-support.ts';

const reranked = (...scores: readonly (number | null)[]): readonly RankedHit[] =>
  scores.map((rerank, i) => ({
    chunk: chunkNumber(i).chunk,
    scores: { bm25: null, cosine: null, score: 1 },
    rerank,
    score: 1,
    verifiedAt: VERIFIED,
    supersededAt: null,
  }));

/** Class of defect: how sure an answer is depends on how many passages there happen to be. */
describe('What the hits tell of an answer', () => {
  it('is by how much the best passage stands out among those that got a second look', () => {
    const { margin } = evidenceOf('refund', reranked(0.5, 0.9, 0.3, 0.2, 0.1, null, null));
    assert.ok(margin !== null && Math.abs(margin - 0.5) < 1e-9);
  });

  it('is not that where there are too few to stand out among', () => {
    assert.equal(evidenceOf('refund', reranked(0.9, 0.1, 0.1, 0.1)).margin, null);
    assert.equal(evidenceOf('refund', reranked(null, null, null, null, null)).margin, null);
    assert.equal(evidenceOf('refund', []).margin, null);
  });

  const sign = { mean: 0.2, deviation: 0.1, weight: 2 };
  const calibration: Calibration = {
    embedder: null,
    reranker: null,
    bias: 0.3,
    signs: { margin: sign },
    doubtFrom: 0.2,
    answerFrom: 0.5,
  };
  const evidence: Evidence = { cosine: 0, coverage: 0, joint: 0, seen: 0, known: 1, rerank: 0, margin: null };

  it('speaks neither for nor against an answer where it is not known', () => {
    const [unknown, usual, large] = [null, 0.2, 0.3].map((margin) =>
      confidenceOf(calibration, { ...evidence, margin }),
    );
    assert.equal(unknown, usual);
    assert.ok((large ?? 0) > (usual ?? 1));
  });

  it('makes an answer surer, every single sign of every calibration', () => {
    for (const { signs } of readCalibrations())
      for (const [name, { weight }] of Object.entries(signs)) assert.ok(weight > 0, name);
  });

  it('is held back where most of the question is in no document, if only words are known of it', () => {
    const sure = { ...evidence, margin: 0.9 };
    const words = { ...calibration, leastKnown: 0.5 };
    assert.ok(confidenceOf(words, sure) > 0.9);
    assert.ok(confidenceOf(words, { ...sure, known: 0.49 }) < words.answerFrom);
    assert.ok(confidenceOf(calibration, { ...sure, known: 0.49 }) > 0.9);
    const unsure = { ...evidence, margin: -0.9 };
    assert.equal(confidenceOf(words, { ...unsure, known: 0 }), confidenceOf(words, unsure));
  });

  it('knows how much of a question is in what was found', () => {
    const hits = reranked(0.5);
    const [first] = hits;
    assert.ok(first);
    const word = first.chunk.indexText.split(/\W+/)[0] ?? '';
    assert.equal(evidenceOf(word, hits).known, 1);
    assert.ok(evidenceOf(`${word} yachts zeppelins`, hits).known < 0.5);
    assert.equal(evidenceOf('注文をキャンセルしたい', hits).known, 1);
  });

  it('is known no less for the number of an order, or the name of an item', () => {
    const hits = reranked(0.5);
    for (const name of ['88213', 'BER42', '1Z999AA10123456784'])
      assert.equal(evidenceOf(`refund ${name}`, hits).known, 1, name);
    assert.equal(evidenceOf('88213', hits).known, 1);
  });

  it('is weighed by the calibration for the model and for the reranker that looked', () => {
    const all = readCalibrations();
    const signs = (embedder: string | null, reranker: string | null) =>
      Object.keys(calibrationFor(all, embedder, reranker).signs);
    assert.ok(signs('onnx/m', 'max-sim/onnx/m').includes('margin'));
    assert.ok(!signs('onnx/m', 'rerank/other').includes('margin'));
    assert.deepEqual(signs('bedrock/titan', null), signs(null, null));
  });
});

describe('The folds of a cross-validation', () => {
  const samples = Array.from({ length: 60 }, (_, i): Sample => ({
    set: i < 40 ? 'a' : 'b',
    isAnswerable: i % 4 !== 0,
    evidence: [i],
    weight: 1,
  }));

  it('test every sample once, by those that are not in the same fold', () => {
    const folds = foldsOf(samples, 5, 0);
    assert.deepEqual(new Set(folds.flatMap(({ test }) => test)), new Set(samples));
    assert.equal(folds.flatMap(({ test }) => test).length, 60);
    for (const { train, test } of folds) assert.ok(!test.some((one) => train.includes(one)));
  });

  it('have their share of each set’s answerable and unanswerable questions', () => {
    for (const { test } of foldsOf(samples, 5, 1)) {
      const unanswerable = test.filter((one) => one.set === 'a' && !one.isAnswerable);
      assert.equal(unanswerable.length, 2);
    }
  });

  it('are others in another round, and the same in the same', () => {
    const first = (round: number) => foldsOf(samples, 5, round)[0]?.test.map(({ evidence: [i] }) => i);
    assert.deepEqual(first(0), first(0));
    assert.notDeepEqual(first(0), first(1));
  });
});
