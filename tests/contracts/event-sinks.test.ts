import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createKinesisStream } from '../../adapters/kinesis/event-stream.ts';
import { openRedisReader } from '../../adapters/redis/event-reader.ts';
import { createRedisStream } from '../../adapters/redis/event-stream.ts';
import type { EventSink, PublishedEvent } from '../../domain/events.ts';
import { startKinesis } from '../events/kinesis-server.ts';
import { openEvents, outgoing, SHOP } from '../events/room.ts';
import { redisUrl } from '../support/skip.ts';
import { until } from '../support/until.ts';

type Seen = {
  readonly tenant: string;
  readonly event_id: string;
  readonly key: string;
  readonly position: number;
};

/** A place that events go to, and what its readers find there. */
type Place = {
  readonly sink: EventSink;
  /** All that is there, in an order that keeps that of each tenant and key. */
  seen(): Promise<readonly Seen[]>;
  close(): Promise<void>;
};

/** Positions 1 … n of two shops, over seven keys that both have. */
function published(n: number, more: Partial<PublishedEvent> = {}): readonly PublishedEvent[] {
  return Array.from({ length: n }, (_, i) => ({
    ...outgoing(`e${i}`, { key: `o_${i % 7}`, payload: { order_id: `o_${i % 7}`, intent_id: `i_${i}` } }),
    tenant: i % 2 === 0 ? SHOP : 'other',
    position: i + 1,
    ...more,
  }));
}

function describePlace(name: string, open: (context: Mocha.Context) => Promise<Place>): void {
  describe(`the event sink ${name}`, () => {
    let place: Place;
    beforeEach(async function () {
      place = await open(this);
    });
    afterEach(() => place.close());

    /** First appearances: what a consumer that dedupes by tenant and event id deals with. */
    const deduped = async () => {
      const first = new Map<string, Seen>();
      for (const one of await place.seen()) {
        const id = JSON.stringify([one.tenant, one.event_id]);
        if (!first.has(id)) first.set(id, one);
      }
      return [...first.values()];
    };

    it('takes every event once, and tells all of it', async () => {
      const events = published(500);
      await place.sink.publish(events);
      const seen = await place.seen();
      assert.deepEqual(
        seen.map(({ position }) => position).toSorted((a, b) => a - b),
        events.map(({ position }) => position),
      );
      const { eventId, ...said } = events[11] ?? assert.fail();
      assert.deepEqual(
        seen.find(({ position }) => position === said.position),
        { ...said, event_id: eventId },
      );
    });

    it('keeps the order of each tenant and key', async () => {
      await place.sink.publish(published(500));
      await place.sink.publish(published(700).slice(500));
      const seen = await place.seen();
      for (const tenant of [SHOP, 'other']) {
        for (const key of new Set(seen.map((one) => one.key))) {
          const own = seen.filter((one) => one.tenant === tenant && one.key === key);
          assert.deepEqual(
            own.map(({ position }) => position),
            own.map(({ position }) => position).toSorted((a, b) => a - b),
          );
        }
      }
    });

    it('lets a consumer that dedupes see each event once, in order, though a page came again', async () => {
      await place.sink.publish(published(60));
      await place.sink.publish(published(90).slice(40));
      const seen = await deduped();
      assert.equal(seen.length, 90);
      for (const key of new Set(seen.map((one) => one.key))) {
        const own = seen
          .filter((one) => one.tenant === SHOP && one.key === key)
          .map(({ position }) => position);
        assert.deepEqual(
          own,
          own.toSorted((a, b) => a - b),
        );
      }
    });

    it('takes the same event id of two tenants', async () => {
      const [one, two] = published(2, { eventId: 'same' });
      assert.ok(one && two);
      await place.sink.publish([one, two]);
      assert.equal((await deduped()).length, 2);
    });

    it('takes nothing without complaint', async () => {
      await place.sink.publish([]);
      assert.equal((await place.seen()).length, 0);
    });

    it('takes what is large, odd and foreign', async () => {
      const order_id = `${'長い'.repeat(40_000)}\u0000"\n`;
      await place.sink.publish(
        published(3, { key: `鍵 :${'x'.repeat(390)}`, payload: { order_id, intent_id: 'i_1' } }),
      );
      assert.equal((await deduped()).length, 3);
    });
  });
}

type RedisPlace = Place & { readonly stream: string; readonly url: string };

async function redisPlace(context: Mocha.Context, maxLength = 10_000): Promise<RedisPlace> {
  const url = redisUrl(context);
  const stream = `test-events-${randomUUID()}`;
  const redis = new Redis(url);
  const sink = createRedisStream({ url, stream, maxLength });
  return {
    url,
    stream,
    sink,
    seen: async () => (await redis.xrange(stream, '-', '+')).map(([, fields]) => JSON.parse(fields[5] ?? '')),
    async close() {
      await sink.close();
      await redis.del(stream);
      redis.disconnect();
    },
  };
}

async function kinesisPlace() {
  const server = await startKinesis('events');
  const sink = createKinesisStream({
    stream: 'events',
    region: 'eu-central-1',
    endpoint: server.endpoint,
    pauseMs: 1,
  });
  return {
    sink,
    server,
    seen: async () =>
      server.shards().flatMap((records) =>
        // What the server holds is what the sink wrote.
        records.map(({ event }) => event as Seen),
      ),
    close: async () => {
      await sink.close();
      await server.close();
    },
  };
}

