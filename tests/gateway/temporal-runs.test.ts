import assert from 'node:assert/strict';
import { Client, Connection } from '@temporalio/client';
import type { JsonObject } from '../../domain/json.ts';
import type { ReadPlan } from '../../domain/plan.ts';
import { Refusal } from '../../domain/refusal.ts';
import { fairQueue } from '../../mcp-gateway/fair-queue.ts';
import { RequestCancelled, temporalRuns } from '../../mcp-gateway/temporal-runs.ts';
import { type Rendezvous, createRendezvous } from '../../platform/rendezvous.ts';
import { type TestTemporal, freshNamespace } from '../support/temporal.ts';

const QUEUE = { slots: () => 2, waiting: 10, waitMs: 500 };

describe('runs on Temporal', function () {
  this.timeout(60_000);
  let temporal: TestTemporal;
  before(async () => {
    temporal = await freshNamespace();
  });
  after(() => temporal?.close());

  const runsOn = (client: Client, answers?: Rendezvous<JsonObject>) =>
    temporalRuns({
      client,
      ...(answers ? { answers } : {}),
      queuePrefix: temporal.queuePrefix,
      queue: fairQueue(QUEUE),
      eager: false,
      isSlow: () => false,
      seals: { sealRows: (entries) => ({ entries, seal: '' }) },
      answerMs: 1500,
    });

  it('say within five seconds that Temporal is gone, and what to do', async () => {
    const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }) });
    const from = Date.now();
    await assert.rejects(runsOn(client).read(plan('gone-1')), isRefusal('unavailable', /\/health/));
    await assert.rejects(
      runsOn(client).vote('a', { decision: 'approve', approver: 'x' }),
      isRefusal('unavailable', /Temporal/),
    );
    assert.ok(Date.now() - from < 10_000);
    await runsOn(client).nudge('a');
    // Not closed: the client may be about to try again, and nobody would catch what it throws on a closed channel.
  });

  it('cancel the workflow when the request is taken back, and say so', async () => {
    const cancel = new AbortController();
    const reading = runsOn(temporal.client).read(plan('cancelled-1'), { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 200);
    // Nobody works on this queue: what ends the wait is the cancellation alone.
    const handle = temporal.client.workflow.getHandle('cancelled-1');
    await assert.rejects(Promise.race([reading, later(8000)]), RequestCancelled);
    const { raw } = await handle.describe();
    assert.equal(raw.workflowExtendedInfo?.cancelRequested, true);
  });

  it('answer with what the worker of this process has said, before Temporal says it', async () => {
    const answers = createRendezvous<JsonObject>();
    const runs = runsOn(temporal.client, answers);
    const reading = runs.read(plan('own-1'));
    await started('own-1');
    answers.give('another', { status: 'not mine' });
    answers.give('own-1', { status: 'found' });
    // Nobody works on this queue, so no answer can come from Temporal.
    assert.deepEqual(await Promise.race([reading, later(8000)]), { status: 'found' });
  });

  it('keep nothing of an answer for which nobody waits', async () => {
    const answers = createRendezvous<JsonObject>();
    answers.give('own-2', { status: 'found' });
    const cancel = new AbortController();
    const reading = runsOn(temporal.client, answers).read(plan('own-2'), { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 200);
    await assert.rejects(Promise.race([reading, later(8000)]), RequestCancelled);
  });

  it('refuse with busy what finds no slot in time', async () => {
    const runs = runsOn(temporal.client);
    const cancel = new AbortController();
    const held = ['busy-1', 'busy-2'].map((id) => runs.read(plan(id), { signal: cancel.signal }));
    await assert.rejects(runs.read(plan('busy-3')), isRefusal('busy', /again/));
    cancel.abort();
    await Promise.allSettled(held);
  });

  /** Resolves when Temporal knows the run. */
  async function started(id: string): Promise<void> {
    const handle = temporal.client.workflow.getHandle(id);
    for (let left = 100; left > 0; left -= 1) {
      if (await handle.describe().then(Boolean, () => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${id} was not started`);
  }

  it('answer that an action which never was has ended', async () => {
    const voting = runsOn(temporal.client).vote('never-was', { decision: 'approve', approver: 'x' });
    await assert.rejects(voting, isRefusal('action_closed', /ended/));
  });
});

function plan(callId: string): ReadPlan {
  return {
    version: 1,
    kind: 'read',
    callId,
    tool: 'check_stock',
    server: 'inventory',
    caller: { tenant: 'manga', subject: 'x', issuer: 'test', assurance: 'development' },
    input: {},
    inputHash: '',
    transport: 'http',
    requestId: '1',
    timeoutSeconds: 5,
    maxAttempts: 1,
    seal: '',
  };
}

function isRefusal(code: string, message: RegExp) {
  return (error: unknown) => error instanceof Refusal && error.code === code && message.test(error.message);
}

function later(ms: number): Promise<never> {
  return new Promise((_resolve, reject) => setTimeout(() => reject(new Error('too late')), ms).unref());
}
