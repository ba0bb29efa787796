import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { type McpClient, mcpClient } from './mcp-client.ts';
import { beside, type Row } from './report.ts';
import { type Server, type Stack, startServer } from './stack.ts';

const MEMORY_CALLS = 10_000;
const CALLERS = 16;

/** Memory of gateway and worker in one process after 10,000 and after 20,000 calls. */
export async function benchMemory(stack: Stack, log: (line: string) => void): Promise<readonly Row[]> {
  const server = await startServer(stack.config.home, {
    PORT: '0',
    COUNTERSIGN_QUEUE_PREFIX: `${stack.config.temporal.queuePrefix}-memory`,
  });
  const token = await stack.token('supply_chain_manager');
  const measured: Awaited<ReturnType<Server['memory']>>[] = [];
  const began = performance.now();
  for (const round of [1, 2]) {
    log(`memory: ${round * MEMORY_CALLS} calls`);
    await spread(server.url, token, MEMORY_CALLS, CALLERS);
    measured.push(await server.memory());
  }
  const seconds = (performance.now() - began) / 1_000;
  await server.stop();
  const [first, second] = measured;
  if (!first || !second) throw new Error('Nothing was measured.');
  const mib = (bytes: number) => bytes / 1024 / 1024;
  const floorName = 'after 10,000';
  return [
    beside({
      name: 'memory after 20,000 calls',
      unit: 'MiB',
      value: mib(second.rss),
      floor: mib(first.rss),
      floorName,
      atMost: 1.1,
    }),
    beside({
      name: 'heap after 20,000 calls',
      unit: 'MiB',
      value: mib(second.heapUsed),
      floor: mib(first.heapUsed),
      floorName,
    }),
    { name: 'reads per second', unit: '/s', value: (2 * MEMORY_CALLS) / seconds, note: `${CALLERS} callers` },
  ];
}

/** `calls` calls by `callers` clients, each with its own session. */
async function spread(url: string, token: string, calls: number, callers: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: callers }, () => mcpClient(url, token)));
  let left = calls;
  const work = async (client: McpClient) => {
    while (left > 0) {
      left -= 1;
      await client.call('check_stock', { manga_id: 'BER42', volume_number: 1 + (left % 40) });
    }
  };
  await Promise.all(clients.map(work));
  await Promise.all(clients.map((client) => client.close()));
}

const HOT_CALLERS = 1_000;
const STOCK_TTL_SECONDS = 10;

/** 1,000 callers of one key over two gateways on one Redis: how often the database was asked. */
export async function benchHotKeyOverMcp(stack: Stack, redisUrl: string): Promise<readonly Row[]> {
  const prefix = `${stack.config.temporal.queuePrefix}-hot`;
  const servers = await Promise.all(
    ['a', 'b'].map((name) =>
      startServer(stack.config.home, {
        PORT: '0',
        REDIS_URL: redisUrl,
        COUNTERSIGN_QUEUE_PREFIX: `${prefix}-${name}`,
      }),
    ),
  );
  const token = await stack.token('supply_chain_manager');
  const before = await misses(servers);
  const began = performance.now();
  const sessions = await Promise.all(
    servers.flatMap(({ url }) => Array.from({ length: 10 }, () => mcpClient(url, token))),
  );
  const ask = { manga_id: 'BER42', volume_number: 42 };
  const each = HOT_CALLERS / sessions.length;
  const repeats = await Promise.all(
    sessions.flatMap((session) => Array.from({ length: each }, () => patiently(session, ask))),
  );
  const repeated = repeats.reduce((sum, one) => sum + one, 0);
  const seconds = (performance.now() - began) / 1_000;
  const loads = (await misses(servers)) - before;
  await Promise.all(sessions.map((session) => session.close()));
  await Promise.all(servers.map((server) => server.stop()));
  const windows = Math.ceil(seconds / STOCK_TTL_SECONDS);
  return [
    {
      name: 'database reads of a hot key per TTL window, 1,000 callers, two gateways',
      unit: 'reads',
      value: loads / windows,
      atMost: 2,
      note: `${loads} reads in ${seconds.toFixed(1)} s, ${repeated} calls repeated`,
    },
  ];
}

/** Asks again when a gateway says that it has too much to do, as a client should; answers how often. */
async function patiently(session: McpClient, ask: Record<string, unknown>): Promise<number> {
  for (let repeats = 0; ; repeats += 1) {
    try {
      await session.call('check_stock', ask);
      return repeats;
    } catch (error) {
      if (repeats === 60 || !(error instanceof Error && /"(busy|unavailable)\\?"/.test(error.message)))
        throw error;
      await pause(1_000);
    }
  }
}

/** Loads of stock, as both gateways' metrics count them. */
async function misses(servers: readonly Server[]): Promise<number> {
  const texts = await Promise.all(servers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const lines = texts.flatMap((text) => text.split('\n'));
  const counted = lines.filter(
    (line) => /^countersign_cache_\w+\{/.test(line) && /"miss"/.test(line) && /"stock_level"/.test(line),
  );
  return counted.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
