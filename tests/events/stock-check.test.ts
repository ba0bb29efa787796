import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { recordAudit } from '../../activities/actions/record-audit.ts';
import { readActivity } from '../../activities/actions/run-body.ts';
import { createAuditLog } from '../../adapters/postgres/audit-log.ts';
import type { Pools } from '../../adapters/postgres/pools.ts';
import { hashOf } from '../../catalog/digest.ts';
import { stockCheckEvent } from '../../catalog/events/stock-check-event.ts';
import { checkStock } from '../../catalog/inventory/check-stock.ts';
import type { AuditLog } from '../../domain/audit.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ReadPlan } from '../../domain/plan.ts';
import type { BallotStatement } from '../../domain/seals.ts';
import { createSeals } from '../../platform/seals.ts';
import { freshCache, seededWorld, staff, type World } from '../support/world.ts';

const SUBJECT = 'taro.yamada@example.com';

/** Class of defect: a cache miss that nobody hears of, a hit that is counted, an event that costs the caller time. */
describe('stock_check_event', () => {
  let world: World;
  let check: Check;
  before(async () => {
    world = await seededWorld();
  });
  beforeEach(() => {
    check = checkOn(world);
  });
  after(() => world.close());

  it('is published once for a miss and not at all for a hit', async () => {
    const ask = { manga_id: 'BER42', volume_number: 42 };
    const [miss, hit] = [await check.call(ask), await check.call(ask)];
    assert.equal((await eventsOf(world, miss.callId)).length, 1);
    assert.equal((await eventsOf(world, hit.callId)).length, 0);
  });

  it('costs no statement of its own: a miss writes with as many as a hit', async () => {
    const ask = { manga_id: 'BER42', volume_number: 42 };
    await check.call(ask);
    const miss = check.statements();
    await check.call(ask);
    const hit = check.statements() - miss;
    assert.deepEqual([miss, hit], [1, 1]);
  });

  it('says what was asked and what there was, as its schema has it', async () => {
    const { callId } = await check.call({ manga_id: 'BER42', volume_number: 42 });
    const [event] = await eventsOf(world, callId);
    const { manga_id, volume_number, quantity, warehouse, request_id } = stockCheckEvent.payload.parse(
      event?.payload,
    );
    assert.deepEqual([manga_id, volume_number, request_id], ['BER42', 42, callId]);
    assert.deepEqual([typeof quantity, typeof warehouse], ['number', 'string']);
  });

  it('says of a title as a whole how many units there are', async () => {
    const { callId, output } = await check.call({ manga_id: 'BER42' });
    const [event] = await eventsOf(world, callId);
    const { volume_number, quantity } = stockCheckEvent.payload.parse(event?.payload);
    assert.equal(volume_number, null);
    assert.ok(Array.isArray(output['volumes']));
    const each = output['volumes'].map((volume: { quantity: number }) => volume.quantity);
    assert.equal(
      quantity,
      each.reduce((sum, n) => sum + n, 0),
    );
  });

  it('says that nothing is known of an unknown title', async () => {
    const { callId } = await check.call({ manga_id: 'NOBODY' });
    const [event] = await eventsOf(world, callId);
    assert.equal(stockCheckEvent.payload.parse(event?.payload).quantity, null);
  });

  it('names nobody: the same pseudonym for the same person of a shop, another one elsewhere', async () => {
    const here = [await check.call({ manga_id: 'A1' }), await check.call({ manga_id: 'A2' })];
    const there = await check.call({ manga_id: 'A1' }, 'shop_123');
    const found = await Promise.all([...here, there].map(({ callId }) => eventsOf(world, callId)));
    const [one, two, other] = found.map(([event]) => event?.payload['subject_hash']);
    assert.equal(one, two);
    assert.notEqual(one, other);
    assert.equal(JSON.stringify(found).includes(SUBJECT), false);
  });

  it('is written once when the row of the call is written again', async () => {
    const { callId, entries } = await check.call({ manga_id: 'BER42', volume_number: 42 });
    await createAuditLog(world.db.pools).append(entries);
    assert.equal((await eventsOf(world, callId)).length, 1);
    assert.equal(await rowsOf(world, callId), 1);
  });

  it('is owed with the row while Postgres takes neither, and written with it, once', async () => {
    const away: AuditLog = { append: () => Promise.reject(new Error('away')) };
    const { callId, owed } = await checkOn(world, away).call({ manga_id: 'BER42', volume_number: 42 });
    assert.equal((await eventsOf(world, callId)).length, 0);
    assert.ok(owed);
    const record = recordAudit(createAuditLog(world.db.pools), check.seals);
    // As Temporal passes it on.
    const passed = JSON.parse(JSON.stringify(owed)) as typeof owed;
    await record(passed);
    await record(passed);
    assert.equal((await eventsOf(world, callId)).length, 1);
    assert.equal(await rowsOf(world, callId), 1);
  });

  it('cannot be smuggled in with a row that was owed', async () => {
    const away: AuditLog = { append: () => Promise.reject(new Error('away')) };
    const { callId, owed } = await checkOn(world, away).call({ manga_id: 'BER42', volume_number: 42 });
    const forged = JSON.parse(JSON.stringify(owed).replaceAll('BER42', 'MINE')) as NonNullable<typeof owed>;
    await assert.rejects(recordAudit(createAuditLog(world.db.pools), check.seals)(forged), {
      code: 'plan_unsealed',
    });
    assert.equal((await eventsOf(world, callId)).length, 0);
  });
});

