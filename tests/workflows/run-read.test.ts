import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { getOrderDetails } from '../../catalog/orders/get-order-details.ts';
import { personalPaths } from '../../catalog/index.ts';
import { actionActivity, readActivity } from '../../activities/actions/run-body.ts';
import { Refusal } from '../../domain/refusal.ts';
import { queueName } from '../../domain/queues.ts';
import type { AuditLog } from '../../domain/audit.ts';
import type { ReadAnswer, ReadTask } from '../../domain/tasks.ts';
import type { Running } from '../../workers/worker.ts';
import { historyText, openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

describe('runRead', function () {
  this.timeout(60_000);
  let stage: Stage;
  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  const final = async (callId: string) =>
    (await stage.rows(callId)).filter((row) => row.final).map(({ outcome, reason }) => [outcome, reason]);

  /** Runs one read with `body` in place of check_stock's. */
  async function answered(
    body: (task: ReadTask) => Promise<ReadAnswer>,
    queue?: string,
  ): Promise<WorkflowHandle> {
    const worker = await stage.work({ activities: { check_stock: body } });
    const plan = await stage.read('check_stock', { manga_id: 'BER42' });
    const handle = await stage.startRead(plan, plan.callId, queue);
    await handle.result().catch(() => undefined);
    await worker.stop();
    return handle;
  }

  describe('with its own worker', () => {
    let worker: Running;
    before(async () => {
      worker = await stage.work();
    });
    after(() => worker.stop());

    it('answers in the start itself, without a regular activity', async () => {
      const plan = await stage.read('warehouses', {});
      const handle = await stage.startRead(plan);
      assert.ok(Array.isArray((await handle.result()).warehouses));
      const { events } = await handle.fetchHistory();
      assert.equal(
        events?.some((event) => event.activityTaskScheduledEventAttributes),
        false,
      );
      assert.equal((await handle.describe()).status.name, 'COMPLETED');
    });

    it('leaves one final row, with hashes of what went in and out', async () => {
      const plan = await stage.read('warehouses', {});
      await (await stage.startRead(plan)).result();
      const rows = await stage.rows(plan.callId);
      assert.deepEqual(
        rows.map(({ event, final, outcome, subject, tool }) => [event, final, outcome, subject, tool]),
        [['call', true, 'ok', 'supply_chain_manager', 'warehouses']],
      );
      assert.match(rows[0]?.resultHash ?? '', /^[0-9a-f]{64}$/);
    });

    it('fails with the refusal of the body, once, and records it', async () => {
      const plan = await stage.read('cancel_action', { action_id: 'unknown' });
      const handle = await stage.startRead(plan);
      await assert.rejects(handle.result());
      assert.deepEqual(await final(plan.callId), [['refused', 'not_found']]);
    });
  });

  it('tries again after a fault, three times in all, then fails and says so in one row', async () => {
    let attempts = 0;
    const handle = await answered(async () => {
      attempts += 1;
      throw new Error('connection reset');
    });
    assert.equal(attempts, 3);
    assert.deepEqual(await final(handle.workflowId), [['failed', 'fault']]);
  });

  it('never tries a refusal again', async () => {
    let attempts = 0;
    await answered(async () => {
      attempts += 1;
      throw new Refusal('stock_not_found', 'WH-2 does not carry it.');
    });
    assert.equal(attempts, 1);
  });

  it('uses a regular activity on the queue of slow reads', async () => {
    const handle = await answered(
      async () => ({ output: {} }),
      queueName(stage.temporal.queuePrefix, 'slow-reads'),
    );
    const { events } = await handle.fetchHistory();
    assert.ok(events?.some((event) => event.activityTaskScheduledEventAttributes));
  });

  it('leaves a row when it is cancelled', async () => {
    let begun: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (begun = resolve));
    const worker = await stage.work({
      activities: {
        check_stock: () => {
          begun();
          return Context.current().cancelled;
        },
      },
    });
    const plan = await stage.read('check_stock', { manga_id: 'BER42' });
    const handle = await stage.startRead(plan);
    await running;
    await handle.cancel();
    await assert.rejects(handle.result());
    await worker.stop();
    assert.deepEqual(await final(plan.callId), [['cancelled', 'cancelled']]);
  });

  it('answers while Postgres takes no rows, and the row is written once it does', async () => {
    let isAway = true;
    const audit: AuditLog = {
      append: async (entries) => {
        if (isAway) throw new Error('connect ECONNREFUSED');
        await stage.room.audit.append(entries);
      },
    };
    const worker = await stage.work({ audit });
    const plan = await stage.read('warehouses', {});
    const handle = await stage.startRead(plan);
    await handle.result();
    assert.deepEqual(await final(plan.callId), []);
    isAway = false;
    await until(async () => (await final(plan.callId)).length === 1, 'the owed row');
    await worker.stop();
    assert.deepEqual(await final(plan.callId), [['ok', undefined]]);
  });

  it('owes the row of a failed read, too', async () => {
    let isAway = true;
    const audit: AuditLog = {
      append: async (entries) => {
        if (isAway) throw new Error('connect ECONNREFUSED');
        await stage.room.audit.append(entries);
      },
    };
    const worker = await stage.work({ audit });
    const plan = await stage.read('cancel_action', { action_id: 'unknown' });
    await assert.rejects((await stage.startRead(plan)).result());
    isAway = false;
    await until(async () => (await final(plan.callId)).length === 1, 'the owed row');
    await worker.stop();
    assert.deepEqual(await final(plan.callId), [['refused', 'not_found']]);
  });

  it('keeps personal data out of the history', async () => {
    const email = `kenji.${randomBytes(4).toString('hex')}@example.com`;
    assert.notEqual(
      personalPaths(getOrderDetails.output).length,
      0,
      'this test needs a tool with personal fields',
    );
    const [path = []] = personalPaths(getOrderDetails.output);
    const output = path.reduceRight<unknown>(
      (inner, name) => (name === '*' ? [inner] : { [name]: inner }),
      email,
    );
    const around = { seals: stage.room.seals, audit: stage.room.audit, now: () => new Date() };
    const worker = await stage.work({
      activities: { get_order_details: readActivity(getOrderDetails, async () => output, around) },
    });
    const plan = await stage.read('get_order_details', { order_id: '88213' });
    const handle = await stage.startRead(plan);
    assert.match(JSON.stringify(await handle.result()), /sealed:v1:/);
    await worker.stop();
    assert.equal((await historyText(handle)).includes(email), false);
  });

  /** Runs one read of the order details over `audit` and answers what was handed over, and how many rows there were then. */
  async function handedOver(audit: AuditLog) {
    const given: { readonly callId: string; readonly rows: number }[] = [];
    let rows = 0;
    const around = {
      seals: stage.room.seals,
      audit: {
        append: (entries: Parameters<AuditLog['append']>[0]) =>
          audit.append(entries).then(() => void (rows += 1)),
      },
      now: () => new Date(),
      onAnswer: (callId: string) => void given.push({ callId, rows }),
    };
    const worker = await stage.work({
      activities: { get_order_details: readActivity(getOrderDetails, async () => ({}), around) },
    });
    const plan = await stage.read('get_order_details', { order_id: '88213' });
    await (await stage.startRead(plan)).result();
    await worker.stop();
    return { given, callId: plan.callId };
  }

  it('hands the answer to its own process once the row is there', async () => {
    const { given, callId } = await handedOver(stage.room.audit);
    assert.deepEqual(given, [{ callId, rows: 1 }]);
  });

  it('hands nothing over while the row is owed: the answer waits for the run that promises it', async () => {
    const { given } = await handedOver({
      append: async () => {
        throw new Error('away');
      },
    });
    assert.deepEqual(given, []);
  });

  it('starts no body of an action as a read', async () => {
    const spec = (await import('../../catalog/inventory/create-reorder.ts')).createReorder;
    let ran = false;
    const body = actionActivity(
      spec,
      async () => {
        ran = true;
        return {};
      },
      { seals: stage.room.seals },
    );
    const worker = await stage.work({ activities: { create_reorder: body } });
    const plan = await stage.read('create_reorder', { sku: 'BER42-42', quantity: 1, warehouse: 'WH-2' });
    await assert.rejects((await stage.startRead(plan)).result());
    await worker.stop();
    assert.equal(ran, false);
  });
});
