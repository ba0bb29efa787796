import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createCache, type CacheOptions } from '../../activities/cached-read.ts';
import { openRedisCache, type RedisCache } from '../../adapters/redis/redis-cache.ts';
import type { CacheEvent, CacheKey } from '../../domain/cache.ts';
import { freePort } from '../../platform/ports.ts';
import { skip } from '../support/skip.ts';

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error('It did not come true within 10 s.');
    await pause(10);
  }
}

async function startRedis(port: number): Promise<ChildProcess> {
  const quiet = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'];
  const server = spawn('redis-server', ['--port', `${port}`, ...quiet], { stdio: 'ignore' });
  await until(
    () =>
      spawnSync('redis-cli', ['-p', `${port}`, 'ping'])
        .stdout.toString()
        .trim() === 'PONG',
  );
  return server;
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}

describe('cached reads while Redis fails', () => {
  let port: number;
  let server: ChildProcess;
  let store: RedisCache;
  let key: CacheKey;
  let loads: number;
  let truth: string;
  let counts: Map<CacheEvent, number>;
  let news: boolean[];

  before(async function () {
    if (spawnSync('redis-server', ['--version']).status !== 0)
      skip(this, 'no redis-server on the PATH to stop and kill');
    port = await freePort(0, '127.0.0.1');
  });
  beforeEach(async () => {
    server = await startRedis(port);
    store = await openRedisCache({ url: `redis://127.0.0.1:${port}` });
    key = { tenant: `test-${randomUUID()}`, kind: 'stock_level', parts: ['BER42', 42] };
    [loads, truth, counts, news] = [0, 'old', new Map<CacheEvent, number>(), []];
  });
  afterEach(async () => {
    await store.close();
    await kill(server);
  });

  const load = async () => {
    loads += 1;
    return truth;
  };
  const engine = (options: Partial<CacheOptions> = {}) =>
    createCache({
      store,
      random: () => 0,
      breaker: { retryAfterMs: 100 },
      metrics: { count: (event) => counts.set(event, (counts.get(event) ?? 0) + 1) },
      onStoreChange: (isAvailable) => news.push(isAvailable),
      ...options,
    });

  it('answers while Redis hangs, asks it three times and then leaves it alone', async () => {
    const cache = engine({ breaker: { retryAfterMs: 60_000 } });
    server.kill('SIGSTOP');
    for (let i = 0; i < 100; i += 1) assert.equal((await cache.read(key, load)).value, 'old');
    assert.deepEqual([counts.get('store_error'), counts.get('bypass'), news], [3, 100, [false]]);
  });

  it('answers 10,000 concurrent callers while Redis hangs, with two loads', async () => {
    server.kill('SIGSTOP');
    const cache = engine();
    const answers = await Promise.all(times(10_000, () => cache.read(key, load)));
    assert.ok(answers.every(({ value }) => value === 'old'));
    assert.ok(loads <= 2, `${loads} loads`);
  });

  it('waits for a hanging Redis no longer than its timeouts', async () => {
    server.kill('SIGSTOP');
    const slowest = await Promise.race([engine().read(key, load), pause(2000, 'too slow')]);
    assert.notEqual(slowest, 'too slow');
  });

  it('caches again by itself when Redis goes on', async () => {
    const cache = engine();
    server.kill('SIGSTOP');
    for (let i = 0; i < 5; i += 1) await cache.read(key, load);
    server.kill('SIGCONT');
    await until(async () => (await cache.read(key, load)).cache.hit);
    assert.deepEqual(news, [false, true]);
  });

  it('goes on while Redis is dead, and caches again when it is back', async () => {
    const cache = engine();
    await cache.read(key, load);
    await kill(server);
    for (let i = 0; i < 50; i += 1) {
      assert.deepEqual((await cache.read(key, load)).cache, { hit: false, age_s: 0, ttl_s: 0 });
    }
    server = await startRedis(port);
    await until(async () => (await cache.read(key, load)).cache.hit);
  });

  it('starts without a Redis and finds it later', async () => {
    await store.close();
    await kill(server);
    store = await openRedisCache({ url: `redis://127.0.0.1:${port}` });
    const cache = engine();
    assert.equal((await cache.read(key, load)).value, 'old');
    server = await startRedis(port);
    await until(async () => (await cache.read(key, load)).cache.hit);
  });

  it('keeps nothing that Redis heard of too late', async () => {
    const cache = engine();
    const limits = { maxAgeSeconds: () => 0.4 };
    // Redis stops after it handed out the ticket; the entry waits in its socket while the life of it passes.
    await cache.read(key, async () => load().finally(() => server.kill('SIGSTOP')), limits);
    truth = 'new';
    await pause(500);
    server.kill('SIGCONT');
    await until(async () => {
      const { value, cache: facts } = await cache.read(key, load, limits);
      assert.equal(value, 'new');
      return facts.hit;
    });
  });

  it('never serves the old value to those who invalidated it while Redis was away', async () => {
    const cache = engine();
    await cache.read(key, load);
    server.kill('SIGSTOP');
    truth = 'new';
    await cache.invalidate(key);
    assert.equal((await cache.read(key, load)).value, 'new');
    server.kill('SIGCONT');
    await until(async () => {
      const { value, cache: facts } = await cache.read(key, load);
      assert.equal(value, 'new');
      return facts.hit;
    });
  });

  it('reads from the primary what it could not invalidate', async () => {
    const hints = new Array<boolean | undefined>();
    const cache = engine();
    server.kill('SIGSTOP');
    await cache.invalidate(key);
    for (let i = 0; i < 3; i += 1) {
      await cache.read(key, async (hint) => {
        hints.push(hint?.preferPrimary);
        return truth;
      });
    }
    assert.deepEqual(hints, [true, true, true]);
  });

  it('makes an owed invalidation good for everyone at the next read', async () => {
    const cache = engine();
    await cache.read(key, load);
    server.kill('SIGSTOP');
    truth = 'new';
    await cache.invalidate(key);
    server.kill('SIGCONT');
    await until(async () => (await cache.read(key, load)).cache.hit);
    assert.equal((await engine().read(key, load)).value, 'new');
  });

  it('drops a connection that hangs, so that no commands pile up on it', async () => {
    const errors = new Array<string>();
    await store.close();
    store = await openRedisCache({
      url: `redis://127.0.0.1:${port}`,
      onError: ({ message }) => errors.push(message),
    });
    const cache = engine();
    server.kill('SIGSTOP');
    await until(async () => {
      await cache.read(key, load);
      return errors.some((message) => message.startsWith('Socket timeout'));
    });
    server.kill('SIGCONT');
    await until(async () => (await cache.read(key, load)).cache.hit);
  });
});

