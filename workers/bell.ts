import { EventEmitter } from 'node:events';

/** Wakes those who wait in this process. Whoever notes `rings` before looking for work misses no ring. */
export type Bell = {
  rings(): number;
  ring(): void;
  /** Resolves at a ring later than `seen`, after the time, or when `signal` is aborted. */
  wait(seen: number, ms: number, signal: AbortSignal): Promise<void>;
};

export function createBell(): Bell {
  const rope = new EventEmitter().setMaxListeners(0);
  let rings = 0;
  return {
    rings: () => rings,
    ring: () => {
      rings += 1;
      rope.emit('ring');
    },
    wait: (seen, ms, signal) =>
      new Promise((resolve) => {
        if (rings !== seen || signal.aborted) return resolve();
        const done = () => {
          clearTimeout(timer);
          rope.off('ring', done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        rope.once('ring', done);
        signal.addEventListener('abort', done);
      }),
  };
}
