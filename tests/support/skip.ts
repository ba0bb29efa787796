/** What this run did not test, and why; printed at its end. */
export const skipped = new Map<string, number>();

/**
 * Skips the suite or test for a reason that the end of the run repeats. In CI nothing may be missing, so there
 * it fails instead.
 */
export function skip(context: Mocha.Context, reason: string): never {
  if (process.env['CI'] === 'true') throw new Error(`Not to be skipped in CI: ${reason}`);
  skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  return context.skip();
}

/** The Redis to test on; without one the caller is skipped. */
export function redisUrl(context: Mocha.Context): string {
  return (
    process.env['TEST_REDIS_URL'] ??
    skip(context, 'no Redis: set TEST_REDIS_URL, or install redis-server so that it is on the PATH')
  );
}

/** The OpenSearch to test on (with k-NN and neural-search); without one the caller is skipped. */
export function opensearchUrl(context: Mocha.Context): string {
  return (
    process.env['TEST_OPENSEARCH_URL'] ??
    process.env['OPENSEARCH_TEST_URL'] ??
    skip(context, 'no OpenSearch: set TEST_OPENSEARCH_URL')
  );
}
