import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createEventLog } from '../../adapters/postgres/event-log.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { openPools } from '../../adapters/postgres/pools.ts';
import { createRedisStream } from '../../adapters/redis/event-stream.ts';
import { createLog } from '../../platform/log.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { ownPostgres, ownRedis } from '../chaos/servers.ts';
import { skip } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { memory, openEvents, outgoing, publish } from './room.ts';

/** Servers that die under the dispatcher, in this file each a server of its own. */
describe('when a server is away', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-events-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('every event that Postgres acknowledged is delivered after it was killed', async () => {
    const postgres = await ownPostgres(folder);
    await migrate(postgres.url);
    const pools = await openPools({
      writeUrl: postgres.url,
      readPoolSize: 1,
      writePoolSize: 4,
      superuserLogin: 'allowed',
    });
    const { seen, reaction } = memory('one');
    const dispatcher = startDispatcher({
      pools,
      reactions: [reaction],
      sinks: [],
      log: createLog({ level: 'silent' }),
      pollMs: 20,
    });
    try {
      const acknowledged: string[] = [];
      let isWriting = true;
      const writing = (async () => {
        for (let i = 0; isWriting; i += 1) {
          const done = await publish(pools, [outgoing(`e${i}`, { key: `o_${i % 5}` })]).then(
            () => true,
            () => false,
          );
          if (done) acknowledged.push(`e${i}`);
        }
      })();
      for (let i = 0; i < 2; i += 1) {
        const before = seen.length;
        await until(async () => seen.length > before + 20, 'some to be delivered');
        await postgres.kill();
        await postgres.start();
      }
      const before = seen.length;
      await until(async () => seen.length > before + 20, 'it to go on');
      isWriting = false;
      await writing;
      const ids = () => new Set(seen.map(({ eventId }) => eventId));
      await until(async () => acknowledged.every((id) => ids().has(id)), 'all that was acknowledged');
      const log = await createEventLog(pools).read(0, 100_000);
      assert.deepEqual(
        log.map(({ position }) => position),
        log.map((_, i) => i + 1),
      );
      assert.equal(new Set(log.map(({ eventId }) => eventId)).size, log.length);
    } finally {
      await dispatcher.stop();
      await pools.close();
      await postgres.remove();
    }
  });

  it('what happened while the stream was away arrives once it is back, and held up nobody', async function () {
    const redis = (await ownRedis(folder)) ?? skip(this, 'no redis-server on the PATH');
    const events = await openEvents();
    const sink = createRedisStream({ url: redis.url, stream: 'events', maxLength: 10_000 });
    try {
      const other = memory('other');
      await events.dispatch([other.reaction], [sink]);
      await redis.kill();
      await events.publish([outgoing('a'), outgoing('b')]);
      await until(async () => other.seen.length === 2, 'the other consumer');
      assert.equal(await events.log.cursor('sink:redis'), 0);
      await redis.start();
      await until(async () => (await events.log.cursor('sink:redis')) === 2, 'the stream');
      const reader = new Redis(redis.url);
      assert.deepEqual(
        (await reader.xrange('events', '-', '+')).map(([id]) => id),
        ['1-0', '2-0'],
      );
      reader.disconnect();
    } finally {
      await sink.close();
      await events.close();
      await redis.kill();
    }
  });
});
