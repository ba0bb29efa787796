import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { stockCheckEvent } from '../../catalog/events/stock-check-event.ts';
import { createEventLog } from '../../adapters/postgres/event-log.ts';
import type { JsonObject } from '../../domain/json.ts';
import { eventually } from '../chaos/eventually.ts';
import { type OwnRedis, ownRedis } from '../chaos/servers.ts';
import { skip } from '../support/skip.ts';
import { type Stack, startStack } from './stack.ts';

const STREAM = 'events-of-the-shops';
const EVENT = z.object({ position: z.int(), topic: z.string(), payload: z.record(z.string(), z.json()) });
const MISS = z.object({ cache: z.object({ hit: z.literal(false) }) });

/** Class of defect: an answer that waits for the stream, or fails with it, and an event that is lost with it (G-EVT-03). */
describe('check_stock while the stream of events is away', function () {
  this.timeout(180_000);
  let folder: string;
  let redis: OwnRedis;
  let stack: Stack;
  let client: Client;
  before(async function () {
    folder = mkdtempSync(join(tmpdir(), 'countersign-stream-'));
    redis = (await ownRedis(folder)) ?? skip(this, 'no redis-server on the PATH');
    stack = await startStack({
      env: { EVENT_STREAM: 'redis', EVENT_STREAM_NAME: STREAM, EVENT_STREAM_REDIS_URL: redis.url },
    });
    client = new Client({ name: 'test', version: '1' });
    const headers = { authorization: `Bearer ${await stack.mint('supply_chain_manager')}` };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${stack.url}/mcp`), { requestInit: { headers } }),
    );
  });
  after(async () => {
    await client?.close();
    await stack?.stop();
    await redis?.start();
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** One after the other, each of something that is not in the cache. */
  async function check(volumes: readonly number[]): Promise<void> {
    for (const volume_number of volumes) {
      const { isError, content, structuredContent } = await client.callTool({
        name: 'check_stock',
        arguments: { manga_id: 'BER42', volume_number },
      });
      assert.notEqual(isError, true, JSON.stringify(content));
      MISS.parse(structuredContent);
    }
  }
  const streamed = async () => {
    const reader = new Redis(redis.url);
    try {
      const entries = await reader.xrange(STREAM, '-', '+');
      return entries.map(([, fields]) => EVENT.parse(JSON.parse(fields[fields.indexOf('event') + 1] ?? '')));
    } finally {
      reader.disconnect();
    }
  };
  const volumesIn = (events: readonly { readonly topic: string; readonly payload: JsonObject }[]) =>
    events
      .filter(({ topic }) => topic === 'stock_check_event')
      .map(({ payload }) => stockCheckEvent.payload.parse(payload).volume_number);
  const logged = async () => createEventLog(stack.db.pools).read(0, 100_000);

  for (const [how, first] of [
    ['gone', 1],
    ['hung', 20],
  ] as const) {
    it(`answers while it is ${how}, and every event is in it afterwards, once and in order`, async () => {
      const before = [first];
      const meanwhile = [1, 2, 3, 4, 5, 6].map((n) => first + n);
      const afterwards = [first + 7];
      await check(before);
      await eventually('the stream works', async () => volumesIn(await streamed()).includes(first));
      if (how === 'gone') await redis.kill();
      else redis.freeze();

      // It is away until all of them are answered: none of the answers has waited for it.
      await check(meanwhile);
      await eventually('Postgres has them all', async () => {
        const kept = new Set(volumesIn(await logged()));
        return meanwhile.every((n) => kept.has(n));
      });

      await redis.start();
      await check(afterwards);
      await eventually('the stream has caught up', async () =>
        volumesIn(await streamed()).includes(first + 7),
      );
      const events = await streamed();
      assert.deepEqual(
        volumesIn(events).filter((n) => n !== null && n > first),
        [...meanwhile, ...afterwards],
      );
      const from = events[0]?.position ?? 0;
      assert.deepEqual(
        events.map(({ position }) => position),
        (await logged()).map(({ position }) => position).filter((position) => position >= from),
      );
    });
  }
});
