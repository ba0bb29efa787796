import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Chunk, EmbeddedChunk, PolicyIndex, PolicyQuery, SearchMode } from '../domain/policies.ts';
import { openEmbeddedIndex } from '../policy-index/embedded/embedded-index.ts';
import { openOpenSearchIndex } from '../policy-index/opensearch/opensearch-index.ts';
import { beside, quantile, type Row } from './report.ts';

const SIZES = [1_000, 10_000, 100_000];
const DIMENSIONS = 384;
const WORDS = 150;
const VOCABULARY = 20_000;
const CLUSTERS = 200;
const BATCH = 1_000;
const QUESTIONS = 200;
const QUESTION_WORDS = 6;
const EMBEDDER = 'bench/384';
const MODES = ['bm25', 'knn', 'hybrid'] as const;
const AT = '2026-11-21T00:00:00Z';

/**
 * How fast chunks are taken in and found, without embedding and reranking, in both engines and three sizes. Texts are
 * of 150 words by Zipf's law, vectors in clusters. Without an OpenSearch its rows are left out.
 */
export async function benchPolicies(
  log: (line: string) => void,
  opensearchUrl = process.env['TEST_OPENSEARCH_URL'] ?? process.env['OPENSEARCH_TEST_URL'],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const size of SIZES) {
    log(`embedded, ${size} chunks`);
    const folder = mkdtempSync(join(tmpdir(), 'policy-bench-'));
    rows.push(...(await measure('embedded', openEmbeddedIndex({ folder }), size)));
    rmSync(folder, { recursive: true, force: true });
    if (opensearchUrl === undefined) continue;
    log(`OpenSearch, ${size} chunks`);
    rows.push(...(await measure('OpenSearch', openOpenSearchIndex({ url: opensearchUrl }), size)));
  }
  return rows;
}

async function measure(engine: string, index: PolicyIndex, size: number): Promise<readonly Row[]> {
  const name = `policy-bench-${randomUUID().slice(0, 8)}`;
  const before = process.memoryUsage().rss;
  try {
    const start = performance.now();
    let embeddingMs = 0;
    await index.openBuild(name, { embedder: EMBEDDER, dimensions: DIMENSIONS, chunker: 'bench' });
    const random = dice(size);
    for (let at = 0; at < size; at += BATCH) {
      const made = performance.now();
      const batch = Array.from({ length: BATCH }, (_, i) => chunkOf(at + i, random));
      embeddingMs += performance.now() - made;
      await index.add(name, batch, AT);
    }
    await index.seal(name);
    const seconds = (performance.now() - start - embeddingMs) / 1000;
    const held = (process.memoryUsage().rss - before) / 2 ** 20;
    const times = await answerTimes(index, name);
    return [
      { name: `${engine}, ${size}: ingest`, value: size / seconds, unit: 'chunks/s' },
      ...MODES.flatMap((mode) => timeRows(engine, size, mode, times)),
      // A server's memory is its own; here it is what this process grew by, its garbage included.
      ...(engine === 'embedded' ? [{ name: `${engine}, ${size}: memory`, value: held, unit: 'MB' }] : []),
    ];
  } finally {
    await index.drop(name);
    await index.close();
  }
}

type Times = Readonly<Record<SearchMode, readonly number[]>>;

/** The three modes alternate, so that a busy second falls on all of them. */
async function answerTimes(index: PolicyIndex, name: string): Promise<Times> {
  const times: Record<SearchMode, number[]> = { bm25: [], knn: [], hybrid: [] };
  const random = dice(7);
  for (let i = -QUESTIONS / 4; i < QUESTIONS; i += 1) {
    const embedding = { vector: vectorOf(random), embedder: EMBEDDER };
    const text = textOf(QUESTION_WORDS, random);
    for (const mode of MODES) {
      const filter = { tenant: 'bench', audiences: ['customer'], effectiveAt: AT } as const;
      const query: PolicyQuery = { text, embedding, mode, filter, k: 10 };
      const start = performance.now();
      await index.search(name, query);
      // The first quarter warms caches and compilers.
      if (i >= 0) times[mode].push(performance.now() - start);
    }
  }
  return times;
}

function timeRows(engine: string, size: number, mode: SearchMode, times: Times): readonly Row[] {
  const name = `${engine}, ${size}: ${mode}`;
  const [p50, p99] = [quantile(times[mode], 0.5), quantile(times[mode], 0.99)];
  const median = { name: `${name} p50`, value: p50, unit: 'ms' };
  const limit = engine === 'embedded' && size === 10_000 ? { atMost: 50 } : {};
  const slowest = { name: `${name} p99`, value: p99, unit: 'ms', ...limit };
  if (mode !== 'hybrid') return [median, slowest];
  const target = engine === 'OpenSearch' ? { atMost: 2.5 } : {};
  const floor = quantile(times.bm25, 0.5);
  return [beside({ ...median, floor, floorName: 'bm25', ...target }), slowest];
}

type Dice = () => number;

function dice(seed: number): Dice {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

function chunkOf(number: number, random: Dice): EmbeddedChunk {
  const text = textOf(WORDS, random);
  const chunk: Chunk = {
    id: `chunk-${number}`,
    tenant: 'bench',
    docId: `doc-${Math.floor(number / 10)}`,
    docVersion: '1-bench',
    title: 'Bench',
    sourceUrl: 'https://shop.example/bench',
    kind: 'bench',
    audience: 'customer',
    language: 'en',
    effectiveFrom: null,
    effectiveTo: null,
    ordinal: number % 10,
    start: 0,
    end: text.length,
    headingPath: [],
    text,
    indexText: text,
  };
  return { chunk, vector: vectorOf(random) };
}

/** Word `n` comes about once in `n` words. */
function textOf(words: number, random: Dice): string {
  return Array.from({ length: words }, () => `w${Math.floor(VOCABULARY ** random())}x`).join(' ');
}

function vectorOf(random: Dice): Float32Array {
  const centre = dice(1 + Math.floor(random() * CLUSTERS));
  return Float32Array.from({ length: DIMENSIONS }, () => centre() - 0.5 + (random() - 0.5) * 0.8);
}
