import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mean, overlapAt } from '../../evals/policies/measures.ts';
import { EVAL_FILTER, sharedQuestionSet, type QuestionSet } from '../../evals/policies/question-set.ts';
import { ask, buildFor, type Stage, stagesWith } from '../../evals/policies/retrieval.ts';
import type { Embedder, HitScores, PolicyHit, PolicyIndex } from '../../domain/policies.ts';
import { openEmbeddedIndex } from '../../policy-index/embedded/embedded-index.ts';
import { fitLsa, readLsa } from '../../policy-index/embedders/lsa.ts';
import { openOpenSearchIndex } from '../../policy-index/opensearch/opensearch-index.ts';
import { opensearchUrl, skip } from '../support/skip.ts';

const LEAST_OVERLAP = 0.95;
/** Chunks with equal scores may come in another order. */
const LEAST_FUSED = 0.995;

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

  for (const fusion of ['minmax', 'rrf'] as const) {
    it(`are fused here as there (${fusion})`, async function () {
      const large = openOpenSearchIndex({ url: opensearchUrl(this), pipelineChunks: 0 });
      const overlaps: number[] = [];
      const stage: Stage = { name: fusion, mode: 'hybrid', fusion };
      for (const { text } of set.questions) {
        const [vector = new Float32Array()] = await embedder.embed([text]);
        const question = { text, vector, embedder: embedder.fingerprint };
        const [there = [], here = []] = await Promise.all(
          [engines[1] ?? large, large].map((engine) => ask(engine, name, stage, question, EVAL_FILTER)),
        );
        const ids = (hits: readonly PolicyHit[]) => hits.map(({ chunk }) => chunk.id);
        overlaps.push(overlapAt(10, ids(there), ids(here)));
        // What is found in both says the same of itself.
        for (const { chunk, scores } of here) {
          const same = there.find((hit) => hit.chunk.id === chunk.id);
          if (same) assert.ok(isNear(scores, same.scores), JSON.stringify([scores, same.scores]));
        }
      }
      await large.close();
      assert.ok(mean(overlaps) >= LEAST_FUSED, `${mean(overlaps)}`);
    });
  }

  it('holds the same chunks, by one hash', async () => {
    const [one, other] = await Promise.all(engines.map((engine) => engine.info(name)));
    assert.equal(one?.contentHash, other?.contentHash);
  });
});

function isNear(one: HitScores, other: HitScores): boolean {
  return (['bm25', 'cosine', 'score'] as const).every((name) => {
    const [a, b] = [one[name], other[name]];
    return a === null || b === null ? a === b : Math.abs(a - b) < 1e-4;
  });
}
