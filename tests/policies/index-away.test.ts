import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createPolicyRegistry } from '../../adapters/postgres/policy-registry.ts';
import { openOpenSearchIndex } from '../../policy-index/opensearch/opensearch-index.ts';
import { startStack, type Stack } from '../gateway/stack.ts';
import { openSession, type RawSession } from '../gateway/wire.ts';
import { opensearchUrl } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { policy } from './support.ts';

const TEXT = 'You may return a book within 30 days of delivery. Write to us first.';
const ANSWER = z.object({
  structuredContent: z.object({
    status: z.string(),
    message: z.string(),
    passages: z.array(z.object({ text: z.string() })),
    index: z.object({ build: z.string(), mode: z.string(), stale: z.boolean() }),
  }),
});

/** A wire to a server that can be cut, or left hanging, and mended. */
async function wireTo(url: string) {
  const { hostname, port } = new URL(url);
  let state: 'whole' | 'cut' | 'hung' = 'whole';
  const open = new Set<Socket>();
  const server: Server = createServer((near) => {
    open.add(near);
    near.on('error', () => undefined);
    near.once('close', () => open.delete(near));
    if (state === 'cut') return near.destroy();
    if (state === 'hung') return undefined;
    const far = connect(Number(port), hostname);
    far.on('error', () => near.destroy());
    near.once('close', () => far.destroy());
    near.pipe(far).pipe(near);
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address of this kind.
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    become: (next: typeof state) => {
      state = next;
      for (const socket of open) socket.destroy();
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The product on a real OpenSearch that goes away. */
describe('policies while OpenSearch is away', function () {
  this.timeout(180_000);
  let stack: Stack;
  let session: RawSession;
  let folder: string;
  let wire: Awaited<ReturnType<typeof wireTo>>;
  let opensearch: string;
  before(async function () {
    opensearch = opensearchUrl(this);
    wire = await wireTo(opensearch);
    folder = await mkdtemp(join(tmpdir(), 'policies-'));
    await mkdir(join(folder, 'manga'));
    await writeFile(join(folder, 'manga', 'returns.md'), policy(TEXT, { effective_from: '2026-01-01' }));
    stack = await startStack({
      env: { POLICY_FOLDER: folder, OPENSEARCH_URL: wire.url, POLICY_EMBEDDER: 'lsa' },
    });
    session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
    const registry = createPolicyRegistry(stack.db.pools);
    await until(
      async () => (await registry.publications()).some(({ state }) => state === 'live'),
      'the first publication',
    );
  });
  after(async () => {
    if (stack === undefined) return;
    await stack.stop();
    await wire.close();
    const index = openOpenSearchIndex({ url: opensearch });
    for (const { name } of await index.builds())
      if (/^policy-(record-)?v\d+$/.test(name)) await fetch(`${opensearch}/${name}`, { method: 'DELETE' });
    await index.close();
    await rm(folder, { recursive: true, force: true });
  });

  let asked = 0;
  const ask = async () => {
    // Never from the cache.
    const question = `How many days do I have to return a book? (${(asked += 1)})`;
    const began = performance.now();
    const { result } = await session.ask('tools/call', { name: 'search_policies', arguments: { question } });
    return { ...ANSWER.parse(result).structuredContent, ms: performance.now() - began };
  };

  it('are found in it while it is there', async () => {
    const { passages, index } = await ask();
    assert.equal(passages[0]?.text.trim(), TEXT);
    assert.deepEqual([index.mode, index.stale], ['hybrid', false]);
  });

  for (const how of ['cut', 'hung'] as const) {
    it(`are found in a copy, by words alone, and said to be, while it is ${how}; and in it again afterwards`, async () => {
      wire.become(how);
      for (let times = 0; times < 3; times += 1) {
        const { passages, index, message, ms } = await ask();
        assert.equal(passages[0]?.text.trim(), TEXT);
        assert.deepEqual([index.mode, index.stale], ['lexical', true]);
        assert.match(message, /./);
        assert.ok(ms < 15_000, `${ms} ms`);
      }
      wire.become('whole');
      await until(async () => !(await ask()).index.stale, 'the index to be used again');
    });
  }
});