describe('cached reads while connections to Redis are reset', () => {
  const sockets = new Set<Socket>();
  let server: ChildProcess;
  let proxy: Server;
  let store: RedisCache;

  before(async function () {
    if (spawnSync('redis-server', ['--version']).status !== 0)
      skip(this, 'no redis-server on the PATH to stop and kill');
    const port = await freePort(0, '127.0.0.1');
    server = await startRedis(port);
    proxy = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('error', () => to.destroy()).on('close', () => (sockets.delete(from), to.destroy()));
        from.pipe(to);
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    // An address of a TCP server is never a pipe's name.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const { port: proxied } = proxy.address() as AddressInfo;
    store = await openRedisCache({ url: `redis://127.0.0.1:${proxied}` });
  });
  after(async () => {
    await store?.close();
    for (const socket of sockets) socket.destroy();
    proxy?.close();
    if (server) await kill(server);
  });

  it('answers every read with a value of its own key, and recovers', async () => {
    const cache = createCache({ store, breaker: { retryAfterMs: 20 } });
    const keys = times(20, (i): CacheKey => ({ tenant: 'reset', kind: 'stock_level', parts: [i] }));
    for (let round = 0; round < 40; round += 1) {
      const answers = keys.map((key, i) => cache.read(key, async () => i, { maxAgeSeconds: () => 0.05 }));
      for (const socket of sockets) socket.resetAndDestroy();
      assert.deepEqual(
        (await Promise.all(answers)).map(({ value }) => value),
        times(20, (i) => i),
      );
      await pause(5);
    }
    const key: CacheKey = { tenant: 'reset', kind: 'stock_level', parts: ['after'] };
    await until(async () => (await cache.read(key, async () => 'x')).cache.hit);
  });
});
