// Whether the process in this container is well: `healthcheck.mjs <url>` asks the gateway,
// `healthcheck.mjs <file>` reads the sign of life that a worker leaves.
import { statSync } from 'node:fs';

const [where = ''] = process.argv.slice(2);
process.exit((await isWell()) ? 0 : 1);

async function isWell() {
  if (!where.startsWith('http')) {
    const touched = statSync(where, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return Date.now() - touched < 30_000;
  }
  try {
    return (await fetch(where, { signal: AbortSignal.timeout(3000) })).ok;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'no answer'}\n`);
    return false;
  }
}
