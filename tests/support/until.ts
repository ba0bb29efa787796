/** Asks again and again until it is so; it fails after half a minute. */
export async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Waited half a minute for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
