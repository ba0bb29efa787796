import assert from 'node:assert/strict';
import { createMetrics } from '../../mcp-gateway/metrics.ts';

const LAG = { published: 12, queued: 3, oldestQueuedSeconds: 1, behind: { 'sink:redis': 4, orders: 0 } };

const eventLines = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith('countersign_event'));

describe('metrics of events', () => {
  it('show what is published, what waits, and how far each consumer is behind', async () => {
    const metrics = createMetrics({ sessions: () => 0, events: async () => LAG });
    assert.deepEqual(await eventLines(metrics), [
      'countersign_events_published 12',
      'countersign_events_queued 3',
      'countersign_event_consumer_lag{consumer="sink:redis"} 4',
      'countersign_event_consumer_lag{consumer="orders"} 0',
    ]);
  });

  it('show nothing of them while Postgres is away, and everything else', async () => {
    const events = () => Promise.reject(new Error('away'));
    const metrics = createMetrics({ sessions: () => 7, events });
    assert.deepEqual(await eventLines(metrics), []);
    assert.match(await metrics.text(), /countersign_sessions 7/);
  });

  it('ask Postgres once for many looks', async () => {
    let asked = 0;
    const events = async () => {
      asked += 1;
      return LAG;
    };
    const metrics = createMetrics({ sessions: () => 0, events });
    await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    assert.equal(asked, 1);
  });
});
