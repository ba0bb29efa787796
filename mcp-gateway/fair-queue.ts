/** Nothing was begun: the queue is full, or the wait was too long. */
export class QueueFull extends Error {
  constructor() {
    super('No room in the queue');
    this.name = 'QueueFull';
  }
}

export type FairQueue = {
  /**
   * Runs `job` when a slot is free; tenants that wait take turns, so one tenant's flood delays itself.
   * @throws {QueueFull} without having begun. Whatever `signal` was aborted with, if that happens before the turn comes.
   */
  run<T>(tenant: string, job: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly inFlight: number;
  readonly waiting: number;
};

type Waiter = { readonly begin: () => void };

export type QueueLimits = {
  /** How many may run at once; asked at each turn. */
  readonly slots: () => number;
  /** How many may wait, all tenants together. */
  readonly waiting: number;
  readonly waitMs: number;
};

export function fairQueue({ slots, waiting: mostWaiting, waitMs }: QueueLimits): FairQueue {
  // Insertion order is the order of turns: a tenant that was served goes to the end.
  const lines = new Map<string, Waiter[]>();
  let inFlight = 0;
  let waiting = 0;

  /** Begins whatever has room. */
  function next(): void {
    const [first] = lines;
    if (first === undefined || inFlight >= slots()) return;
    const [tenant, line] = first;
    lines.delete(tenant);
    const waiter = line.shift();
    if (line.length > 0) lines.set(tenant, line);
    waiting -= 1;
    inFlight += 1;
    waiter?.begin();
    next();
  }

  function turn(tenant: string, signal: AbortSignal | undefined): Promise<void> {
    if (inFlight < slots() && waiting === 0) {
      inFlight += 1;
      return Promise.resolve();
    }
    if (waiting >= mostWaiting) return Promise.reject(new QueueFull());
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        act();
      };
      const waiter: Waiter = { begin: () => settle(resolve) };
      const leave = (why: unknown) => {
        remove(tenant, waiter);
        settle(() => reject(why));
      };
      const abort = () => leave(signal?.reason);
      const timer = setTimeout(() => leave(new QueueFull()), waitMs);
      signal?.addEventListener('abort', abort, { once: true });
      lines.set(tenant, [...(lines.get(tenant) ?? []), waiter]);
      waiting += 1;
    });
  }

  function remove(tenant: string, waiter: Waiter): void {
    const left = (lines.get(tenant) ?? []).filter((one) => one !== waiter);
    if (left.length > 0) lines.set(tenant, left);
    else lines.delete(tenant);
    waiting -= 1;
  }

  return {
    async run(tenant, job, signal) {
      signal?.throwIfAborted();
      await turn(tenant, signal);
      try {
        return await job();
      } finally {
        inFlight -= 1;
        next();
      }
    },
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return waiting;
    },
  };
}
