import assert from 'node:assert/strict';
import { demoSet, type DemoSet, type QuestionClass } from '../../evals/policies/demo-set.ts';

/** As many as the evaluation needs of each kind to say anything about it. */
const AT_LEAST: Readonly<Record<QuestionClass, number>> = {
  answerable: 100,
  version: 10,
  multi_turn: 10,
  unanswerable: 30,
  underspecified: 10,
  wrong_audience: 12,
};

describe('The questions about the demo shop’s policies', () => {
  let set: DemoSet;
  before(async () => {
    set = await demoSet();
  });

  it('are asked of documents without a single problem', () => {
    assert.deepEqual(set.problems, []);
  });

  it('are enough of every kind', () => {
    for (const [kind, most] of Object.entries(AT_LEAST)) {
      const found = set.questions.filter((question) => question.class === kind).length;
      assert.ok(found >= most, `${kind}: ${found}`);
    }
    assert.ok(set.questions.filter(({ language }) => language === 'ja').length >= 20);
  });

  it('have an id each', () => {
    assert.equal(new Set(set.questions.map(({ id }) => id)).size, set.questions.length);
  });

  it('quote what their document said on the day that is asked about', () => {
    const wrong = set.questions.flatMap((question) => set.goldProblems(question));
    assert.deepEqual(wrong, []);
  });

  it('name documents that are there', () => {
    const ids = new Set(set.versions.map(({ document }) => document.docId));
    const named = set.questions.flatMap(({ documents }) => documents ?? []);
    assert.deepEqual(
      named.filter((id) => !ids.has(id)),
      [],
    );
  });

  it('ask customers’ questions of what customers may read, and the wrong ones of what they may not', () => {
    const audienceOf = new Map(set.versions.map(({ document }) => [document.docId, document.audience]));
    const misplaced = set.questions.filter((question) => {
      const named = [...(question.gold ?? []).map((gold) => gold.document), ...(question.documents ?? [])];
      const isClosed = named.some((id) => audienceOf.get(id) === 'staff') && question.audience === 'customer';
      return isClosed !== (question.class === 'wrong_audience');
    });
    assert.deepEqual(misplaced, []);
  });
});

describe('The demo shop’s documents', () => {
  let set: DemoSet;
  before(async () => {
    set = await demoSet();
  });
  const documents = () => set.versions.map(({ document }) => document);

  it('are at least 28, five of them in Japanese, six with earlier versions', () => {
    const ids = new Set(documents().map(({ docId }) => docId));
    const japanese = documents().filter(({ language }) => language === 'ja');
    const versioned = documents().filter(({ docVersion }) => docVersion.startsWith('2-'));
    assert.ok(ids.size >= 28);
    assert.ok(new Set(japanese.map(({ docId }) => docId)).size >= 5);
    assert.ok(versioned.length >= 6);
  });

  it('follow one another without a gap', () => {
    const byId = new Map<string, (readonly [from: string | null, to: string | null])[]>();
    for (const { docId, effectiveFrom, effectiveTo } of documents())
      byId.set(docId, [...(byId.get(docId) ?? []), [effectiveFrom, effectiveTo]]);
    for (const [id, periods] of byId) {
      for (const [index, [, to]] of periods.entries()) {
        assert.equal(to, periods[index + 1]?.[0] ?? null, id);
      }
    }
  });

  it('cover what was asked for by name', () => {
    const kinds = new Set(documents().map(({ kind }) => kind));
    for (const kind of ['returns', 'cancellations', 'pre-orders', 'digital-vs-physical'])
      assert.ok(kinds.has(kind));
  });
});
