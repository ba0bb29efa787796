/**
 * Asks once more, beside the first request, when that takes longer than `afterMs`. The first answer counts and ends
 * the other request; when both fail, the first failure is told.
 */
export function hedged<T>(
  afterMs: number,
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  return new Promise<T>((resolve, reject) => {
    let open = 0;
    let firstFailure: unknown;
    const start = () => {
      open++;
      ask(either).then(resolve, (error: unknown) => {
        firstFailure ??= error;
        // A failure before the second request has left goes back at once: whoever retries knows how long to wait.
        if (--open === 0) reject(firstFailure);
      });
    };
    start();
    const second = setTimeout(start, afterMs);
    either.addEventListener('abort', () => clearTimeout(second), { once: true });
  }).finally(() => settled.abort());
}
