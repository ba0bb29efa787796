import assert from 'node:assert/strict';

/** Asks again and again until it is so. */
export async function eventually(what: string, isSo: () => Promise<boolean>, seconds = 30): Promise<void> {
  const until = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    assert.ok(Date.now() < until, `within ${seconds} s it did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
