import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mean, overlapAt } from '../../evals/policies/measures.ts';
import { EVAL_FILTER, sharedQuestionSet, type QuestionSet } from '../../evals/policies/question-set.ts';
import { ask, buildFor, stagesWith } from '../../evals/policies/retrieval.ts';
import type { Embedder, PolicyIndex } from '../../domain/policies.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { fitLsa, readLsa } from '../../policy-index/embedders/lsa.ts';
import { openOpenSearchIndex } from '../../policy-index/opensearch/opensearch-index.ts';
import { opensearchUrl, skip } from '../support/skip.ts';

const LEAST_OVERLAP = 0.95;

describe('the embedded policy index beside OpenSearch', () => {
  const name = `policy-test-${randomUUID().slice(0, 8)}`;
  let folder: string;
  let set: QuestionSet;
  let embedder: Embedder;
  let engines: readonly PolicyIndex[] = [];

  before(async function () {
    const url = opensearchUrl(this);
    set = sharedQuestionSet() ?? skip(this, 'no data/retrieval below COUNTERSIGN_SHARED (default ../shared)');
    folder = mkdtempSync(join(tmpdir(), 'policy-parity-'));
    embedder = readLsa(await fitLsa(set.chunks.map(({ indexText }) => indexText)));
    engines = [openEmbeddedIndex({ folder }), openOpenSearchIndex({ url })];
    for (const engine of engines) await buildFor(engine, name, set.chunks, embedder);
  });
  after(async () => {
    for (const engine of engines) {
      await engine.drop(name);
      await engine.close();
    }
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  for (const stage of stagesWith(undefined)) {
    it(`finds the same ten for at least ${LEAST_OVERLAP * 100} % (${stage.name})`, async () => {
      const overlaps: number[] = [];
      for (const { text } of set.questions) {
        const [vector = new Float32Array()] = await embedder.embed([text]);
        const question = { text, vector, embedder: embedder.fingerprint };
        const [one = [], other = []] = await Promise.all(
          engines.map(async (engine) => {
            const hits = await ask(engine, name, stage, question, EVAL_FILTER);
            return hits.map(({ chunk }) => chunk.id);
          }),
        );
        overlaps.push(overlapAt(10, one, other));
      }
      assert.ok(mean(overlaps) >= LEAST_OVERLAP, `${mean(overlaps)}`);
    });
  }

  it('holds the same chunks, by one hash', async () => {
    const [one, other] = await Promise.all(engines.map((engine) => engine.info(name)));
    assert.equal(one?.contentHash, other?.contentHash);
  });
});
