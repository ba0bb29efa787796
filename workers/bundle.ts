import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger as TemporalLogger } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const WORKFLOWS_PATH = join(ROOT, 'workflows', 'index.ts');
/** Given to the bundle and to every worker: what a worker alone is told, a bundle does not know. */
export const PAYLOAD_CONVERTER_PATH = join(ROOT, 'workflows', 'payload-converter.ts');

/**
 * The workflow code, bundled. Bundling takes seconds, so it is kept under a name made from everything that goes
 * into it; a folder that cannot be written to costs those seconds at each start, and nothing else.
 */
export async function workflowBundle(
  logger: TemporalLogger,
  folder = join(ROOT, '.cache', 'bundles'),
): Promise<{ readonly code: string }> {
  const path = join(folder, `workflows-${fingerprint()}.js`);
  if (existsSync(path)) return { code: readFileSync(path, 'utf8') };
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    payloadConverterPath: PAYLOAD_CONVERTER_PATH,
    logger,
  });
  keep(folder, path, code);
  return { code };
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const room of ['workflows', 'domain']) {
    for (const file of readdirSync(join(ROOT, room)).sort()) {
      if (file.endsWith('.ts')) hash.update(file).update(readFileSync(join(ROOT, room, file)));
    }
  }
  // The lock names every package that goes in, and what makes the bundle.
  hash.update(readFileSync(join(ROOT, 'package-lock.json')));
  return hash.digest('hex').slice(0, 16);
}

function keep(folder: string, path: string, code: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, code);
    renameSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
