import assert from 'node:assert/strict';
import { fairQueue } from '../../mcp-gateway/fair-queue.ts';
import { temporalRuns } from '../../mcp-gateway/temporal-runs.ts';
import { openStage, type Stage } from './stage.ts';
import { until } from '../support/until.ts';

/** Found in review: the gateway sent rows unsealed, and the worker refused every one of them. */
describe('a row that the gateway owes', function () {
  this.timeout(60_000);
  let stage: Stage;
  before(async () => {
    stage = await openStage();
    await stage.work();
  });
  after(() => stage.close());

  it('is written by a run of its own, once', async () => {
    const { client, queuePrefix } = stage.temporal;
    const queue = fairQueue({ slots: () => 1, waiting: 1, waitMs: 100 });
    const { seals } = stage.room;
    const runs = temporalRuns({ client, queuePrefix, queue, eager: false, isSlow: () => false, seals });
    const entry = {
      key: 'gateway:1',
      tenant: 'manga',
      callId: 'refused_1',
      event: 'denied',
      final: true,
      outcome: 'denied',
      tool: 'check_stock',
      subject: 'somebody',
      at: new Date().toISOString(),
    } as const;
    await runs.oweAudit([entry]);
    await runs.oweAudit([entry]);
    await until(async () => (await stage.rows('refused_1')).length > 0, 'the row');
    assert.equal((await stage.rows('refused_1')).length, 1);
  });
});
