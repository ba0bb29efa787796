import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { type Stack, startStack } from '../gateway/stack.ts';
import { openSession, type RawSession, textOf } from '../gateway/wire.ts';
import { historiesOf } from '../isolation/histories.ts';
import { asAdmin } from '../support/database.ts';
import { redisUrl } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { broken, hang, startUps, type Ups, well } from './ups.ts';

/** In every line of the address, and in nothing else of the world. */
const SECRET = 'Qzsecret';
const HOME = {
  line1: `${SECRET} Main St 1`,
  line2: `${SECRET} floor`,
  city: `${SECRET}ville`,
  region: 'NJ',
  postal_code: '07102',
  country: 'US',
};
const ANSWER = z.object({ status: z.string(), freshness: z.string(), why: z.string().nullable() });
const LISTED = z.array(z.object({ name: z.string() }));

describe('shipping over the wire', function () {
  this.timeout(120_000);
  let stack: Stack;
  let ups: Ups;
  let folder: string;
  let log: string;
  let session: RawSession;
  let store: string;

  before(async function () {
    store = redisUrl(this);
    folder = mkdtempSync(join(tmpdir(), 'countersign-shipping-'));
    log = join(folder, 'x.log');
    ups = await startUps();
    stack = await startStack({ env: { ...ups.env, REDIS_URL: store, LOG_LEVEL: 'trace' }, logFile: log });
    session = await openSession(stack.url, await stack.mint('supply_chain_manager'));
  });
  after(async () => {
    await stack?.stop();
    await ups?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    ups.seen.length = 0;
    ups.script(well);
  });

  const estimate = async (manga_id: readonly string[], by = session, delivery_address: object = HOME) => {
    const answer = await by.ask('tools/call', {
      name: 'get_shipping_estimate',
      arguments: { manga_id, delivery_address },
    });
    return { answer, ...ANSWER.partial().parse(answer.result?.['structuredContent'] ?? {}) };
  };
  const namesOf = async (by: RawSession, method: string, key: string) =>
    LISTED.parse((await by.ask(method, {})).result?.[key]).map(({ name }) => name);

  it('estimates', async () => {
    const { status, freshness } = await estimate(['BER42', 'VIN27']);
    assert.deepEqual([status, freshness], ['found', 'live']);
  });

  it('runs on a queue of its own as an activity whose heartbeat is missed after three seconds', async () => {
    const { client } = stack.temporal;
    for await (const { workflowId, taskQueue } of client.workflow.list()) {
      if (!workflowId.startsWith('get_shipping_estimate-')) continue;
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const activity = events?.find((one) => one.activityTaskScheduledEventAttributes);
      const { heartbeatTimeout } = activity?.activityTaskScheduledEventAttributes ?? {};
      assert.deepEqual([taskQueue.endsWith('-slow-reads'), Number(heartbeatTimeout?.seconds)], [true, 3]);
      return;
    }
    assert.fail('no estimate was run');
  });

  it('succeeds when the carrier fails twice and then answers', async () => {
    ups.script(broken, broken, well);
    const { status, freshness } = await estimate(['VIN27']);
    assert.deepEqual([status, freshness, ups.seen.length], ['found', 'live', 3]);
  });

  it('says within the tool’s bound that nothing is known, when the carrier hangs from the start', async () => {
    ups.script(hang);
    const began = performance.now();
    const { status, why, answer } = await estimate(['YTB15', 'YTB15']);
    assert.deepEqual([status, why], ['unavailable', 'timeout']);
    assert.match(textOf(answer), /Do not estimate/);
    assert.ok(performance.now() - began < 10_000);
  });

  it('shows a customer the estimate, and no delivery, driver or late order of the shop', async () => {
    const customer = await openSession(stack.url, await stack.mint('customer:cust_1001'));
    const names = await namesOf(customer, 'tools/list', 'tools');
    assert.deepEqual(
      ['get_shipping_estimate', 'get_delivery_status', 'list_drivers'].map((name) => names.includes(name)),
      [true, false, false],
    );
    assert.deepEqual(
      await namesOf(customer, 'resources/list', 'resources').then((all) => all.includes('drivers')),
      false,
    );
    assert.equal((await estimate(['BER42'], customer)).status, 'found');
  });

  it('shows the server logistics with its own tools, resources and prompt, and none of another', async () => {
    const alone = await openSession(stack.url, await stack.mint('supply_chain_manager'), '/mcp/logistics');
    assert.deepEqual(
      (await namesOf(alone, 'tools/list', 'tools')).filter(
        (name) => !name.endsWith('_action') && !name.includes('action'),
      ),
      ['get_delivery_status', 'get_shipping_estimate', 'list_drivers'],
    );
    assert.deepEqual(
      (await namesOf(alone, 'resources/list', 'resources')).filter((name) => name !== 'pending_approvals'),
      ['deliveries_in_flight', 'drivers'],
    );
    assert.ok((await namesOf(alone, 'prompts/list', 'prompts')).includes('in_flight_review'));
  });

  it('opens the names of drivers to those who may read them, and to nobody in between', async () => {
    const answer = await session.ask('tools/call', { name: 'list_drivers', arguments: {} });
    assert.match(JSON.stringify(answer.result?.['structuredContent']), /森 健二/);
    const told = (await historiesOf(stack)).map(({ text }) => text).join('\n');
    assert.match(told, /list_drivers/);
    assert.doesNotMatch(told, /森 健二/);
  });

  it('refuses an address that is none, and repeats nothing of it', async () => {
    const { answer } = await estimate(['BER42'], session, { ...HOME, country: 'Japan' });
    assert.equal(answer.result?.['isError'], true);
    assert.doesNotMatch(JSON.stringify(answer), new RegExp(SECRET));
  });

  describe('keeps nothing of an address', () => {
    before(async () => {
      await estimate(['BER42']);
      ups.script(broken);
      // Often enough for its circuit to open, which is logged.
      for (const copies of [1, 2, 3]) await estimate(Array.from({ length: copies }, () => 'YTB15'));
    });

    it('in the log, whatever its level', async () => {
      const written = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
      await until(async () => written().includes('circuit'), 'the carrier’s circuit in the log');
      const text = written();
      assert.doesNotMatch(text, new RegExp(SECRET));
    });

    it('in Temporal: no history, no workflow id, no search attribute', async () => {
      const told = await historiesOf(stack);
      assert.ok(told.some(({ text }) => text.includes('get_shipping_estimate')));
      assert.deepEqual(
        told.filter(({ id, text }) => `${id}${text}`.includes(SECRET)).map(({ id }) => id),
        [],
      );
    });

    it('in the database: no audit row, no event, no quote', async () => {
      const found = await asAdmin(async (admin) => {
        const { rows: tables } = await admin.query<{ name: string }>(
          `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
        );
        const holders: string[] = [];
        for (const { name } of tables) {
          const { rowCount } = await admin.query(`select from ${name} t where t::text like $1 limit 1`, [
            `%${SECRET}%`,
          ]);
          if (rowCount !== 0) holders.push(name);
        }
        return { holders, count: tables.length };
      }, stack.db.adminUrl);
      assert.deepEqual(found.holders, []);
      assert.ok(found.count > 20);
    });

    it('in Redis: no key and no value', async () => {
      const redis = new Redis(store);
      try {
        const keys = await redis.keys('*');
        assert.ok(keys.some((key) => key.includes(':eta:quotes:')));
        const values = await Promise.all(keys.map((key) => valueOf(redis, key)));
        assert.doesNotMatch([...keys, ...values].join('\n'), new RegExp(SECRET));
      } finally {
        redis.disconnect();
      }
    });
  });
});

async function valueOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key)) ?? '';
  return type === 'hash' ? JSON.stringify(await redis.hgetall(key)) : '';
}
