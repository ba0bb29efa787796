import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PolicyIndexError, type PolicyQuery } from '../../domain/policies.ts';
import { ANALYSIS_VERSION } from '../../policy-index/analysis.ts';
import { openOpenSearchIndex } from '../../policy-index/opensearch/opensearch-index.ts';

const META = {
  made_by: 'countersign',
  fingerprint: { embedder: 'test/3', dimensions: 3, chunker: 'test' },
  analysis: ANALYSIS_VERSION,
  created_at: '2026-11-21T00:00:00Z',
  sealed: true,
  chunks: 100_000,
};
const QUERY: PolicyQuery = {
  text: 'refund',
  embedding: { vector: Float32Array.from([1, 0, 0]), embedder: 'test/3' },
  mode: 'hybrid',
  filter: { tenant: 'shop-a', audiences: ['customer'], effectiveAt: '2026-11-21T00:00:00Z' },
  k: 10,
};
const NONE = { status: 200, hits: { hits: [] } };

/** Class of defect: half of an answer passes for the whole of it. */
describe('A large build in OpenSearch, asked for both sides at once', () => {
  let server: Server;
  let sides: readonly object[];
  const asked: string[] = [];
  before((done) => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const isSides = request.url?.includes('_msearch') === true;
      const body = isSides ? { responses: sides } : { 'policy-test': { mappings: { _meta: META } } };
      response.setHeader('content-type', 'application/json');
      request.resume().on('end', () => response.end(JSON.stringify(body)));
    }).listen(0, '127.0.0.1', done);
  });
  after(() => server.close());
  const search = async () => {
    // Set by listen() on a port.
    const { port } = server.address() as AddressInfo;
    const index = openOpenSearchIndex({ url: `http://127.0.0.1:${port}` });
    try {
      return await index.search('policy-test', QUERY);
    } finally {
      await index.close();
    }
  };

  it('finds nothing where neither finds anything, and reads nothing', async () => {
    sides = [NONE, NONE];
    asked.length = 0;
    assert.deepEqual((await search()).hits, []);
    assert.deepEqual(
      asked.map((url) => url.replace(/\?.*/, '')),
      ['/policy-test', '/policy-test/_msearch'],
    );
  });

  for (const place of [0, 1])
    it(`is out of reach when side ${place} has no room`, async () => {
      sides = [0, 1].map((one) =>
        one === place ? { status: 429, error: { type: 'circuit_breaking_exception' } } : NONE,
      );
      await assert.rejects(
        search(),
        (error: unknown) => error instanceof PolicyIndexError && error.problem === 'unreachable',
      );
    });

  it('fails when a side fails', async () => {
    sides = [NONE, { status: 400, error: { type: 'search_phase_execution_exception' } }];
    await assert.rejects(search(), /400: search_phase_execution_exception/);
  });
});
