/** What was asked did not answer in its time. */
export class TooSlow extends Error {
  constructor() {
    super('It took too long.');
    this.name = 'TooSlow';
  }
}

/** @throws {TooSlow} after `ms`, and whatever `work` throws before. */
export async function limited<T>(work: (signal: AbortSignal) => Promise<T>, ms: number): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TooSlow()), ms);
  });
  const working = work(over.signal);
  // Whoever comes late is not waited for any more.
  working.catch(() => undefined);
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
