import assert from 'node:assert/strict';
import { QueueFull, fairQueue } from '../../mcp-gateway/fair-queue.ts';

describe('the queue of reads', () => {
  it('runs no more at once than it has slots', async () => {
    const queue = fairQueue({ slots: () => 3, waiting: 100, waitMs: 1000 });
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        queue.run('manga', async () => {
          most = Math.max(most, queue.inFlight);
          await tick();
        }),
      ),
    );
    assert.deepEqual([most, queue.inFlight, queue.waiting], [3, 0, 0]);
  });

  it('lets a tenant with one request pass before the rest of another’s flood', async () => {
    const queue = fairQueue({ slots: () => 1, waiting: 100, waitMs: 1000 });
    const order: string[] = [];
    const job = (name: string) => async () => {
      order.push(name);
      await tick();
    };
    const flood = Array.from({ length: 10 }, (_, index) => queue.run('big', job(`big${index}`)));
    await Promise.all([...flood, queue.run('small', job('small'))]);
    assert.equal(order.indexOf('small'), 2);
  });

  it('says at once that it is full', async () => {
    const queue = fairQueue({ slots: () => 1, waiting: 1, waitMs: 60_000 });
    const gate = opened();
    const running = queue.run('manga', () => gate.promise);
    const waiting = queue.run('manga', tick);
    await assert.rejects(queue.run('manga', tick), QueueFull);
    gate.open();
    await Promise.all([running, waiting]);
  });

  it('gives up on a wait that takes too long, and begins nothing then', async () => {
    const queue = fairQueue({ slots: () => 1, waiting: 10, waitMs: 20 });
    const gate = opened();
    let begun = false;
    const running = queue.run('manga', () => gate.promise);
    await assert.rejects(
      queue.run('manga', async () => void (begun = true)),
      QueueFull,
    );
    gate.open();
    await running;
    assert.deepEqual([begun, queue.waiting, queue.inFlight], [false, 0, 0]);
  });

  it('lets a waiting request be taken back', async () => {
    const queue = fairQueue({ slots: () => 1, waiting: 10, waitMs: 1000 });
    const gate = opened();
    const cancel = new AbortController();
    const running = queue.run('manga', () => gate.promise);
    const waiting = queue.run('manga', tick, cancel.signal);
    cancel.abort(new Error('not wanted any more'));
    await assert.rejects(waiting, /not wanted/);
    gate.open();
    await running;
    assert.equal(queue.waiting, 0);
  });

  it('frees the slot of a job that fails', async () => {
    const queue = fairQueue({ slots: () => 1, waiting: 10, waitMs: 1000 });
    await assert.rejects(
      queue.run('manga', async () => {
        throw new Error('failed');
      }),
    );
    assert.equal(await queue.run('manga', async () => 'next'), 'next');
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function opened() {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open: () => open() };
}