/** What is in the log of Postgres came from the outbox; this sink takes that way, one transaction for each event. */
async function postgresPlace(): Promise<Place> {
  const events = await openEvents();
  await events.dispatch();
  return {
    sink: {
      name: 'postgres',
      publish: async (batch) => {
        for (const { tenant, position: _, ...event } of batch) await events.publish([event], tenant);
        const { rows } = await events.pools.system.query<{ n: number }>(
          'select count(*)::int as n from event_outbox',
        );
        await until(async () => (await events.all()).length === rows[0]?.n, 'all to be in the log');
      },
      close: async () => undefined,
    },
    seen: async () => (await events.all()).map(({ eventId, ...event }) => ({ ...event, event_id: eventId })),
    close: () => events.close(),
  };
}

describePlace('in Postgres', postgresPlace);
describePlace('on Redis Streams', redisPlace);
describePlace('on Kinesis', async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  return kinesisPlace();
});

describe('the event sink on Redis Streams, alone', () => {
  let place: RedisPlace;
  beforeEach(async function () {
    place = await redisPlace(this);
  });
  afterEach(() => place.close());

  it('has an event that came again once', async () => {
    await place.sink.publish(published(60));
    await place.sink.publish(published(90).slice(40));
    assert.equal((await place.seen()).length, 90);
  });

  it('refuses to mix two logs in one stream, and adds nothing', async () => {
    await place.sink.publish(published(10));
    await assert.rejects(place.sink.publish(published(12, { eventId: 'of another log' })), /OTHERLOG/);
    assert.equal((await place.seen()).length, 10);
  });

  it('forgets the oldest beyond its length, and keeps the newest', async () => {
    const small = createRedisStream({ url: place.url, stream: place.stream, maxLength: 100 });
    for (let from = 0; from < 2_000; from += 200)
      await small.publish(published(2_000).slice(from, from + 200));
    await small.close();
    const seen = await place.seen();
    assert.ok(seen.length < 500);
    assert.equal(seen.at(-1)?.position, 2_000);
  });

  it('lets a group share the events, and take over what a member left unacknowledged', async () => {
    await place.sink.publish(published(30));
    const member = (consumer: string) =>
      openRedisReader({ url: place.url, stream: place.stream, group: 'g', consumer, abandonedMs: 1 });
    const [one, two] = [await member('one'), await member('two')];
    const lost = await one.read(10, 10);
    assert.equal(lost.length, 10);
    await one.close();
    const taken: unknown[] = [];
    for (let page = await two.read(10, 10); page.length > 0; page = await two.read(10, 10)) {
      taken.push(...page.map(({ event }) => event['position']));
      await two.acknowledge(page);
    }
    assert.deepEqual(new Set(taken), new Set(published(30).map(({ position }) => position)));
    await two.close();
  });

  it('shows a reader again what it took and did not acknowledge', async () => {
    await place.sink.publish(published(3));
    const reader = await openRedisReader({
      url: place.url,
      stream: place.stream,
      group: 'g',
      consumer: 'one',
    });
    assert.deepEqual(await reader.read(10, 10), await reader.read(10, 10));
    await reader.close();
  });
});

describe('the event sink on Kinesis, alone', () => {
  let place: Awaited<ReturnType<typeof kinesisPlace>>;
  beforeEach(async () => {
    process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
    process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
    place = await kinesisPlace();
  });
  afterEach(() => place.close());

  const positionsOf = async (key: string) =>
    (await place.seen())
      .filter((one) => one.tenant === SHOP && one.key === key)
      .map(({ position }) => position);

  it('keeps the order of a key when single records are refused', async () => {
    const refused = (index: number) =>
      index % 3 === 0 ? ('ProvisionedThroughputExceededException' as const) : undefined;
    place.server.next({ refused }, { refused }, { refused: () => 'InternalFailure' });
    await place.sink.publish(published(100));
    assert.equal((await place.seen()).length, 100);
    for (const key of ['o_0', 'o_1', 'o_6']) {
      const positions = await positionsOf(key);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
    }
  });

  it('sends again what was refused, and that alone', async () => {
    place.server.next({ refused: (index) => (index === 1 ? 'InternalFailure' : undefined) });
    await place.sink.publish(published(7));
    assert.deepEqual(place.server.calls, [7, 1]);
  });

  it('gives up, without a hole, when records are refused for good', async () => {
    const refused = () => 'ProvisionedThroughputExceededException' as const;
    place.server.next(...Array.from({ length: 20 }, () => ({ refused })));
    await assert.rejects(place.sink.publish(published(30)), /ProvisionedThroughputExceeded/);
    assert.equal((await place.seen()).length, 0);
  });

  for (const [what, trouble] of [
    ['the call is throttled', { status: 400, type: 'ProvisionedThroughputExceededException' }],
    ['the service is ill', { status: 500, type: 'InternalFailure' }],
    ['the connection breaks', 'hang up'],
    ['the answer is lost', 'lose the answer'],
  ] as const) {
    it(`loses nothing when ${what}`, async () => {
      place.server.next(trouble);
      await place.sink.publish(published(14));
      assert.equal(new Set((await place.seen()).map(({ position }) => position)).size, 14);
    });
  }

  it('keeps within what one call may carry', async () => {
    const keys = Array.from({ length: 900 }, (_, i) => `k_${i}`);
    await place.sink.publish(published(900).map((event, i) => ({ ...event, key: keys[i] ?? '' })));
    assert.deepEqual(place.server.calls, [500, 400]);
  });

  it('says so when there is no such stream', async () => {
    const { endpoint } = place.server;
    const other = createKinesisStream({ stream: 'nowhere', region: 'eu-central-1', endpoint });
    await assert.rejects(other.publish(published(1)), { name: 'ResourceNotFoundException' });
    await other.close();
  });
});