const KEYS = { seal: [randomKey()], personal: [randomKey()] };

function randomKey(): string {
  return randomBytes(32).toString('base64');
}

type Check = ReturnType<typeof checkOn>;

/** check_stock over a cache of its own, with its row, as a worker runs it. Counts what the row's pool is asked. */
function checkOn(world: World, away?: AuditLog) {
  const seals = createSeals<BallotStatement>(KEYS);
  const { pools } = world.db;
  let statements = 0;
  const counted: Pick<Pools, 'read' | 'write'> = {
    read: pools.read,
    write: new Proxy(pools.write, {
      get: (pool, name) => {
        if (name === 'query' || name === 'connect') statements += 1;
        const value: unknown = Reflect.get(pool, name, pool);
        // Methods of the pool use its private state.
        return typeof value === 'function' ? value.bind(pool) : value;
      },
    }),
  };
  const audit = away ?? createAuditLog(counted);
  let entries: Parameters<AuditLog['append']>[0] = [];
  const activity = readActivity(checkStock, world.bodies({ cache: freshCache() }).check_stock, {
    audit: {
      append: async (given) => {
        entries = given;
        await audit.append(given);
      },
    },
    seals,
    now: () => new Date(),
  });
  const call = async (input: JsonObject, shop = 'manga') => {
    const callId = `check_stock-${randomUUID()}`;
    const plan = seals.sealPlan<ReadPlan>({
      version: 1,
      kind: 'read',
      callId,
      tool: 'check_stock',
      server: 'inventory',
      caller: staff(shop, SUBJECT),
      input,
      inputHash: hashOf(input),
      transport: 'http',
      requestId: SUBJECT,
      timeoutSeconds: 5,
      maxAttempts: 3,
    });
    const answer = await activity({ plan, run: { workflowId: callId, firstRunId: randomUUID() } });
    return { callId, entries, ...answer };
  };
  return { call, seals, statements: () => statements };
}

async function eventsOf({ db }: World, callId: string) {
  const { rows } = await db.pools.system.query<{ payload: JsonObject }>(
    `select payload from event_outbox where payload->>'request_id' = $1`,
    [callId],
  );
  return rows;
}

async function rowsOf({ db }: World, callId: string) {
  const { rowCount } = await db.pools.system.query('select from audit_log where call_id = $1', [callId]);
  return rowCount;
}
