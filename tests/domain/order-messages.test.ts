import assert from 'node:assert/strict';
import { LOCALES, sentenceFor, wordsFor } from '../../domain/order-messages.ts';
import { LEGACY_STATUS, ORDER_STATES } from '../../domain/orders.ts';

const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/;

describe('an order in words', () => {
  for (const locale of LOCALES) {
    it(`has a message and a next step for every state (${locale})`, () => {
      for (const state of ORDER_STATES) {
        const { message, nextStep } = wordsFor(state, null, locale);
        for (const text of [message, nextStep]) assert.equal(JAPANESE.test(text), locale === 'ja', text);
      }
    });

    it(`says something else in every state (${locale})`, () =>
      assert.equal(new Set(ORDER_STATES.map((state) => wordsFor(state, null, locale).message)).size, 11));

    it(`names the day only while the order travels (${locale})`, () => {
      const eta = '2026-12-01T09:00:00.000Z';
      const named = ORDER_STATES.filter((state) => wordsFor(state, eta, locale).nextStep.includes(eta));
      assert.deepEqual(named, ['Shipped', 'OutForDelivery']);
    });
  }

  it('is English unless asked otherwise', () =>
    assert.deepEqual(wordsFor('Packed', null), wordsFor('Packed', null, 'en')));

  it('is one sentence with its number', () => {
    assert.equal(sentenceFor('88213', ['One.', 'Two.']), 'Order 88213: One. Two.');
    assert.equal(sentenceFor('88213', ['一。', '二。'], 'ja'), 'ご注文 88213：一。二。');
  });

  it('has exactly one word of the shorter vocabulary for every state', () =>
    assert.deepEqual(Object.keys(LEGACY_STATUS).sort(), [...ORDER_STATES].sort()));
});
