import assert from 'node:assert/strict';
import { adaptiveLimit } from '../../mcp-gateway/adaptive-limit.ts';
import { fairQueue } from '../../mcp-gateway/fair-queue.ts';

const SLOW = 201;
const QUICK = 5;

describe('the limit of what is under way', () => {
  let now = 0;
  const limit = (most = 32) => adaptiveLimit({ least: 2, most, slowMs: 200, clock: () => now });
  const times = (count: number, work: () => void) => Array.from({ length: count }).forEach(work);

  it('falls when the server is slow, and never below the least', () => {
    const one = limit();
    const seen = [one.now()];
    for (const _ of [1, 2, 3]) {
      now += 1_000;
      one.took(SLOW);
      seen.push(one.now());
    }
    assert.deepEqual(seen, [32, 22, 15, 10]);
    times(50, () => {
      now += 1_000;
      one.took(SLOW);
    });
    assert.equal(one.now(), 2);
  });

  it('falls once for all that was under way together', () => {
    const one = limit();
    now += 1_000;
    times(32, () => one.took(SLOW));
    assert.equal(one.now(), 22);
  });

  it('rises again, one for each round of answers, and never above the most', () => {
    const one = limit(10);
    now += 1_000;
    one.took(SLOW);
    assert.equal(one.now(), 7);
    times(8, () => one.took(QUICK));
    assert.equal(one.now(), 8);
    times(1_000, () => one.took(QUICK));
    assert.equal(one.now(), 10);
  });

  it('lets a queue begin more as soon as it has risen', async () => {
    let slots = 1;
    const queue = fairQueue({ slots: () => slots, waiting: 10, waitMs: 1_000 });
    const gates = Array.from({ length: 4 }, gate);
    const running = gates.map(({ promise }) => queue.run('manga', () => promise));
    await Promise.resolve();
    assert.equal(queue.inFlight, 1);
    slots = 3;
    gates[0]?.resolve();
    await running[0];
    await Promise.resolve();
    assert.equal(queue.inFlight, 3);
    gates.forEach(({ resolve }) => resolve());
    await Promise.all(running);
  });
});

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
